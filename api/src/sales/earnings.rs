//! `GET /portal/v1/programs/{rel}/earnings` and `/earnings/ledger`: what a reseller earned, and how it came
//! to that.

use axum::{extract::State, response::Response};
use engine::{
    ids::{PayoutId, RelationshipId, SaleId},
    money::Currency,
    payouts::blocked,
    sales::EntryKind,
};
use futures_util::{Stream, TryStreamExt as _, stream};
use persistence::{
    Database,
    payouts::{Standing, standing},
    sales::earnings::{self, Entry},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    auth::Session,
    balances::owner::own_scope,
    error::{ApiError, Code},
    extract::{PathIds, Query},
    state::App,
    wire::{
        answer::Answer,
        csv::{self, Row},
        money::{CurrencyCode, MoneyText},
        page::CursorPage,
        time::{self, Time},
    },
};

const EXPORTED_AT_ONCE: u32 = 500;

/// Sums over commissions and payouts.
#[derive(Serialize, ToSchema)]
#[schema(as = Earnings)]
pub(crate) struct EarningsView {
    currency: CurrencyCode,
    /// On hold.
    pending: MoneyText,
    /// Net of what was taken back.
    approved: MoneyText,
    reversed: MoneyText,
    paid_out: MoneyText,
    open_payouts: MoneyText,
    /// Below zero after a reversal: later commissions fill it first.
    available: MoneyText,
    min_payout: MoneyText,
    /// Whether a payout can be asked for now.
    can_request: bool,
    blocked_by: Vec<&'static str>,
}

/// A change of approved commissions less payouts.
#[derive(Serialize, ToSchema)]
pub(crate) struct EarningsEntry {
    id: String,
    uniqid: String,
    version: i64,
    kind: &'static str,
    amount: MoneyText,
    total_after: MoneyText,
    currency: CurrencyCode,
    reference_type: &'static str,
    reference_id: String,
    created_at: Time,
}

impl EarningsView {
    pub(crate) fn of(standing: &Standing, currency: Currency) -> Self {
        let earnings = &standing.earnings;
        let blocked_by = blocked(&standing.facts);
        let money = |amount| MoneyText(currency, amount);
        Self {
            currency: CurrencyCode(currency),
            pending: money(earnings.pending),
            approved: money(earnings.approved),
            reversed: money(earnings.reversed),
            paid_out: money(earnings.paid_out),
            open_payouts: money(earnings.open_payouts),
            available: money(earnings.available()),
            min_payout: money(standing.facts.min),
            can_request: blocked_by.is_empty(),
            blocked_by,
        }
    }
}

impl EarningsEntry {
    pub(crate) fn of(entry: &Entry, currency: Currency) -> Self {
        let id = entry.id.to_string();
        let (reference_type, reference_id) = subject(entry);
        Self {
            uniqid: id.clone(),
            id,
            version: entry.version,
            kind: entry.kind.name(),
            amount: MoneyText(currency, entry.amount),
            total_after: MoneyText(currency, entry.total_after),
            currency: CurrencyCode(currency),
            reference_type,
            reference_id,
            created_at: Time(entry.at),
        }
    }
}

fn subject(entry: &Entry) -> (&'static str, String) {
    match entry.kind {
        EntryKind::Commission | EntryKind::Reversal => {
            let commission = SaleId::from_uuid(entry.subject).commission();
            ("COMMISSION", commission.to_string())
        }
        EntryKind::Payout => ("PAYOUT", PayoutId::from_uuid(entry.subject).to_string()),
    }
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds(id): PathIds<RelationshipId>,
) -> Result<Answer<EarningsView>, ApiError> {
    let (scope, currency) = own_scope(&app, &caller, id).await?;
    let of = (scope.merchant, scope.relationship);
    let found = standing(&app.database, of, app.now()).await?;
    let found = found.ok_or_else(|| ApiError::new(Code::NotFound))?;
    Ok(Answer::ok(EarningsView::of(&found, currency)))
}

pub(crate) async fn portal_ledger(
    State(app): State<App>,
    caller: Session,
    PathIds(id): PathIds<RelationshipId>,
    query: Query,
) -> Result<Response, ApiError> {
    let (scope, currency) = own_scope(&app, &caller, id).await?;
    let of = (scope.merchant, scope.relationship);
    let page = CursorPage::read(&query, &format!("earnings {id}"))?;
    let before = page.position(|text| text.parse().ok())?;
    if csv::wanted(&query)? {
        let rows = all(app.database.clone(), of);
        return Ok(csv::answer(
            rows.map_ok(move |entry| Exported(cells(&entry, currency))),
        ));
    }
    let found = earnings::entries(&app.database, of, before, page.limit).await?;
    let next = found.next(|entry| entry.version);
    let items = found.items.iter();
    let shown: Vec<_> = items.map(|one| EarningsEntry::of(one, currency)).collect();
    Ok(page.answer(shown, next))
}

/// All entries, a few at a time.
fn all(
    db: Database,
    of: (engine::ids::MerchantId, RelationshipId),
) -> impl Stream<Item = Result<Entry, persistence::Error>> + Send + 'static {
    let pages = stream::try_unfold(Some(None), move |at| {
        let db = db.clone();
        async move {
            let Some(before) = at else { return Ok(None) };
            let page = earnings::entries(&db, of, before, EXPORTED_AT_ONCE).await?;
            let last = page.items.last().map(|entry| entry.version);
            let next = page.has_more.then_some(last);
            let items = page.items.into_iter().map(Ok::<_, persistence::Error>);
            Ok::<_, persistence::Error>(Some((stream::iter(items), next)))
        }
    });
    pages.try_flatten()
}

/// One entry as a row.
struct Exported([String; 7]);

impl Row for Exported {
    const DISPOSITION: &'static str = "attachment; filename=\"earnings.csv\"";
    const HEADER: &'static [&'static str] = &[
        "version",
        "kind",
        "amount",
        "total_after",
        "currency",
        "reference_id",
        "created_at",
    ];

    fn cells(&self) -> Vec<String> {
        self.0.to_vec()
    }
}

fn cells(entry: &Entry, currency: Currency) -> [String; 7] {
    let money = |amount| MoneyText(currency, amount).to_string();
    [
        entry.version.to_string(),
        entry.kind.name().to_owned(),
        money(entry.amount),
        money(entry.total_after),
        currency.code().to_owned(),
        subject(entry).1,
        time::text(entry.at),
    ]
}
