//! Which mails a reseller gets: what it set, and mails queued by it.
//!
//! Keeps: a mail that can be switched off goes through [`tell`], so that it is not sent to who does not want
//! it, and copies go out with it or not at all.

use std::collections::BTreeSet;

use engine::{
    audit::{Actor, Deed},
    clock::Timestamp,
    fulfillments::Email,
    ids::{MailId, MerchantId, RelationshipId},
    notifications::{Group, Settings},
    relationships::RelationshipScope,
    vault::Vault,
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Database, Error, audit,
    database::commit,
    mail::{self, Letter, Post},
    owned,
    relationships::rows::{kept, named},
};

/// What a relationship's reseller set.
pub async fn find(db: &Database, scope: RelationshipScope) -> Result<Settings, Error> {
    let db = db.clone();
    owned(async move { find_in(&mut *db.read().await?, scope.relationship).await }).await
}

async fn find_in(
    connection: &mut PgConnection,
    relationship: RelationshipId,
) -> Result<Settings, Error> {
    let row: Option<(Vec<String>, Vec<String>)> = sqlx::query_as(
        "SELECT switched_off, recipients FROM notification_settings WHERE relationship_id = $1",
    )
    .bind(relationship.uuid())
    .fetch_optional(connection)
    .await?;
    let Some((off, recipients)) = row else {
        return Ok(Settings::default());
    };
    let off = off
        .iter()
        .map(|name| named(Group::parse(name), "notification_settings.off"));
    let recipients = recipients.iter().map(|text| {
        let email = Email::parse(text);
        named(email, "notification_settings.recipients")
    });
    let off: BTreeSet<_> = off.collect::<Result<_, _>>()?;
    let settings = Settings::new(off, recipients.collect::<Result<_, _>>()?);
    settings.map_err(|_| Error::Inconsistent {
        what: "settings of mails that cannot be set",
    })
}

/// Saves these in the place of what was set.
pub async fn save(
    db: &Database,
    (merchant, relationship): (MerchantId, RelationshipId),
    settings: Settings,
    (actor, now): (Actor, Timestamp),
) -> Result<(), Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let off: Vec<_> = settings.off().map(Group::name).collect();
        let recipients = settings.recipients().iter();
        let recipients: Vec<_> = recipients.map(Email::as_str).collect();
        let mut tx = db.begin().await?;
        sqlx::query(
            "INSERT INTO notification_settings AS s
               (relationship_id, merchant_id, switched_off, recipients, updated_at)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT ON CONSTRAINT notification_settings_pkey
               DO UPDATE SET switched_off = EXCLUDED.switched_off,
                 recipients = EXCLUDED.recipients, updated_at = EXCLUDED.updated_at",
        )
        .bind(relationship.uuid())
        .bind(merchant.uuid())
        .bind(off)
        .bind(recipients)
        .bind(now)
        .execute(&mut *tx)
        .await?;
        let deed = Deed {
            actor,
            action: "notifications.settings".to_owned(),
            target: relationship.to_string(),
            before: None,
            after: None,
            at: now,
        };
        audit::append(&mut tx, merchant, deed).await?;
        commit(tx).await
    })
    .await
}

/// Queues a mail about something that its reseller may not want to hear of, and its copies.
pub(crate) async fn tell(
    connection: &mut PgConnection,
    vault: &Vault,
    (relationship, group, kind): (RelationshipId, Group, &'static str),
    post: &Post,
    now: Timestamp,
) -> Result<(), Error> {
    let settings = find_in(connection, relationship).await?;
    if !settings.wants(group) {
        return Ok(());
    }
    mail::queue(connection, vault, (post.id, kind), &post.letter, now).await?;
    for (place, email) in (1_u128..).zip(settings.recipients()) {
        let copy = Letter {
            to: email.as_str().to_owned(),
            ..post.letter.clone()
        };
        // Beside the first one's id, which is random in its last bits.
        let id = MailId::from_uuid(Uuid::from_u128(post.id.uuid().as_u128() ^ place));
        mail::queue(connection, vault, (id, kind), &copy, now).await?;
    }
    Ok(())
}
