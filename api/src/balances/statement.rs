//! `GET /reseller/v1/balance/statement`: opening, sums by kind, closing, and a digest of all between.

use std::collections::BTreeMap;

use axum::extract::State;
use chrono::TimeDelta;
use engine::{clock::Timestamp, money::Currency};
use persistence::balances::statement;
use serde::Serialize;
use utoipa::ToSchema;

use super::entry::kind_name;
use crate::{
    auth::{ResellerKey, scope::BalanceRead},
    error::ApiError,
    extract::Query,
    state::App,
    wire::{
        answer::Answer,
        filters,
        money::{CurrencyCode, MoneyText},
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
    totals: BTreeMap<&'static str, MoneyText>,
    digest: String,
}

pub(crate) async fn reseller(
    State(app): State<App>,
    caller: ResellerKey<BalanceRead>,
    query: Query,
) -> Result<Answer<Statement>, ApiError> {
    let required = |name| {
        let time = filters::time(&query, name)?;
        time.ok_or_else(|| ApiError::field(name, "is required"))
    };
    let (from, to) = (required("from")?, required("to")?);
    if to <= from || to - from > TimeDelta::days(DAYS_MAX) {
        return Err(ApiError::field(
            "to",
            "must be after `from`, by 366 days at most",
        ));
    }
    let found = statement::statement(&app.database, caller.scope(), from, to).await?;
    Ok(Answer::ok(Statement::of(
        found,
        from,
        to,
        caller.currency(),
    )))
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
                .map(|(kind, total)| (kind_name(kind), money(total)))
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
