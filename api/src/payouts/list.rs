//! `GET /dev/v1/resellers/{id}/payouts` and `GET /portal/v1/programs/{rel}/payouts`: newest first; to the
//! merchant with what was earned.

use axum::{extract::State, response::Response};
use engine::{
    ids::{MerchantId, PayoutId, RelationshipId},
    money::Currency,
    payouts::{Payout, Status},
};
use futures_util::TryStreamExt as _;
use persistence::payouts::{Filter, list, list_numbered, standing, stream};
use serde::Serialize;

use super::PayoutView;
use crate::{
    auth::{MerchantKey, Session, scope::ResellerPayoutsRead},
    balances::owner::{own_scope, scope_of},
    error::{ApiError, Code},
    extract::{PathIds, Query},
    sales::earnings::EarningsView,
    state::App,
    wire::{
        csv::{self, Row},
        money::MoneyText,
        page::{CursorPage, Paging, numbered_with},
        texts::words,
        time,
    },
};

/// What stands beside the merchant's list.
#[derive(Serialize)]
struct Beside {
    earnings: EarningsView,
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellerPayoutsRead>,
    PathIds(id): PathIds<RelationshipId>,
    query: Query,
) -> Result<Response, ApiError> {
    let scope = scope_of(&app, caller.merchant_id(), id).await?;
    let (of, currency) = ((scope.merchant, scope.relationship), caller.currency());
    let paging = Paging::read(&query, &format!("payouts {id}"))?;
    let filter = filter(&query)?;
    if csv::wanted(&query)? {
        return Ok(exported(&app, of, currency, filter));
    }
    let earned = standing(&app.database, of, app.now()).await?;
    let earned = earned.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let beside = Beside {
        earnings: EarningsView::of(&earned, currency),
    };
    match paging {
        Paging::Numbered(page) => {
            let found = list_numbered(&app.database, of, filter, page).await?;
            let shown = shown(&found.items, currency);
            Ok(numbered_with(page, (shown, found.total), beside))
        }
        Paging::Cursor(page) => {
            let before = page.position(PayoutId::parse)?;
            let found = list(&app.database, of, filter, before, page.limit).await?;
            let next = found.next(|payout| payout.id);
            Ok(page.answer_with(shown(&found.items, currency), next, beside))
        }
    }
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds(id): PathIds<RelationshipId>,
    query: Query,
) -> Result<Response, ApiError> {
    let (scope, currency) = own_scope(&app, &caller, id).await?;
    let of = (scope.merchant, scope.relationship);
    let page = CursorPage::read(&query, &format!("own payouts {id}"))?;
    let before = page.position(PayoutId::parse)?;
    let filter = filter(&query)?;
    if csv::wanted(&query)? {
        return Ok(exported(&app, of, currency, filter));
    }
    let found = list(&app.database, of, filter, before, page.limit).await?;
    let next = found.next(|payout| payout.id);
    Ok(page.answer(shown(&found.items, currency), next))
}

fn filter(query: &Query) -> Result<Filter, ApiError> {
    let statuses = words(query, "status", Status::parse)?;
    Ok(Filter { statuses })
}

fn shown(payouts: &[Payout], currency: Currency) -> Vec<PayoutView> {
    let payouts = payouts.iter();
    payouts.map(|one| PayoutView::of(one, currency)).collect()
}

fn exported(
    app: &App,
    of: (MerchantId, RelationshipId),
    currency: Currency,
    filter: Filter,
) -> Response {
    let rows = stream(app.database.clone(), of, filter);
    csv::answer(rows.map_ok(move |payout| Exported(cells(&payout, currency))))
}

/// One payout as a row.
struct Exported([String; 13]);

impl Row for Exported {
    const DISPOSITION: &'static str = "attachment; filename=\"payouts.csv\"";
    const HEADER: &'static [&'static str] = &[
        "id",
        "status",
        "status_reason",
        "amount",
        "currency",
        "asset",
        "network",
        "address",
        "forced",
        "tx_hash",
        "proof",
        "created_at",
        "completed_at",
    ];

    fn cells(&self) -> Vec<String> {
        self.0.to_vec()
    }
}

fn cells(payout: &Payout, currency: Currency) -> [String; 13] {
    [
        payout.id.to_string(),
        payout.status.name().to_owned(),
        payout.status_reason.clone().unwrap_or_default(),
        MoneyText(currency, payout.amount).to_string(),
        currency.code().to_owned(),
        payout.to.asset.clone(),
        payout.to.network.clone(),
        payout.address.clone(),
        payout.forced.to_string(),
        payout.tx_hash.clone().unwrap_or_default(),
        payout.proof().name().to_owned(),
        time::text(payout.created_at),
        payout.completed_at.map(time::text).unwrap_or_default(),
    ]
}
