//! What is stored of a merchant, read in bounded parts and judged by the engine: every ledger adds up, every debit
//! for a delivery has its serials, every account of earnings is what its sales and payouts say, every serial that is
//! claimed for an order is delivered by an entry.
//!
//! Keeps: each statement reads a bounded slice by a primary key, or the rows of one relationship; what is judged
//! together is read by one statement, so nothing that happens meanwhile looks like a mismatch.

use engine::{
    clock::Timestamp,
    ids::{BalanceId, MerchantId, RelationshipId, SerialId},
    reconciliation::{self, Check, RELATIONSHIPS_MAX, Sums},
    sales::Earnings,
    verifier::Line,
};
use uuid::Uuid;

use super::claims::claims;
use crate::{
    Database, Error, balances::ledger::version_before, fulfillments::rows::money, owned,
    verifier::lines,
};

/// Entries that are read at once.
pub(super) const CHUNK: i64 = 1000;

/// How far a report is: first relationships, then claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Ledgers {
        relationship: RelationshipId,
        /// Up to which entry its ledger was looked at; none: it is done.
        version: Option<i64>,
    },
    /// After a serial, or before the first one.
    Claims { after: Option<SerialId> },
}

/// What was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checked {
    pub relationships: u64,
    pub entries: u64,
    pub deliveries: u64,
    pub serials: u64,
    /// Of serials, for orders.
    pub claims: u64,
}

/// Something that does not agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mismatch {
    /// None: a claim names a balance that does not exist.
    pub relationship: Option<RelationshipId>,
    /// The entry of its ledger; none: it is of the account of earnings.
    pub version: Option<i64>,
    /// Whose claim it is.
    pub serial: Option<SerialId>,
    pub check: Check,
}

/// One part of a report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    pub checked: Checked,
    pub mismatches: Vec<Mismatch>,
    /// Where to go on; none: that was all.
    pub next: Option<Place>,
}

/// The next part of a report, of at most so many entries and claims: of all that is stored, or of the entries of a
/// time, which has neither earnings nor claims.
pub async fn part(
    db: &Database,
    merchant: MerchantId,
    time: Option<(Timestamp, Timestamp)>,
    start: Option<Place>,
    most: u32,
) -> Result<Part, Error> {
    let db = db.clone();
    owned(async move {
        let (mut part, mut left) = (Part::default(), i64::from(most));
        let mut place = match start {
            Some(Place::Ledgers {
                relationship,
                version,
            }) => Some((relationship, version)),
            Some(Place::Claims { after }) => {
                claims(&db, merchant, after, &mut part, left).await?;
                return Ok(part);
            }
            None => None,
        };
        for _ in 0..RELATIONSHIPS_MAX {
            let Some(next) = next(&db, merchant, place).await? else {
                if time.is_none() {
                    claims(&db, merchant, None, &mut part, left).await?;
                }
                return Ok(part);
            };
            if let Some(begun) = ledger(&db, &next, time, &mut part, &mut left).await? {
                part.next = Some(begun);
                return Ok(part);
            }
            if time.is_none() {
                earnings(&db, &next, &mut part).await?;
            }
            part.checked.relationships += 1;
            place = Some((next.relationship, None));
        }
        part.next = place.map(|(relationship, version)| Place::Ledgers {
            relationship,
            version,
        });
        Ok(part)
    })
    .await
}

/// A relationship whose turn it is.
struct Next {
    relationship: RelationshipId,
    balance: Option<BalanceId>,
    /// Its ledger was looked at up to here.
    version: i64,
}

async fn next(
    db: &Database,
    merchant: MerchantId,
    place: Option<(RelationshipId, Option<i64>)>,
) -> Result<Option<Next>, Error> {
    let begun = place.and_then(|(_, version)| version);
    let row: Option<(Uuid, Option<i64>)> = sqlx::query_as(
        "SELECT r.relationship_id, b.balance_id FROM relationships AS r
         LEFT JOIN balances AS b ON b.relationship_id = r.relationship_id AND NOT b.test
         WHERE r.merchant_id = $1
           AND (r.relationship_id > $2 OR ($3 AND r.relationship_id = $2))
         ORDER BY r.relationship_id LIMIT 1",
    )
    .bind(merchant.uuid())
    .bind(place.map_or(Uuid::nil(), |(relationship, _)| relationship.uuid()))
    .bind(begun.is_some())
    .fetch_optional(&mut *db.report().await?)
    .await?;
    Ok(row.map(|(relationship, balance)| Next {
        relationship: RelationshipId::from_uuid(relationship),
        balance: balance.map(BalanceId),
        version: begun.unwrap_or_default(),
    }))
}

