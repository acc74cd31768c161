//! `GET /portal/v1/overview`: the first page of a reseller: what each program brought over a time, and where
//! it stands.
//!
//! Keeps: figures are sums of rows; those of one currency are added, those of two never, and balances are
//! told side by side only.

use std::collections::BTreeMap;

use axum::extract::State;
use chrono::NaiveDate;
use engine::{
    analytics::{Interval, Period},
    ids::RelationshipId,
    money::Currency,
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use persistence::{
    analytics::{self, Analytics, Figures},
    overview::{self, Standing},
    persons::{self, OwnProgram},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    auth::Session,
    balances::owner::scope_of,
    error::{ApiError, Code},
    extract::Query,
    state::App,
    wire::{
        answer::Answer,
        filters,
        money::{CurrencyCode, SumText},
        time::Time,
    },
};

/// Programs that are summed up at once.
const SUMMED_AT_ONCE: usize = 2;

#[derive(Serialize, ToSchema)]
pub(crate) struct Overview {
    from: Time,
    to: Time,
    currencies: Vec<CurrencyOverview>,
    programs: Vec<ProgramOverview>,
    todo: Vec<Todo>,
}

/// All programs of one currency.
#[derive(Serialize, ToSchema)]
struct CurrencyOverview {
    currency: CurrencyCode,
    #[serde(flatten)]
    sums: OverviewSums,
    /// By day; a day on which nothing happened is there, too.
    series: Vec<OverviewDay>,
}

#[derive(Serialize, ToSchema)]
struct ProgramOverview {
    relationship_id: String,
    merchant_name: String,
    currency: CurrencyCode,
    #[serde(flatten)]
    sums: OverviewSums,
    /// What is posted now.
    balance: SumText,
}

#[derive(Serialize, ToSchema)]
struct OverviewSums {
    /// What customers paid for sales of this time, less what they got back.
    revenue: SumText,
    /// What those sales earn, on hold or approved.
    commission: SumText,
    commission_pending: SumText,
    /// What can be asked for now.
    available_payout: SumText,
    active_listings: u64,
    /// Serials of inventories that went to nobody yet.
    available_stock: u64,
    fulfillments: u64,
}

#[derive(Serialize, ToSchema)]
struct OverviewDay {
    date: String,
    revenue: SumText,
    commission: SumText,
    fulfillments: u64,
}

/// Something that waits for the reseller.
#[derive(Serialize, ToSchema)]
struct Todo {
    kind: &'static str,
    relationship_id: String,
    text: String,
}

/// One program with all that is told of it.
struct Summed {
    program: OwnProgram,
    standing: Standing,
    figures: Analytics,
    balance: i64,
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    query: Query,
) -> Result<Answer<Overview>, ApiError> {
    let (from, to) = (filters::time(&query, "from")?, filters::time(&query, "to")?);
    let period = Period::of(from, to, app.now());
    let period = period.map_err(|wrong| ApiError::field("from", wrong.to_string()))?;
    let programs = wanted(&app, &caller, &query).await?;
    let summed = summed(&app, programs, period).await?;
    Ok(Answer::ok(Overview {
        from: Time(period.from),
        to: Time(period.to),
        currencies: currencies(&summed, period),
        programs: summed.iter().map(ProgramOverview::of).collect(),
        todo: summed.iter().filter_map(Todo::of).collect(),
    }))
}

/// All programs of the person, or the one that is asked for.
async fn wanted(app: &App, caller: &Session, query: &Query) -> Result<Vec<OwnProgram>, ApiError> {
    let own = persons::programs(&app.database, caller.person_id()).await?;
    let Some(text) = query.get("relationship_id") else {
        return Ok(own);
    };
    let id = RelationshipId::parse(text);
    let found = own.into_iter().find(|one| Some(one.relationship) == id);
    let found = found.ok_or_else(|| ApiError::new(Code::NotFound))?;
    Ok(vec![found])
}

async fn summed(
    app: &App,
    programs: Vec<OwnProgram>,
    period: Period,
) -> Result<Vec<Summed>, ApiError> {
    let ids: Vec<_> = programs.iter().map(|one| one.relationship).collect();
    let standings = overview::standings(&app.database, &ids).await?;
    let standings: BTreeMap<_, _> = standings
        .into_iter()
        .map(|standing| (standing.relationship, standing))
        .collect();
    let found = programs.into_iter().filter_map(|program| {
        let standing = *standings.get(&program.relationship)?;
        Some((program, standing))
    });
    let asked = app.clone();
    stream::iter(found.collect::<Vec<_>>())
        .map(move |(program, standing)| sum_up(asked.clone(), program, standing, period))
        .buffered(SUMMED_AT_ONCE)
        .try_collect()
        .await
}

async fn sum_up(
    app: App,
    program: OwnProgram,
    standing: Standing,
    period: Period,
) -> Result<Summed, ApiError> {
    let (merchant, relationship) = (program.merchant, program.relationship);
    let over = (period, Interval::Day);
    let figures = analytics::figures(&app.database, merchant, Some(relationship), over).await?;
    let scope = scope_of(&app, merchant, relationship).await?;
    let balance = app.engine.balance(scope).await?;
    Ok(Summed {
        program,
        standing,
        figures,
        balance: balance.posted.minor(),
    })
}

fn currencies(summed: &[Summed], period: Period) -> Vec<CurrencyOverview> {
    let mut by: BTreeMap<&str, Vec<&Summed>> = BTreeMap::new();
    for one in summed {
        by.entry(one.program.currency.code()).or_default().push(one);
    }
    let of = |all: Vec<&Summed>| {
        let currency = all.first()?.program.currency;
        Some(CurrencyOverview {
            currency: CurrencyCode(currency),
            sums: OverviewSums::of(&all, currency),
            series: series(&all, period, currency),
        })
    };
    by.into_values().filter_map(of).collect()
}

fn series(all: &[&Summed], period: Period, currency: Currency) -> Vec<OverviewDay> {
    let mut days: BTreeMap<NaiveDate, Figures> = BTreeMap::new();
    for (day, figures) in all.iter().flat_map(|one| &one.figures.series) {
        let sum = days.entry(*day).or_default();
        sum.revenue += figures.revenue;
        sum.commission_pending += figures.commission_pending;
        sum.commission_approved += figures.commission_approved;
        sum.fulfillments += figures.fulfillments;
    }
    let parts = period.parts(Interval::Day).into_iter();
    parts
        .map(|day| {
            let figures = days.get(&day).copied().unwrap_or_default();
            OverviewDay {
                date: day.to_string(),
                revenue: SumText(currency, figures.revenue),
                commission: SumText(currency, earned(&figures)),
                fulfillments: figures.fulfillments,
            }
        })
        .collect()
}

const fn earned(figures: &Figures) -> i64 {
    figures.commission_pending + figures.commission_approved
}

impl OverviewSums {
    fn of(all: &[&Summed], currency: Currency) -> Self {
        let sum = |of: fn(&Summed) -> i64| SumText(currency, all.iter().map(|one| of(one)).sum());
        let count = |of: fn(&Summed) -> u64| all.iter().map(|one| of(one)).sum();
        Self {
            revenue: sum(|one| one.figures.totals.revenue),
            commission: sum(|one| earned(&one.figures.totals)),
            commission_pending: sum(|one| one.figures.totals.commission_pending),
            available_payout: sum(|one| one.standing.available_payout.minor()),
            active_listings: count(|one| one.standing.active_listings),
            available_stock: count(|one| one.standing.available_stock),
            fulfillments: count(|one| one.figures.totals.fulfillments),
        }
    }
}

impl ProgramOverview {
    fn of(one: &Summed) -> Self {
        let currency = one.program.currency;
        Self {
            relationship_id: one.program.relationship.to_string(),
            merchant_name: one.program.merchant_name.clone(),
            currency: CurrencyCode(currency),
            sums: OverviewSums::of(&[one], currency),
            balance: SumText(currency, one.balance),
        }
    }
}

impl Todo {
    fn of(one: &Summed) -> Option<Self> {
        let blocked = one.standing.blocked_listings;
        (blocked > 0).then(|| Self {
            kind: "LISTINGS_BLOCKED",
            relationship_id: one.program.relationship.to_string(),
            text: format!(
                "{blocked} of your listings are blocked: see why, and change their prices."
            ),
        })
    }
}
