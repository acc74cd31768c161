//! `GET /dev/v1/reports/reconciliation`: whether balances, deliveries and earnings are what their rows add up to.
//!
//! The list is of what does not agree. A page is the mismatches of one part of what is stored, so a page without
//! any may have others after it, and `checked` says how much was looked at.

use axum::{extract::State, response::Response};
use chrono::{Days, NaiveDate};
use engine::{
    clock::Timestamp,
    ids::{RelationshipId, SerialId},
    persons::Role,
    reconciliation::ENTRIES_MAX,
};
use persistence::reconciliation::{Checked, Mismatch, Place, part};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    auth::{MerchantKey, scope::ResellerSalesRead},
    error::{ApiError, Code},
    extract::Query,
    state::App,
    wire::page::CursorPage,
};

/// Something that does not agree.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReconciliationMismatch {
    /// Null: a serial is claimed for an order of nobody.
    relationship_id: Option<String>,
    /// The entry of its ledger; null: it is of the account of earnings.
    ledger_version: Option<i64>,
    /// The serial that is claimed for that entry, and not delivered by it.
    serial_id: Option<String>,
    /// `VERSIONS`, `SUM`, `BELOW_ZERO`, `CLAIMS`; of earnings `PENDING`, `APPROVED`, `REVERSED`, `PAID_OUT`,
    /// `OPEN_PAYOUTS`, `ENTRIES`; of a serial `UNDELIVERED`.
    check: &'static str,
}

/// What this page looked at.
#[derive(Serialize, ToSchema)]
pub(crate) struct CheckedView {
    relationships: u64,
    ledger_entries: u64,
    deliveries: u64,
    serials: u64,
    /// Of serials, for orders.
    claims: u64,
}

/// A cursor from which on claims are looked at.
const CLAIMS: &str = "claims";

#[derive(Serialize)]
struct Beside {
    checked: CheckedView,
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellerSalesRead>,
    query: Query,
) -> Result<Response, ApiError> {
    if caller.role() == Some(Role::Viewer) {
        let error = ApiError::saying(Code::Forbidden, "Your role does not allow this.");
        return Err(error.detail("role", Role::Viewer.name()));
    }
    let merchant = caller.merchant_id();
    let page = CursorPage::read(&query, &format!("reconciliation {merchant}"))?;
    let (start, day) = (page.position(place)?, day(&query)?);
    let found = part(&app.database, merchant, day, start, ENTRIES_MAX).await?;
    let beside = Beside {
        checked: CheckedView::of(found.checked),
    };
    let mismatches = found.mismatches.iter().map(ReconciliationMismatch::of);
    Ok(page.answer_with(mismatches.collect(), found.next.map(text), beside))
}

/// The day that is asked for, in UTC.
fn day(query: &Query) -> Result<Option<(Timestamp, Timestamp)>, ApiError> {
    let Some(text) = query.get("date") else {
        return Ok(None);
    };
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let date = date.filter(|_| text.len() == "2025-12-01".len());
    let days = date.and_then(|date| Some((date, date.checked_add_days(Days::new(1))?)));
    let (from, to) =
        days.ok_or_else(|| ApiError::field("date", "must be a day such as 2025-12-01"))?;
    let begin = |day: NaiveDate| day.and_time(chrono::NaiveTime::MIN).and_utc();
    Ok(Some((begin(from), begin(to))))
}

/// A place in a cursor: the relationship, and the version of its ledger if that is not done; or the serial after which
/// claims are looked at.
fn text(place: Place) -> String {
    match place {
        Place::Ledgers {
            relationship,
            version: Some(version),
        } => format!("{relationship} {version}"),
        Place::Ledgers {
            relationship,
            version: None,
        } => relationship.to_string(),
        Place::Claims {
            after: Some(serial),
        } => serial.to_string(),
        Place::Claims { after: None } => CLAIMS.to_owned(),
    }
}

fn place(text: &str) -> Option<Place> {
    let after = SerialId::parse(text);
    if after.is_some() || text == CLAIMS {
        return Some(Place::Claims { after });
    }
    let (relationship, version) = match text.split_once(' ') {
        Some((relationship, version)) => (relationship, Some(version.parse().ok()?)),
        None => (text, None),
    };
    Some(Place::Ledgers {
        relationship: RelationshipId::parse(relationship)?,
        version,
    })
}

impl ReconciliationMismatch {
    fn of(mismatch: &Mismatch) -> Self {
        Self {
            relationship_id: mismatch.relationship.map(|id| id.to_string()),
            ledger_version: mismatch.version,
            serial_id: mismatch.serial.map(|id| id.to_string()),
            check: mismatch.check.name(),
        }
    }
}

impl CheckedView {
    const fn of(checked: Checked) -> Self {
        Self {
            relationships: checked.relationships,
            ledger_entries: checked.entries,
            deliveries: checked.deliveries,
            serials: checked.serials,
            claims: checked.claims,
        }
    }
}

#[cfg(test)]
mod tests {
    use engine::{clock::EPOCH, ids::ImportId, random::SeededRandom};

    use super::*;

    #[test]
    fn places_read_back() {
        let relationship = RelationshipId::generate(EPOCH, &SeededRandom::new(1));
        let ledgers = [None, Some(20_000)].map(|version| Place::Ledgers {
            relationship,
            version,
        });
        let serial = ImportId::for_import(EPOCH, &SeededRandom::new(1)).serial(u32::MAX);
        let claims = [None, Some(serial)].map(|after| Place::Claims { after });
        for expected in ledgers.into_iter().chain(claims) {
            assert_eq!(place(&text(expected)), Some(expected));
        }
        assert_eq!(place("rel_1 x"), None);
    }
}
