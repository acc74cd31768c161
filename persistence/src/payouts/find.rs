//! One payout.

use engine::{
    ids::{MerchantId, PayoutId, RelationshipId},
    payouts::Payout,
};

use super::rows;
use crate::{Database, Error, owned};

/// A payout of this relationship.
pub async fn find(
    db: &Database,
    of: (MerchantId, RelationshipId),
    id: PayoutId,
) -> Result<Option<Payout>, Error> {
    let db = db.clone();
    owned(async move { rows::find(&mut *db.read().await?, of, id).await }).await
}
