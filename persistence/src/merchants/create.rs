//! A merchant is made, with its program and its first owner.

use engine::{
    audit::{Actor, Deed},
    clock::Timestamp,
    ids::MerchantId,
    money::Currency,
    vault::Vault,
};

use crate::{
    Database, Error, audit,
    database::commit,
    members::{self, NewMember},
    owned,
    relationships::rows::kept,
};

/// Merchants are spread over so many buckets.
const BUCKETS: u128 = 1024;

/// A tenant that is to be made.
pub struct NewMerchant {
    pub id: MerchantId,
    pub name: String,
    pub currency: Currency,
    /// Its first owner.
    pub owner: NewMember,
}

/// Makes a merchant with its owner. Its program is switched off until the owner switches it on.
pub async fn create(
    db: &Database,
    vault: &Vault,
    new: NewMerchant,
    actor: Actor,
    now: Timestamp,
) -> Result<(), Error> {
    let (db, vault, now) = (db.clone(), vault.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let bucket = i16::try_from(new.id.uuid().as_u128() % BUCKETS).expect("below 1024");
        sqlx::query(
            "INSERT INTO merchants (merchant_id, bucket, name, currency, data_key, created_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(new.id.uuid())
        .bind(bucket)
        .bind(&new.name)
        .bind(new.currency.code())
        .bind(vault.generate_merchant_key(new.id).as_bytes())
        .bind(now)
        .execute(&mut *tx)
        .await?;
        sqlx::query("INSERT INTO programs (merchant_id, enabled) VALUES ($1, false)")
            .bind(new.id.uuid())
            .execute(&mut *tx)
            .await?;
        let deed = Deed {
            actor: actor.clone(),
            action: "merchant.create".to_owned(),
            target: new.id.to_string(),
            before: None,
            after: None,
            at: now,
        };
        audit::append(&mut tx, new.id, deed).await?;
        members::add_in(&mut tx, &vault, (new.id, actor), &new.owner, now).await?;
        commit(tx).await
    })
    .await
}
