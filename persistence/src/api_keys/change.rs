//! An owner changes what a key may do.

use engine::{
    api_keys::{Scope, Scopes, State, check},
    audit::Actor,
    catalog::Edit,
    clock::Timestamp,
    ids::{KeyId, ProductId},
    money::Money,
};
use sqlx::PgConnection;

use super::{Changed, KeyScope, Refusal, StoredKey, owner};
use crate::{
    Database, Error, database::commit, error::exactly_one, owned, relationships::rows::kept,
};

/// What is to be different; what is not named stays.
#[derive(Debug, Clone, Default)]
pub struct KeyEdit {
    pub name: Option<String>,
    pub scopes: Option<Scopes>,
    /// Empty: all that the relationship may buy.
    pub products: Option<Vec<ProductId>>,
    pub max_quantity: Edit<u32>,
    /// CIDR blocks; empty: from anywhere.
    pub ip_allow_list: Option<Vec<String>>,
    pub daily_spend_cap: Edit<Money>,
    pub rate_limit_per_second: Edit<u32>,
    pub expires_at: Edit<Timestamp>,
}

/// Changes a key of this scope; none if there is no such key.
pub async fn change(
    db: &Database,
    (scope, actor): (KeyScope, Actor),
    id: KeyId,
    edit: KeyEdit,
    now: Timestamp,
) -> Result<Option<Result<Changed, Refusal>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let owner = owner::lock(&mut tx, scope).await?;
        let Some(key) = owner::lock_key(&mut tx, scope, id).await? else {
            return Ok(None);
        };
        let holder = match owner {
            None => return Ok(None),
            Some(Err(refusal)) => return Ok(Some(Err(refusal))),
            Some(Ok(holder)) => holder,
        };
        match key.key.state(now) {
            State::Active | State::Retiring => {}
            over => return Ok(Some(Err(Refusal::Ended(over)))),
        }
        let key = edit.applied(key);
        let (cap, end) = (key.terms.daily_spend_cap, key.key.expires_at);
        if let Err(unfit) = check(holder, key.key.scopes, cap, end, now) {
            return Ok(Some(Err(Refusal::Unfit(unfit))));
        }
        if key.key.scopes.has(Scope::DynamicWrite) && key.key.url_secret.is_none() {
            return Ok(Some(Err(Refusal::NoUrlSecret)));
        }
        let unknown = owner::unknown_product(&mut tx, scope, &key.terms.products).await?;
        if let Some(product) = unknown {
            return Ok(Some(Err(Refusal::UnknownProduct(product))));
        }
        let before = owner::digest(&mut tx, id).await?;
        store(&mut tx, &key).await?;
        owner::raise_version(&mut tx, scope, now).await?;
        let balances = owner::balances(&mut tx, scope).await?;
        owner::tell(&mut tx, scope, (actor, "key.update", id), Some(before), now).await?;
        let changed = Changed::read(&mut tx, scope, id, balances).await?;
        commit(tx).await?;
        Ok(Some(Ok(changed)))
    })
    .await
}

async fn store(connection: &mut PgConnection, stored: &StoredKey) -> Result<(), Error> {
    let (key, terms) = (&stored.key, &stored.terms);
    let scopes: Vec<_> = key.scopes.iter().map(Scope::name).collect();
    let products: Vec<_> = terms.products.iter().map(|id| id.uuid()).collect();
    let nets: Vec<_> = key.ip_allow_list.iter().map(ToString::to_string).collect();
    // Another end is announced anew.
    let done = sqlx::query(
        "UPDATE api_keys SET name = $2, scopes = $3, product_ids = $4, max_quantity = $5,
           daily_spend_cap = $6, ip_allow_list = $7, rate_limit_per_second = $8,
           expiry_told_at = CASE WHEN expires_at IS DISTINCT FROM $9 THEN NULL
                            ELSE expiry_told_at END,
           expires_at = $9
         WHERE key_id = $1",
    )
    .bind(key.id.uuid())
    .bind(&key.name)
    .bind(scopes)
    .bind(products)
    .bind(terms.max_quantity.map(i64::from))
    .bind(terms.daily_spend_cap.map(Money::minor))
    .bind(nets)
    .bind(key.rate_limit_per_second.map(i64::from))
    .bind(key.expires_at)
    .execute(connection)
    .await?;
    exactly_one(&done, "a locked key")
}

impl KeyEdit {
    fn applied(self, mut stored: StoredKey) -> StoredKey {
        let (key, terms) = (&mut stored.key, &mut stored.terms);
        if let Some(name) = self.name {
            key.name = name;
        }
        if let Some(scopes) = self.scopes {
            key.scopes = scopes;
        }
        if let Some(products) = self.products {
            terms.products = products;
        }
        if let Some(nets) = self.ip_allow_list {
            key.ip_allow_list = nets.iter().filter_map(|net| net.parse().ok()).collect();
        }
        self.max_quantity.apply(&mut terms.max_quantity);
        self.daily_spend_cap.apply(&mut terms.daily_spend_cap);
        self.rate_limit_per_second
            .apply(&mut key.rate_limit_per_second);
        self.expires_at.apply(&mut key.expires_at);
        stored
    }
}
