//! A key was sent where others read it: whoever it belongs to hears of it.

use engine::{
    clock::Timestamp,
    events::Fact,
    ids::{KeyId, MerchantId, RelationshipId},
};

use crate::{Database, Error, database::commit, events::outbox, owned};

/// Tells that a key was sent in an address.
pub async fn tell_exposed(
    db: &Database,
    (merchant, relationship): (MerchantId, Option<RelationshipId>),
    key: KeyId,
    now: Timestamp,
) -> Result<(), Error> {
    let db = db.clone();
    owned(async move {
        let fact = Fact::KeyExposed {
            key: key.uuid(),
            relationship: relationship.map(RelationshipId::uuid),
        };
        let mut tx = db.begin().await?;
        outbox::tell(&mut tx, (merchant, relationship), &fact, now).await?;
        commit(tx).await
    })
    .await
}
