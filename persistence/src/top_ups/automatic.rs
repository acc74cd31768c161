//! Automatic top-ups: whether one is due is decided under the lock of its balance, from what is stored.
//!
//! Keeps: nobody is asked how one is to be paid that is not due or may not be opened ([`may_open_automatic`]);
//! [`open_automatic`] judges both again.

use engine::{
    audit::Actor,
    clock::Timestamp,
    ids::BalanceId,
    notifications::Group,
    payments::{Invoice, Origin},
    relationships::RelationshipScope,
    top_ups::{Automatic, Ended, History, Standing, may_open, open},
    vault::Vault,
};
use sqlx::PgConnection;

use super::{
    Opening,
    open::{facts, is_current, store},
    rows::{self, Of, topped_up},
    settings,
};
use crate::{
    Database, Error,
    database::commit,
    error::exactly_one,
    fulfillments::rows::money,
    notifications, owned,
    relationships::rows::{kept, named},
};

/// Who the audit log says it was.
const JOB: &str = "automatic top-up";

/// Whether an automatic invoice is due that is as it was set, and may be opened: to be asked before the provider is.
pub async fn may_open_automatic(
    db: &Database,
    scope: RelationshipScope,
    set: &Automatic,
    now: Timestamp,
) -> Result<bool, Error> {
    let (db, set, now) = (db.clone(), set.clone(), kept(now));
    owned(async move {
        let of = (scope.merchant, scope.relationship);
        let mut connection = db.read().await?;
        let standing = standing(&mut connection, of, scope.balance).await?;
        let due = standing.filter(|standing| standing.automatic == set && standing.is_due(now));
        if due.is_none() {
            return Ok(false);
        }
        let facts = facts(&mut connection, of, Some(&set.coin), now).await?;
        Ok(may_open(&facts, Origin::Auto, set.amount).is_ok())
    })
    .await
}

/// Opens an automatic invoice if one is due, as it is wanted, and may be opened.
pub async fn open_automatic(
    db: &Database,
    vault: &Vault,
    opening: Opening,
    now: Timestamp,
) -> Result<Option<Invoice>, Error> {
    let (db, vault, now) = (db.clone(), vault.clone(), kept(now));
    owned(async move {
        let Opening {
            wanted,
            method,
            request,
            announce,
        } = opening;
        let of = (wanted.merchant, wanted.relationship);
        let mut tx = db.begin().await?;
        let Some(balance) = rows::lock_balance(&mut tx, of).await? else {
            return Ok(None);
        };
        let Some(standing) = standing(&mut tx, of, balance).await? else {
            return Ok(None);
        };
        let set = &standing.automatic;
        let as_set = (&set.amount, &set.coin) == (&wanted.amount, &wanted.coin);
        if !as_set || !standing.is_due(now) || !is_current(&mut tx, of.0, &method).await? {
            return Ok(None);
        }
        let facts = facts(&mut tx, of, Some(&wanted.coin), now).await?;
        let Ok(invoice) = open(&facts, wanted, now) else {
            return Ok(None);
        };
        let opened = (invoice, &method.access);
        let invoice = store(&mut tx, opened, (request, Actor::job(JOB)), now).await?;
        if let Some(announce) = announce {
            let (post, about) = (announce(&invoice), (of.1, Group::TopUp, "top-up"));
            notifications::tell(&mut tx, &vault, about, &post, now).await?;
        }
        commit(tx).await?;
        Ok(Some(invoice))
    })
    .await
}

#[derive(sqlx::FromRow)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a row has the columns of its query"
)]
struct Row {
    auto_enabled: bool,
    auto_threshold: Option<i64>,
    auto_amount: Option<i64>,
    auto_coin: Option<String>,
    auto_expired: i32,
    auto_paused: bool,
    auto_not_before: Option<Timestamp>,
    balance_after: Option<i64>,
    debited_since: bool,
    waits: bool,
    arriving: bool,
}

/// As it stays, if the caller has the lock of the balance.
async fn standing(
    connection: &mut PgConnection,
    (_, relationship): Of,
    balance: BalanceId,
) -> Result<Option<Standing>, Error> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT s.auto_enabled, s.auto_threshold, s.auto_amount, s.auto_coin, s.auto_expired,
           s.auto_paused, s.auto_not_before,
           (SELECT e.balance_after FROM ledger_entries AS e WHERE e.balance_id = $2
            ORDER BY e.version DESC LIMIT 1) AS balance_after,
           EXISTS (SELECT FROM ledger_entries AS e
                   WHERE e.balance_id = $2 AND e.version > s.auto_version AND e.amount < 0)
             AS debited_since,
           EXISTS (SELECT FROM invoices AS i
                   WHERE i.relationship_id = $1 AND i.origin = 'AUTO'
                     AND i.status IN ('OPEN', 'CONFIRMING')) AS waits,
           EXISTS (SELECT FROM invoices AS i
                   WHERE i.relationship_id = $1 AND i.purpose = 'TOP_UP'
                     AND i.status IN ('CONFIRMING', 'PAID')) AS arriving
         FROM balance_settings AS s WHERE s.relationship_id = $1",
    )
    .bind(relationship.uuid())
    .bind(balance.0)
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let amounts = (row.auto_threshold, row.auto_amount);
    let automatic = settings::automatic(row.auto_enabled, amounts, row.auto_coin)?;
    let expired = u32::try_from(row.auto_expired).ok();
    let history = History {
        expired: named(expired, "balance_settings.auto_expired")?,
        paused: row.auto_paused,
        not_before: row.auto_not_before,
    };
    let balance = money(row.balance_after.unwrap_or_default())?;
    Ok(automatic.map(|automatic| Standing {
        automatic,
        history,
        balance,
        debited_since: row.debited_since,
        waits: row.waits,
        arriving: row.arriving,
    }))
}

/// Notes how an invoice ended, if it was an automatic one; true if that was one too many and no more are
/// opened from now on.
pub(super) async fn ended(
    connection: &mut PgConnection,
    balance: BalanceId,
    invoice: &Invoice,
    (ended, now): (Ended, Timestamp),
) -> Result<bool, Error> {
    let of = (invoice.merchant, topped_up(invoice)?);
    let standing = match invoice.origin {
        Origin::Auto => standing(connection, of, balance).await?,
        Origin::Manual | Origin::Merchant | Origin::Customer => None,
    };
    let Some(Standing { history, .. }) = standing else {
        return Ok(false);
    };
    let next = history.after(ended, now);
    let noted = sqlx::query(
        "UPDATE balance_settings SET auto_expired = $2, auto_paused = $3, auto_not_before = $4,
           auto_version = COALESCE((SELECT e.version FROM ledger_entries AS e
             WHERE e.balance_id = $5 ORDER BY e.version DESC LIMIT 1), 0)
         WHERE relationship_id = $1",
    )
    .bind(of.1.uuid())
    .bind(next.expired.cast_signed())
    .bind(next.paused)
    .bind(next.not_before)
    .bind(balance.0)
    .execute(connection)
    .await?;
    exactly_one(&noted, "the settings of a balance")?;
    Ok(next.paused && !history.paused)
}