/// Looks at the rest of a ledger; where to go on if it is too long for one part.
async fn ledger(
    db: &Database,
    next: &Next,
    time: Option<(Timestamp, Timestamp)>,
    part: &mut Part,
    left: &mut i64,
) -> Result<Option<Place>, Error> {
    let Some(balance) = next.balance else {
        return Ok(None);
    };
    let (above, last) = range(db, balance, time).await?;
    let mut from = next.version.max(above);
    while from < last {
        if *left == 0 {
            return Ok(Some(Place::Ledgers {
                relationship: next.relationship,
                version: Some(from),
            }));
        }
        let through = last.min(from + CHUNK).min(from + *left);
        let slice = lines(&mut *db.report().await?, balance, from.max(1), through).await?;
        part.count(from, &slice);
        let wrong = reconciliation::ledger(from, through, &slice);
        part.mismatches
            .extend(wrong.map(|(version, check)| Mismatch {
                relationship: Some(next.relationship),
                version: Some(version),
                serial: None,
                check,
            }));
        *left -= through - from;
        from = through;
    }
    Ok(None)
}

/// The version before the first entry of a time, and that of the last.
async fn range(
    db: &Database,
    balance: BalanceId,
    time: Option<(Timestamp, Timestamp)>,
) -> Result<(i64, i64), Error> {
    let mut connection = db.report().await?;
    if let Some((from, to)) = time {
        let above = version_before(&mut connection, balance, from).await?;
        return Ok((above, version_before(&mut connection, balance, to).await?));
    }
    let last: Option<i64> =
        sqlx::query_scalar("SELECT MAX(version) FROM ledger_entries WHERE balance_id = $1")
            .bind(balance.0)
            .fetch_one(&mut *connection)
            .await?;
    Ok((0, last.unwrap_or_default()))
}

impl Part {
    /// Counts a slice, but for the entry in front of it.
    fn count(&mut self, from: i64, slice: &[Line]) {
        for line in slice.iter().filter(|line| line.version > from) {
            self.checked.entries += 1;
            if let Some(delivered) = line.delivered {
                self.checked.deliveries += 1;
                self.checked.serials += delivered.serials;
            }
        }
    }
}

#[derive(sqlx::FromRow)]
struct EarningsRow {
    version: i64,
    pending: i64,
    approved: i64,
    reversed: i64,
    paid_out: i64,
    open_payouts: i64,
    sums_pending: i64,
    sums_approved: i64,
    sums_reversed: i64,
    sums_paid_out: i64,
    sums_open_payouts: i64,
    entered: i64,
    entries: i64,
    last_version: i64,
}

async fn earnings(db: &Database, next: &Next, part: &mut Part) -> Result<(), Error> {
    let row: EarningsRow = sqlx::query_as(include_str!("earnings.sql"))
        .bind(next.relationship.uuid())
        .fetch_one(&mut *db.report().await?)
        .await?;
    let account = Earnings {
        pending: money(row.pending)?,
        approved: money(row.approved)?,
        reversed: money(row.reversed)?,
        paid_out: money(row.paid_out)?,
        open_payouts: money(row.open_payouts)?,
    };
    let sums = Sums {
        pending: row.sums_pending,
        approved: row.sums_approved,
        reversed: row.sums_reversed,
        paid_out: row.sums_paid_out,
        open_payouts: row.sums_open_payouts,
        entered: row.entered,
        entries: row.entries,
        last_version: row.last_version,
    };
    let wrong = reconciliation::earnings(&account, row.version, &sums);
    part.mismatches
        .extend(wrong.into_iter().map(|check| Mismatch {
            relationship: Some(next.relationship),
            version: None,
            serial: None,
            check,
        }));
    Ok(())
}
