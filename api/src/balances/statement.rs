//! `GET .../balance/statement`: opening, sums by kind, closing, and a digest of all between.

use std::collections::BTreeMap;

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use chrono::TimeDelta;
use engine::{
    clock::Timestamp, ids::RelationshipId, money::Currency, relationships::RelationshipScope,
};
use persistence::balances::{ledger::Filter, statement};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    entry::kind_name,
    ledger::exported,
    owner::{one_in_mode, own_scope, scope_of},
};
use crate::{
    auth::{
        MerchantKey, ResellerKey, Session,
        scope::{BalanceRead, ResellersRead},
    },
    error::ApiError,
    extract::{PathIds, Query},
    state::App,
    wire::{
        answer::Answer,
        csv, filters,
        money::{CurrencyCode, MoneyText, SumText},
        time::Time,
    },
};

const DAYS_MAX: i64 = 366;

#[derive(Serialize, ToSchema)]
pub(crate) struct Statement {
    from: Time,
    to: Time,
    currency: CurrencyCode,
    opening_balance: MoneyText,
    opening_version: i64,
    closing_balance: MoneyText,
    closing_version: i64,
    entries: u64,
    totals: BTreeMap<&'static str, SumText>,
    digest: String,
}

pub(crate) async fn reseller(
    State(app): State<App>,
    caller: ResellerKey<BalanceRead>,
    query: Query,
) -> Result<Answer<Statement>, ApiError> {
    stated(&app, caller.scope(), caller.currency(), &query).await
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellersRead>,
    PathIds(id): PathIds<RelationshipId>,
    query: Query,
) -> Result<Answer<Statement>, ApiError> {
    let live = scope_of(&app, caller.merchant_id(), id).await?;
    let scope = one_in_mode(&app, live, &query).await?;
    stated(&app, scope, caller.currency(), &query).await
}

/// With `format=csv` every entry of the time.
pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds(id): PathIds<RelationshipId>,
    query: Query,
) -> Result<Response, ApiError> {
    let (live, currency) = own_scope(&app, &caller, id).await?;
    let scope = one_in_mode(&app, live, &query).await?;
    if csv::wanted(&query)? {
        let (from, to) = period(&query)?;
        let filter = Filter {
            from: Some(from),
            to: Some(to),
            ..Filter::default()
        };
        return Ok(exported(&app, scope, currency, filter));
    }
    Ok(stated(&app, scope, currency, &query).await?.into_response())
}

async fn stated(
    app: &App,
    scope: RelationshipScope,
    currency: Currency,
    query: &Query,
) -> Result<Answer<Statement>, ApiError> {
    let (from, to) = period(query)?;
    let found = statement::statement(&app.database, scope, from, to).await?;
    Ok(Answer::ok(Statement::of(found, from, to, currency)))
}

fn period(query: &Query) -> Result<(Timestamp, Timestamp), ApiError> {
    let required = |name| {
        let time = filters::time(query, name)?;
        time.ok_or_else(|| ApiError::field(name, "is required"))
    };
    let (from, to) = (required("from")?, required("to")?);
    if to <= from || to - from > TimeDelta::days(DAYS_MAX) {
        return Err(ApiError::field(
            "to",
            "must be after `from`, by 366 days at most",
        ));
    }
    Ok((from, to))
}

impl Statement {
    fn of(found: statement::Statement, from: Timestamp, to: Timestamp, currency: Currency) -> Self {
        let money = |amount| MoneyText(currency, amount);
        let totals = found.totals.into_iter();
        Self {
            from: Time(from),
            to: Time(to),
            currency: CurrencyCode(currency),
            opening_balance: money(found.opening_balance),
            opening_version: found.opening_version,
            closing_balance: money(found.closing_balance),
            closing_version: found.closing_version,
            entries: found.entries,
            totals: totals
                .map(|(kind, total)| (kind_name(kind), SumText(currency, total)))
                .collect(),
            digest: hex(&found.digest),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
