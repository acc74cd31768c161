//! What a reseller or a merchant set about its mails, and mails queued by it.
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

/// What a merchant set.
pub async fn find_of_merchant(db: &Database, merchant: MerchantId) -> Result<Settings, Error> {
    let db = db.clone();
    owned(async move { of_merchant(&mut *db.read().await?, merchant).await }).await
}

pub(super) async fn find_in(
    connection: &mut PgConnection,
    relationship: RelationshipId,
) -> Result<Settings, Error> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT switched_off, recipients FROM notification_settings WHERE relationship_id = $1",
    )
    .bind(relationship.uuid())
    .fetch_optional(connection)
    .await?;
    row.map_or_else(|| Ok(Settings::default()), settings)
}

pub(super) async fn of_merchant(
    connection: &mut PgConnection,
    merchant: MerchantId,
) -> Result<Settings, Error> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT switched_off, recipients FROM merchant_notification_settings
         WHERE merchant_id = $1",
    )
    .bind(merchant.uuid())
    .fetch_optional(connection)
    .await?;
    row.map_or_else(|| Ok(Settings::default()), settings)
}

/// What is switched off, and who gets copies.
type Row = (Vec<String>, Vec<String>);

fn settings((off, recipients): Row) -> Result<Settings, Error> {
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

fn row(settings: &Settings) -> Row {
    let recipients = settings.recipients().iter();
    (
        settings
            .off()
            .map(|group| group.name().to_owned())
            .collect(),
        recipients.map(|email| email.as_str().to_owned()).collect(),
    )
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
        let (off, recipients) = row(&settings);
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
        note(&mut tx, merchant, relationship.to_string(), (actor, now)).await?;
        commit(tx).await
    })
    .await
}

/// Saves these in the place of what the merchant set.
pub async fn save_of_merchant(
    db: &Database,
    merchant: MerchantId,
    settings: Settings,
    (actor, now): (Actor, Timestamp),
) -> Result<(), Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let (off, recipients) = row(&settings);
        let mut tx = db.begin().await?;
        sqlx::query(
            "INSERT INTO merchant_notification_settings AS s
               (merchant_id, switched_off, recipients, updated_at)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT ON CONSTRAINT merchant_notification_settings_pkey
               DO UPDATE SET switched_off = EXCLUDED.switched_off,
                 recipients = EXCLUDED.recipients, updated_at = EXCLUDED.updated_at",
        )
        .bind(merchant.uuid())
        .bind(off)
        .bind(recipients)
        .bind(now)
        .execute(&mut *tx)
        .await?;
        note(&mut tx, merchant, merchant.to_string(), (actor, now)).await?;
        commit(tx).await
    })
    .await
}

async fn note(
    connection: &mut PgConnection,
    merchant: MerchantId,
    target: String,
    (actor, at): (Actor, Timestamp),
) -> Result<(), Error> {
    let deed = Deed {
        actor,
        action: "notifications.settings".to_owned(),
        target,
        before: None,
        after: None,
        at,
    };
    audit::append(connection, merchant, deed).await
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
