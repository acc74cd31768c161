//! A reseller asks to be paid: what it asks for is set aside at once.

use std::sync::Arc;

use engine::{
    audit::Actor,
    clock::Timestamp,
    payouts::{Payout, Refusal, Wanted, request as judge},
    random::Random,
    sales::Movement,
    vault::Vault,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    facts,
    rows::{self, Of},
    step::{Letters, Recipients, post, recipients},
};
use crate::{Database, Error, database::commit, owned, relationships::rows::kept, sales::earnings};

/// What is asked for, and the mails that tell of it.
pub struct Requesting {
    pub wanted: Wanted,
    /// What the request is known again by: the same one makes one payout.
    pub request: Uuid,
    pub letters: Letters,
}

/// What became of it.
pub type Requested = Result<Payout, Refusal>;

/// Stores a payout and sets its amount aside, or says why not; none if there is no such relationship.
pub async fn request(
    db: &Database,
    (vault, random): (&Vault, Arc<dyn Random>),
    requesting: Requesting,
    (actor, now): (Actor, Timestamp),
) -> Result<Option<Requested>, Error> {
    let (db, vault, now) = (db.clone(), vault.clone(), kept(now));
    owned(async move {
        let Requesting {
            wanted,
            request,
            letters,
        } = requesting;
        let mut tx = db.begin().await?;
        let of = (wanted.merchant, wanted.relationship);
        // Whoever asks at the same moment waits here, and finds less.
        let mut account = earnings::lock(&mut tx, of).await?;
        if let Some(known) = rows::find_request(&mut tx, of, request).await? {
            return Ok(Some(Ok(known)));
        }
        let to = Some((wanted.to.network.as_str(), wanted.address.as_str()));
        let available = account.earnings.available();
        let Some(facts) = facts::facts(&mut tx, of, (available, now), to).await? else {
            return Ok(None);
        };
        let is_new = facts.address_since.is_none();
        let payout = match judge(&facts, wanted, now) {
            Ok(payout) => payout,
            Err(refusal) => return Ok(Some(Err(refusal))),
        };
        let reserved = Movement::Reserved(payout.amount);
        let what = (payout.id.uuid(), &*random);
        if !account.store(&mut tx, reserved, what, now).await? {
            return Err(Error::Inconsistent {
                what: "the earnings that a payout is taken from",
            });
        }
        rows::insert(&mut tx, &payout, request).await?;
        if is_new {
            know(&mut tx, of, &payout, now).await?;
        }
        let whom: Recipients = recipients(&mut tx, of).await?;
        post(&mut tx, &vault, letters(&payout, &whom, is_new), now).await?;
        rows::tell(&mut tx, &payout, "payout.request", None, (actor, now)).await?;
        commit(tx).await?;
        Ok(Some(Ok(payout)))
    })
    .await
}

/// From now on the address is known.
async fn know(
    connection: &mut PgConnection,
    (_, relationship): Of,
    payout: &Payout,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO payout_addresses (relationship_id, network, address, created_at)
         VALUES ($1, $2, $3, $4)",
    )
    .bind(relationship.uuid())
    .bind(&payout.to.network)
    .bind(&payout.address)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}
