//! What is to be taken out of balances: for top-ups and purchases whose payments were taken back, and for debts. And
//! what is owed.
//!
//! Keeps: whoever notes what was taken has the balance's row, then the relationship's, then the debt's, in
//! this order. Debt and status change in the transaction that notes what was taken, once.

use engine::{
    audit::Actor,
    balances::EntryKind,
    clock::Timestamp,
    ids::{BalanceId, EntryId, InvoiceId, MerchantId, RelationshipId, StockRequestId},
    money::Money,
    payments::Purpose,
    relationships::{RelationshipScope, Step},
    top_ups::{Debt, Taken},
    vault::Vault,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::rows;
use crate::{
    Database, Error,
    database::commit,
    error::exactly_one,
    fulfillments::rows::money,
    mail::{self, Post},
    owned,
    relationships::{
        rows::{kept, lock, named},
        step::enter,
    },
};

/// Who the audit log says it was.
const JOB: &str = "debt";
/// What the reseller reads.
const REASON: &str =
    "A payment was taken back after its money was spent. Top the balance up to go on.";

/// Money that is to be taken out of a balance, or what there is of it, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taking {
    pub scope: RelationshipScope,
    /// A reversal or a settlement.
    pub kind: EntryKind,
    pub cause: Cause,
    pub reference: String,
    pub amount: Money,
}

/// What money is of that is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// An invoice of which something is reversed, or that settles, and what it is for.
    Invoice(InvoiceId, Purpose),
    /// A purchase that settles. It has an invoice only where a provider tells of payments.
    Purchase(StockRequestId),
}

pub(super) struct Known {
    pub(super) taking: Taking,
    pub(super) taken: bool,
}

#[derive(sqlx::FromRow)]
struct Row {
    balance_id: i64,
    kind: i16,
    reference: String,
    merchant_id: Uuid,
    relationship_id: Uuid,
    invoice_id: Option<Uuid>,
    stock_request_id: Option<Uuid>,
    amount: i64,
    taken: Option<i64>,
    purpose: Option<String>,
}

/// Every column of a taking and the rest of the query, which names it `t`.
macro_rules! select_taking {
    ($rest:literal) => {
        concat!(
            "SELECT t.balance_id, t.kind, t.reference, t.merchant_id, t.relationship_id,
               t.invoice_id, t.stock_request_id, t.amount, t.taken, v.purpose
             FROM takings AS t LEFT JOIN invoices AS v ON v.invoice_id = t.invoice_id ",
            $rest
        )
    };
}

impl Row {
    fn cause(&self) -> Result<Cause, Error> {
        if let Some(id) = self.stock_request_id {
            return Ok(Cause::Purchase(StockRequestId::from_uuid(id)));
        }
        let purpose = self.purpose.as_deref().and_then(Purpose::parse);
        let purpose = named(purpose, "invoices.purpose")?;
        let id = named(self.invoice_id, "takings.invoice_id")?;
        Ok(Cause::Invoice(InvoiceId::from_uuid(id), purpose))
    }
}

impl TryFrom<Row> for Known {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let kind = EntryKind::from_number(row.kind).ok_or(Error::Inconsistent {
            what: "the kind of a taking is not known",
        })?;
        Ok(Self {
            taken: row.taken.is_some(),
            taking: Taking {
                scope: RelationshipScope {
                    merchant: MerchantId::from_uuid(row.merchant_id),
                    relationship: RelationshipId::from_uuid(row.relationship_id),
                    balance: BalanceId(row.balance_id),
                    test: false,
                },
                kind,
                cause: row.cause()?,
                reference: row.reference,
                amount: money(row.amount)?,
            },
        })
    }
}

impl Taking {
    /// What a reference took or takes of a balance.
    pub(super) async fn find(
        connection: &mut PgConnection,
        scope: RelationshipScope,
        kind: EntryKind,
        reference: &str,
    ) -> Result<Option<Known>, Error> {
        let row: Option<Row> = sqlx::query_as(select_taking!(
            "WHERE t.balance_id = $1 AND t.kind = $2 AND t.reference = $3"
        ))
        .bind(scope.balance.0)
        .bind(kind.number())
        .bind(reference)
        .fetch_optional(connection)
        .await?;
        row.map(Known::try_from).transpose()
    }

