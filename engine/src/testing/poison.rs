//! Ends actors of a running engine, as a broken promise would: the handler panics.

use crate::{
    actors::{Poison, ask::tell},
    catalog::Sku,
    engine::Engine,
    ids::MerchantId,
    relationships::RelationshipScope,
};

/// The balance's actor panics, if the engine can be asked for it.
pub async fn balance(engine: &Engine, scope: RelationshipScope) {
    let balances = &engine.fulfiller().balances;
    if let Ok(handle) = balances.handle(scope.balance, scope.relationship).await {
        tell(&handle.actor, Poison);
    }
}

/// The sku's actor panics, if the engine can be asked for it.
pub async fn shelf(engine: &Engine, merchant: MerchantId, sku: Sku) {
    let Ok(Some(merchant)) = engine.merchant(merchant).await else {
        return;
    };
    let inventory = &engine.fulfiller().inventory;
    if let Ok(handle) = inventory.handle(sku, &merchant.key).await {
        tell(&handle.actor, Poison);
    }
}
