//! A new key.

use engine::{
    api_keys::{KeyText, Scope, Scopes},
    clock::Timestamp,
    ids::RelationshipId,
    money::Money,
    relationships::KeyTerms,
    vault::{Opened, Sealed, Vault},
};
use sqlx::PgConnection;

use super::KeyScope;
use crate::{Database, Error, database::commit, owned};

/// What is to be stored of a key; of its text only a digest is.
#[derive(Debug, Clone)]
pub struct NewKey {
    pub text: KeyText,
    pub name: String,
    pub scopes: Scopes,
    pub terms: KeyTerms,
    /// CIDR blocks; empty: from anywhere.
    pub ip_allow_list: Vec<String>,
    pub rate_limit_per_second: Option<u32>,
    pub expires_at: Option<Timestamp>,
    /// Needed by a key that may use dynamic URLs, which also needs a daily cap.
    pub url_secret: Option<Opened>,
}

impl NewKey {
    /// A key without bounds beyond its scopes.
    pub fn plain(text: KeyText, name: &str, scopes: Scopes) -> Self {
        Self {
            text,
            name: name.to_owned(),
            scopes,
            terms: KeyTerms::default(),
            ip_allow_list: Vec::new(),
            rate_limit_per_second: None,
            expires_at: None,
            url_secret: None,
        }
    }
}

/// Stores a key and raises the version of its relationship. False if the relationship is none of this
/// merchant's.
pub async fn insert(
    db: &Database,
    scope: KeyScope,
    key: NewKey,
    vault: &Vault,
    now: Timestamp,
) -> Result<bool, Error> {
    let (db, vault) = (db.clone(), vault.clone());
    owned(async move {
        let mut tx = db.begin().await?;
        if let Some(relationship) = scope.relationship {
            let raised = sqlx::query(
                "UPDATE relationships SET version = version + 1, updated_at = $3
                 WHERE merchant_id = $1 AND relationship_id = $2",
            )
            .bind(scope.merchant.uuid())
            .bind(relationship.uuid())
            .bind(now)
            .execute(&mut *tx)
            .await?;
            if raised.rows_affected() == 0 {
                return Ok(false);
            }
        }
        insert_in(&mut tx, scope, &key, &vault, now).await?;
        commit(tx).await?;
        Ok(true)
    })
    .await
}

/// Stores a key within a transaction that also raises the version, or makes the relationship.
pub(crate) async fn insert_in(
    connection: &mut PgConnection,
    scope: KeyScope,
    key: &NewKey,
    vault: &Vault,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let id = key.text.id;
    let digest = vault.key_digest(key.text.kind.prefix(), id, key.text.secret.expose());
    let url_secret = key
        .url_secret
        .as_ref()
        .map(|text| vault.seal_url_secret(id, text.expose()));
    let scopes: Vec<_> = key.scopes.iter().map(Scope::name).collect();
    let products: Vec<_> = key
        .terms
        .products
        .iter()
        .map(|product| product.uuid())
        .collect();
    sqlx::query(
        "INSERT INTO api_keys (key_id, merchant_id, relationship_id, test, name, last4, digest,
           scopes, product_ids, max_quantity, daily_spend_cap, ip_allow_list,
           rate_limit_per_second, url_secret, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
    )
    .bind(id.uuid())
    .bind(scope.merchant.uuid())
    .bind(scope.relationship.map(RelationshipId::uuid))
    .bind(key.text.test)
    .bind(&key.name)
    .bind(key.text.last4())
    .bind(&digest[..])
    .bind(scopes)
    .bind(products)
    .bind(key.terms.max_quantity.map(i64::from))
    .bind(key.terms.daily_spend_cap.map(Money::minor))
    .bind(&key.ip_allow_list)
    .bind(key.rate_limit_per_second.map(i64::from))
    .bind(url_secret.as_ref().map(Sealed::as_bytes))
    .bind(now)
    .bind(key.expires_at)
    .execute(connection)
    .await
    .map(drop)
}
