//! `GET /dev/v1/resellers/{id}/sales`, `GET /portal/v1/programs/{rel}/sales` and `/commissions`: what a
//! reseller sold and earned, newest first.

use axum::{extract::State, response::Response};
use engine::{
    ids::{MerchantId, ProductId, RelationshipId, SaleId},
    money::{Currency, Percent},
    sales::{CommissionStatus, Reason, Sale, Status},
};
use futures_util::TryStreamExt as _;
use persistence::sales::list::{self, Filter};

use super::{CommissionView, SaleView};
use crate::{
    auth::{MerchantKey, Session, scope::ResellerSalesRead},
    balances::owner::{own_scope, scope_of},
    error::ApiError,
    extract::{PathIds, Query},
    state::App,
    wire::{
        csv::{self, Row},
        filters,
        money::MoneyText,
        page::{CursorPage, Paging, numbered},
        texts::words,
        time,
    },
};

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellerSalesRead>,
    PathIds(id): PathIds<RelationshipId>,
    query: Query,
) -> Result<Response, ApiError> {
    let scope = scope_of(&app, caller.merchant_id(), id).await?;
    let of = (scope.merchant, scope.relationship);
    listed(&app, of, caller.currency(), &query).await
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds(id): PathIds<RelationshipId>,
    query: Query,
) -> Result<Response, ApiError> {
    let (scope, currency) = own_scope(&app, &caller, id).await?;
    listed(&app, (scope.merchant, scope.relationship), currency, &query).await
}

async fn listed(
    app: &App,
    of: (MerchantId, RelationshipId),
    currency: Currency,
    query: &Query,
) -> Result<Response, ApiError> {
    let paging = Paging::read(query, &format!("sales {}", of.1))?;
    let filter = Filter {
        statuses: words(query, "status", Status::parse)?,
        ..between(query)?
    };
    if csv::wanted(query)? {
        let rows = list::stream(app.database.clone(), of, filter);
        return Ok(csv::answer(
            rows.map_ok(move |sale| ExportedSale(sale_cells(&sale, currency))),
        ));
    }
    let show = |items: &[Sale]| -> Vec<SaleView> {
        let items = items.iter();
        items.map(|sale| SaleView::of(sale, currency)).collect()
    };
    match paging {
        Paging::Numbered(page) => {
            let found = list::list_numbered(&app.database, of, filter, page).await?;
            Ok(numbered(page, show(&found.items), found.total))
        }
        Paging::Cursor(page) => {
            let before = page.position(SaleId::parse)?;
            let found = list::list(&app.database, of, filter, before, page.limit).await?;
            let next = found.next(|sale| sale.id);
            Ok(page.answer(show(&found.items), next))
        }
    }
}

pub(crate) async fn portal_commissions(
    State(app): State<App>,
    caller: Session,
    PathIds(id): PathIds<RelationshipId>,
    query: Query,
) -> Result<Response, ApiError> {
    let (scope, currency) = own_scope(&app, &caller, id).await?;
    let of = (scope.merchant, scope.relationship);
    let page = CursorPage::read(&query, &format!("commissions {id}"))?;
    let before = page.position(SaleId::parse)?;
    let filter = Filter {
        commissions: words(&query, "status", CommissionStatus::parse)?,
        ..between(&query)?
    };
    if csv::wanted(&query)? {
        let rows = list::stream(app.database.clone(), of, filter);
        return Ok(csv::answer(rows.map_ok(move |sale| {
            ExportedCommission(commission_cells(&sale, currency))
        })));
    }
    let found = list::list(&app.database, of, filter, before, page.limit).await?;
    let next = found.next(|sale| sale.id);
    let items = found.items.iter();
    let shown: Vec<_> = items
        .map(|sale| CommissionView::of(sale, currency))
        .collect();
    Ok(page.answer(shown, next))
}

/// The filters that both lists have.
fn between(query: &Query) -> Result<Filter, ApiError> {
    let product = query.get("product_id").map(|id| {
        let product = ProductId::parse(id);
        product.ok_or_else(|| ApiError::field("product_id", "is the id of no product"))
    });
    let (from, to) = (filters::time(query, "from")?, filters::time(query, "to")?);
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(ApiError::field("from", "must not be after `to`"));
    }
    Ok(Filter {
        product: product.transpose()?,
        from,
        to,
        ..Filter::default()
    })
}

/// One sale as a row.
struct ExportedSale([String; 19]);

impl Row for ExportedSale {
    const DISPOSITION: &'static str = "attachment; filename=\"sales.csv\"";
    const HEADER: &'static [&'static str] = &[
        "id",
        "invoice_id",
        "product_id",
        "variant_id",
        "product_title",
        "quantity",
        "source_id",
        "source_name",
        "status",
        "amount",
        "discount",
        "tax",
        "net",
        "refunded",
        "currency",
        "customer_email",
        "commission",
        "commission_status",
        "sold_at",
    ];

    fn cells(&self) -> Vec<String> {
        self.0.to_vec()
    }
}

fn sale_cells(sale: &Sale, currency: Currency) -> [String; 19] {
    let money = |amount| MoneyText(currency, amount).to_string();
    [
        sale.id.to_string(),
        sale.invoice.clone(),
        sale.product.to_string(),
        sale.variant.map(|id| id.to_string()).unwrap_or_default(),
        sale.product_title.clone(),
        sale.quantity.to_string(),
        sale.source.to_string(),
        sale.source_name.clone(),
        sale.status.name().to_owned(),
        money(sale.amount),
        money(sale.discount),
        money(sale.tax),
        money(sale.net()),
        money(sale.refunded),
        currency.code().to_owned(),
        sale.customer.clone().unwrap_or_default(),
        money(sale.commission.rest()),
        sale.commission.status.name().to_owned(),
        time::text(sale.sold_at),
    ]
}

/// One commission as a row.
struct ExportedCommission([String; 11]);

impl Row for ExportedCommission {
    const DISPOSITION: &'static str = "attachment; filename=\"commissions.csv\"";
    const HEADER: &'static [&'static str] = &[
        "id",
        "sale_id",
        "percent",
        "amount",
        "reversed",
        "currency",
        "status",
        "hold_until",
        "approved_at",
        "reason",
        "note",
    ];

    fn cells(&self) -> Vec<String> {
        self.0.to_vec()
    }
}

fn commission_cells(sale: &Sale, currency: Currency) -> [String; 11] {
    let it = &sale.commission;
    let money = |amount| MoneyText(currency, amount).to_string();
    let percent = it.percent.map(Percent::hundredths);
    let percent = percent.map(|it| format!("{}.{:02}", it / 100, it % 100));
    [
        sale.id.commission().to_string(),
        sale.id.to_string(),
        percent.unwrap_or_default(),
        money(it.amount),
        money(it.reversed),
        currency.code().to_owned(),
        it.status.name().to_owned(),
        time::text(it.hold_until),
        it.approved_at.map(time::text).unwrap_or_default(),
        it.reason.map(Reason::name).unwrap_or_default().to_owned(),
        it.note.clone().unwrap_or_default(),
    ]
}