    pub(crate) async fn insert(
        &self,
        connection: &mut PgConnection,
        note: Option<&str>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let (invoice, purchase) = match self.cause {
            Cause::Invoice(id, _) => (Some(id.uuid()), None),
            Cause::Purchase(id) => (None, Some(id.uuid())),
        };
        sqlx::query(
            "INSERT INTO takings (balance_id, kind, reference, merchant_id, relationship_id,
               invoice_id, amount, note, created_at, stock_request_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(self.scope.balance.0)
        .bind(self.kind.number())
        .bind(&self.reference)
        .bind(self.scope.merchant.uuid())
        .bind(self.scope.relationship.uuid())
        .bind(invoice)
        .bind(self.amount.minor())
        .bind(note)
        .bind(now)
        .bind(purchase)
        .execute(connection)
        .await?;
        Ok(())
    }
}

/// Money that was credited, under the reference of its entry, and what it is of.
pub(crate) struct CreditedMoney {
    pub(crate) reference: String,
    pub(crate) cause: Cause,
    pub(crate) amount: Money,
}

/// What money that was credited settles of the debt, if there is any. The balance's row is locked.
pub(crate) async fn settle(
    connection: &mut PgConnection,
    scope: RelationshipScope,
    credited: CreditedMoney,
    now: Timestamp,
) -> Result<Option<Taking>, Error> {
    let asked: i64 = sqlx::query_scalar(
        "SELECT COALESCE(SUM(amount), 0)::bigint FROM takings
         WHERE balance_id = $1 AND kind = $2 AND taken IS NULL",
    )
    .bind(scope.balance.0)
    .bind(EntryKind::DebtSettlement.number())
    .fetch_one(&mut *connection)
    .await?;
    let share = debt_in(connection, scope.relationship).await?;
    let share = share.share(money(asked)?, credited.amount);
    if share == Money::ZERO {
        return Ok(None);
    }
    let taking = Taking {
        scope,
        kind: EntryKind::DebtSettlement,
        cause: credited.cause,
        reference: credited.reference,
        amount: share,
    };
    taking.insert(connection, None, now).await?;
    Ok(Some(taking))
}

/// Takings from before a time that are not known to be in the ledger.
pub async fn takings_waiting(
    db: &Database,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<Taking>, Error> {
    let db = db.clone();
    owned(async move {
        let rows: Vec<Row> = sqlx::query_as(select_taking!(
            "WHERE t.taken IS NULL AND t.created_at < $1 ORDER BY t.created_at LIMIT $2"
        ))
        .bind(before)
        .bind(i64::from(limit))
        .fetch_all(&mut *db.read().await?)
        .await?;
        let known = rows.into_iter().map(Known::try_from);
        known.map(|known| Ok(known?.taking)).collect()
    })
    .await
}

/// Notes what an entry took, with what follows for debt and status, and a mail if that suspends; the
/// balances to tell of it.
pub async fn taken(
    db: &Database,
    vault: &Vault,
    taking: Taking,
    (amount, entry, post): (Money, EntryId, Option<Post>),
    now: Timestamp,
) -> Result<Vec<BalanceId>, Error> {
    let (db, vault, now) = (db.clone(), vault.clone(), kept(now));
    owned(async move {
        let of = (taking.scope.merchant, taking.scope.relationship);
        let mut tx = db.begin().await?;
        rows::lock_balance(&mut tx, of).await?;
        let relationship = lock(&mut tx, of.0, of.1).await?;
        let relationship = relationship.ok_or(Error::Inconsistent {
            what: "a balance without a relationship",
        })?;
        if !note(&mut tx, &taking, (amount, entry), now).await? {
            // The one who noted it may not have told the balances.
            return crate::relationships::rows::balances(&mut tx, of.1).await;
        }
        let taken = Taken {
            kind: taking.kind,
            asked: taking.amount,
            taken: amount,
        };
        let debt = debt_in(&mut tx, of.1).await?;
        let (debt, step) = debt.after(taken, relationship.status);
        store(&mut tx, of, debt).await?;
        let mut balances = Vec::new();
        if let Some(step) = step {
            if step == Step::Suspend
                && let Some(Post { id, letter }) = &post
            {
                mail::queue(&mut tx, &vault, (*id, "debt"), letter, now).await?;
            }
            let reason = (step == Step::Suspend).then(|| REASON.to_owned());
            let done = (step, reason, Actor::job(JOB));
            balances = enter(&mut tx, relationship, done, now).await?;
        }
        commit(tx).await?;
        Ok(balances)
    })
    .await
}

async fn note(
    connection: &mut PgConnection,
    taking: &Taking,
    (amount, entry): (Money, EntryId),
    now: Timestamp,
) -> Result<bool, Error> {
    let noted = sqlx::query(
        "UPDATE takings SET taken = $4, entry_id = $5, taken_at = $6
         WHERE balance_id = $1 AND kind = $2 AND reference = $3 AND taken IS NULL",
    )
    .bind(taking.scope.balance.0)
    .bind(taking.kind.number())
    .bind(&taking.reference)
    .bind(amount.minor())
    .bind(entry.uuid())
    .bind(now)
    .execute(connection)
    .await?;
    crate::error::at_most_one(&noted, "what was taken")
}

/// What a relationship owes.
pub async fn debt(db: &Database, scope: RelationshipScope) -> Result<Money, Error> {
    if scope.test {
        return Ok(Money::ZERO);
    }
    let db = db.clone();
    owned(async move {
        let mut connection = db.scoped(scope.into()).await?;
        Ok(debt_in(&mut connection, scope.relationship).await?.amount)
    })
    .await
}

async fn debt_in(
    connection: &mut PgConnection,
    relationship: RelationshipId,
) -> Result<Debt, Error> {
    let found: Option<(i64, bool)> =
        sqlx::query_as("SELECT amount, suspended FROM debts WHERE relationship_id = $1")
            .bind(relationship.uuid())
            .fetch_optional(connection)
            .await?;
    let (amount, suspended) = found.unwrap_or_default();
    Ok(Debt {
        amount: money(amount)?,
        suspended,
    })
}

async fn store(
    connection: &mut PgConnection,
    (merchant, relationship): rows::Of,
    debt: Debt,
) -> Result<(), Error> {
    let stored = sqlx::query(
        "INSERT INTO debts AS d (relationship_id, merchant_id, amount, suspended)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT ON CONSTRAINT debts_pkey
           DO UPDATE SET amount = EXCLUDED.amount, suspended = EXCLUDED.suspended",
    )
    .bind(relationship.uuid())
    .bind(merchant.uuid())
    .bind(debt.amount.minor())
    .bind(debt.suspended)
    .execute(connection)
    .await?;
    exactly_one(&stored, "a debt")
}
