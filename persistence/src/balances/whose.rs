//! Whose balances are.
//!
//! Keeps: a balance is one relationship's for as long as it is there, and its number is never given again, so what
//! was read once is not read again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use engine::{
    events::Feed,
    ids::{BalanceId, MerchantId, RelationshipId},
};
use uuid::Uuid;

use crate::{Database, Error};

/// So many balances are remembered; beyond that it begins anew.
const REMEMBERED_MAX: usize = 131_072;

/// What was read of balances; cloning shares it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Whose(Arc<Mutex<HashMap<BalanceId, Feed>>>);

/// The relationship of each of these balances; to be called in [`owned`](crate::owned) work only.
pub(crate) async fn whose(
    db: &Database,
    balances: impl IntoIterator<Item = BalanceId>,
) -> Result<HashMap<BalanceId, Feed>, Error> {
    let (mut found, unknown) = db.whose().remembered(balances);
    if unknown.is_empty() {
        return Ok(found);
    }
    let rows: Vec<(i64, Uuid, Uuid, bool)> = sqlx::query_as(
        "SELECT balance_id, merchant_id, relationship_id, test FROM balances
         WHERE balance_id = ANY ($1)",
    )
    .bind(unknown)
    .fetch_all(&mut *db.find().await?)
    .await?;
    let feed = |(balance, merchant, relationship, test)| {
        let feed = Feed {
            merchant: MerchantId::from_uuid(merchant),
            relationship: Some(RelationshipId::from_uuid(relationship)),
            test,
        };
        (BalanceId(balance), feed)
    };
    let read: Vec<_> = rows.into_iter().map(feed).collect();
    db.whose().remember(&read);
    found.extend(read);
    Ok(found)
}

impl Whose {
    /// Those that are known, and the others.
    fn remembered(
        &self,
        balances: impl IntoIterator<Item = BalanceId>,
    ) -> (HashMap<BalanceId, Feed>, Vec<i64>) {
        let (mut found, mut unknown) = (HashMap::new(), Vec::new());
        let remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for balance in balances {
            match remembered.get(&balance) {
                Some(feed) => {
                    found.insert(balance, *feed);
                }
                None => unknown.push(balance.0),
            }
        }
        (found, unknown)
    }

    fn remember(&self, read: &[(BalanceId, Feed)]) {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() + read.len() > REMEMBERED_MAX {
            remembered.clear();
        }
        remembered.extend(read.iter().copied());
    }
}
