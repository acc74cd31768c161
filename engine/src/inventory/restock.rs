//! A stored import goes on sale: numbered by its product's lane, then known to its actor.

use super::{Inventory, Restock, messages::Restocked};
use crate::{
    actors::ask::ask,
    fault::Fault,
    journal::{Lanes, RestockIntent, Verdict},
    vault::MerchantKey,
};

/// Numbers the import, and returns when its serials can be claimed. Repeating it is harmless.
pub(crate) async fn restock(
    inventory: &Inventory,
    lanes: &Lanes,
    restock: Restock,
    key: &MerchantKey,
) -> Result<(), Fault> {
    match lanes.restock(RestockIntent { restock }, restock.sku).await {
        Verdict::Committed(..) | Verdict::Duplicate(_) => {}
        Verdict::Aborted(_, fault) => return Err(fault),
        Verdict::Disowned => return Err(Fault::OutcomeUnknown),
    }
    loop {
        let handle = inventory.handle(restock.sku, key).await?;
        match ask(&handle.actor, |reply| Restocked { reply }).await {
            Ok(()) => return Ok(()),
            Err(_) => inventory.registry.bury(restock.sku, &handle),
        }
    }
}
