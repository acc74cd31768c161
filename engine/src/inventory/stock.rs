//! How many serials there are: counted, never a number kept by hand. A shelf that serves no more has
//! stock that nobody can have.

use super::{Inventory, messages::Read};
use crate::{actors::ask::ask, catalog::Sku, engine::Stock, fault::Fault, vault::MerchantKey};

/// What the actor has in its window, and what storage has beyond it.
pub(crate) async fn stock(
    inventory: &Inventory,
    sku: Sku,
    key: &MerchantKey,
) -> Result<Stock, Fault> {
    let shelf = loop {
        let handle = match inventory.handle(sku, key).await {
            Ok(handle) => handle,
            Err(_) if inventory.registry.is_quarantined(&sku) => {
                let stock = inventory.source.count(sku, None).await?;
                return Ok(Stock {
                    stock,
                    available: 0,
                });
            }
            Err(fault) => return Err(fault),
        };
        match ask(&handle.actor, |reply| Read { reply }).await {
            Ok(shelf) => break shelf,
            Err(_) => inventory.registry.bury(sku, &handle),
        }
    };
    // The actor serves from its window only: beyond the cursor nothing changes but by an import or a
    // withdrawal.
    let beyond = inventory.source.count(sku, shelf.cursor).await?;
    let stock = beyond + (shelf.in_window + shelf.held - shelf.held_beyond) as u64;
    Ok(Stock {
        stock,
        available: stock.saturating_sub((shelf.held + shelf.reserved) as u64),
    })
}
