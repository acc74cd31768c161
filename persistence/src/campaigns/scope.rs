//! What a campaign is to be limited to, looked up.

use std::collections::BTreeMap;

use engine::{
    campaigns::Scope,
    ids::{MerchantId, ProductId, VariantId},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::NotChanged;
use crate::Error;

/// Products and variants as a caller names them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    pub products: Vec<ProductId>,
    pub variants: Vec<VariantId>,
}

/// The scope, or the first that this merchant does not sell.
pub(super) async fn known(
    connection: &mut PgConnection,
    merchant: MerchantId,
    named: Named,
) -> Result<Result<Scope, NotChanged>, Error> {
    let products: Vec<Uuid> = sqlx::query_scalar(
        "SELECT product_id FROM products
         WHERE merchant_id = $1 AND product_id = ANY ($2) AND status <> 'ARCHIVED'",
    )
    .bind(merchant.uuid())
    .bind(uuids(&named.products, ProductId::uuid))
    .fetch_all(&mut *connection)
    .await?;
    let variants = of_variants(connection, merchant, &named.variants).await?;
    let missing = |id: &&ProductId| !products.contains(&id.uuid());
    if let Some(product) = named.products.iter().find(missing) {
        return Ok(Err(NotChanged::UnknownProduct(*product)));
    }
    let missing = |id: &&VariantId| !variants.contains_key(*id);
    if let Some(variant) = named.variants.iter().find(missing) {
        return Ok(Err(NotChanged::UnknownVariant(*variant)));
    }
    Ok(Ok(Scope {
        products: named.products.into_iter().collect(),
        variants,
    }))
}

/// The products of these variants of a merchant, as far as they are sold.
pub(super) async fn of_variants(
    connection: &mut PgConnection,
    merchant: MerchantId,
    variants: &[VariantId],
) -> Result<BTreeMap<VariantId, ProductId>, Error> {
    let found: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "SELECT v.variant_id, v.product_id FROM variants AS v
         JOIN products AS p ON p.product_id = v.product_id
         WHERE p.merchant_id = $1 AND v.variant_id = ANY ($2) AND p.status <> 'ARCHIVED'",
    )
    .bind(merchant.uuid())
    .bind(uuids(variants, VariantId::uuid))
    .fetch_all(connection)
    .await?;
    let pairs = found.into_iter();
    Ok(pairs
        .map(|(variant, product)| {
            let variant = VariantId::from_uuid(variant);
            (variant, ProductId::from_uuid(product))
        })
        .collect())
}

pub(super) fn uuids<Id: Copy>(ids: &[Id], uuid: impl Fn(Id) -> Uuid) -> Vec<Uuid> {
    ids.iter().map(|id| uuid(*id)).collect()
}
