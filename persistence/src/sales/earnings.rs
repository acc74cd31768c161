//! The account of a relationship's earnings: locked, moved and stored; read by both sides.

use engine::{
    clock::Timestamp,
    ids::{EarningId, MerchantId, RelationshipId},
    money::Money,
    random::Random,
    sales::{Earnings, EntryKind, Movement},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::rows::Of;
use crate::{
    Database, Error,
    database::ReadScope,
    error::exactly_one,
    fulfillments::rows::money,
    owned,
    page::{self, Page},
    relationships::rows::named,
};

/// The account of one relationship, which nobody else changes until the transaction ends.
pub(crate) struct Account {
    of: Of,
    version: i64,
    pub(crate) earnings: Earnings,
}

/// A change of approved commissions less payouts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub id: EarningId,
    pub version: i64,
    pub kind: EntryKind,
    pub amount: Money,
    pub total_after: Money,
    /// The sale or the payout.
    pub subject: Uuid,
    pub at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct Row {
    version: i64,
    pending: i64,
    approved: i64,
    reversed: i64,
    paid_out: i64,
    open_payouts: i64,
}

const SUMS: &str = "SELECT version, pending, approved, reversed, paid_out, open_payouts
   FROM earnings WHERE merchant_id = $1 AND relationship_id = $2";
const SUMS_LOCKED: &str = "SELECT version, pending, approved, reversed, paid_out, open_payouts
   FROM earnings WHERE merchant_id = $1 AND relationship_id = $2 FOR UPDATE";

/// Locks the account of a relationship of this merchant, which is made if there is none yet.
pub(crate) async fn lock(connection: &mut PgConnection, of: Of) -> Result<Account, Error> {
    let (merchant, relationship) = of;
    sqlx::query(
        "INSERT INTO earnings (relationship_id, merchant_id, version, pending, approved, reversed,
           paid_out, open_payouts)
         VALUES ($1, $2, 0, 0, 0, 0, 0, 0)
         ON CONFLICT ON CONSTRAINT earnings_pkey DO NOTHING",
    )
    .bind(relationship.uuid())
    .bind(merchant.uuid())
    .execute(&mut *connection)
    .await?;
    let row: Row = sqlx::query_as(SUMS_LOCKED)
        .bind(merchant.uuid())
        .bind(relationship.uuid())
        .fetch_one(connection)
        .await?;
    Ok(Account {
        of,
        version: row.version,
        earnings: row.earnings()?,
    })
}

impl Account {
    /// Moves the sums, and writes the entry that tells of it. False if a sum would be beyond the bound of
    /// amounts: then nothing is to be stored.
    pub(crate) async fn store(
        &mut self,
        connection: &mut PgConnection,
        movement: Movement,
        (subject, random): (Uuid, &dyn Random),
        now: Timestamp,
    ) -> Result<bool, Error> {
        let Some(after) = self.earnings.moved(movement) else {
            return Ok(false);
        };
        self.earnings = after;
        let (merchant, relationship) = self.of;
        if let Some((kind, amount)) = movement.entry() {
            self.version += 1;
            sqlx::query(
                "INSERT INTO earning_entries (relationship_id, version, entry_id, merchant_id, kind,
                   amount, total_after, subject_id, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            )
            .bind(relationship.uuid())
            .bind(self.version)
            .bind(EarningId::generate(now, random).uuid())
            .bind(merchant.uuid())
            .bind(kind.name())
            .bind(amount.minor())
            .bind(after.total().minor())
            .bind(subject)
            .bind(now)
            .execute(&mut *connection)
            .await?;
        }
        let stored = sqlx::query(
            "UPDATE earnings SET version = $2, pending = $3, approved = $4, reversed = $5,
               paid_out = $6, open_payouts = $7
             WHERE relationship_id = $1",
        )
        .bind(relationship.uuid())
        .bind(self.version)
        .bind(after.pending.minor())
        .bind(after.approved.minor())
        .bind(after.reversed.minor())
        .bind(after.paid_out.minor())
        .bind(after.open_payouts.minor())
        .execute(connection)
        .await?;
        exactly_one(&stored, "an account of earnings")?;
        Ok(true)
    }
}

/// What a relationship has earned.
pub async fn find(
    db: &Database,
    (merchant, relationship): (MerchantId, RelationshipId),
) -> Result<Earnings, Error> {
    let db = db.clone();
    owned(async move {
        let scope = ReadScope {
            merchant,
            relationship: Some(relationship),
        };
        let row: Option<Row> = sqlx::query_as(SUMS)
            .bind(merchant.uuid())
            .bind(relationship.uuid())
            .fetch_optional(&mut *db.scoped(scope).await?)
            .await?;
        row.map_or_else(|| Ok(Earnings::default()), |row| row.earnings())
    })
    .await
}

/// One page of the entries, below the version `before` or from the newest.
pub async fn entries(
    db: &Database,
    (merchant, relationship): (MerchantId, RelationshipId),
    before: Option<i64>,
    limit: u32,
) -> Result<Page<Entry>, Error> {
    let db = db.clone();
    owned(async move {
        let scope = ReadScope {
            merchant,
            relationship: Some(relationship),
        };
        let rows: Vec<EntryRow> = sqlx::query_as(
            "SELECT entry_id, version, kind, amount, total_after, subject_id, created_at
             FROM earning_entries
             WHERE merchant_id = $1 AND relationship_id = $2
               AND ($3::bigint IS NULL OR version < $3)
             ORDER BY relationship_id DESC, version DESC LIMIT $4",
        )
        .bind(merchant.uuid())
        .bind(relationship.uuid())
        .bind(before)
        .bind(page::asked(limit))
        .fetch_all(&mut *db.scoped(scope).await?)
        .await?;
        Page::cut(rows, limit).try_map(Entry::try_from)
    })
    .await
}

impl Row {
    fn earnings(&self) -> Result<Earnings, Error> {
        Ok(Earnings {
            pending: money(self.pending)?,
            approved: money(self.approved)?,
            reversed: money(self.reversed)?,
            paid_out: money(self.paid_out)?,
            open_payouts: money(self.open_payouts)?,
        })
    }
}

#[derive(sqlx::FromRow)]
struct EntryRow {
    entry_id: Uuid,
    version: i64,
    kind: String,
    amount: i64,
    total_after: i64,
    subject_id: Uuid,
    created_at: Timestamp,
}

impl TryFrom<EntryRow> for Entry {
    type Error = Error;

    fn try_from(row: EntryRow) -> Result<Self, Error> {
        Ok(Self {
            id: EarningId::from_uuid(row.entry_id),
            version: row.version,
            kind: named(EntryKind::parse(&row.kind), "earning_entries.kind")?,
            amount: money(row.amount)?,
            total_after: money(row.total_after)?,
            subject: row.subject_id,
            at: row.created_at,
        })
    }
}
