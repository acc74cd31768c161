//! What orders are judged by, and how a change of it comes into force.

use std::sync::Arc;

use super::Engine;
use crate::{
    actors::ask::ask,
    balances::messages::TermsChanged,
    catalog::Product,
    fault::Fault,
    ids::{BalanceId, MerchantId, ProductId, RelationshipId},
    merchants::Merchant,
    relationships::Terms,
};

impl Engine {
    pub async fn merchant(&self, id: MerchantId) -> Result<Option<Arc<Merchant>>, Fault> {
        self.0.fulfiller.snapshots.merchant(id).await
    }

    pub async fn product(&self, id: ProductId) -> Result<Option<Arc<Product>>, Fault> {
        self.0.fulfiller.snapshots.product(id).await
    }

    pub async fn terms(&self, id: RelationshipId) -> Result<Option<Arc<Terms>>, Fault> {
        self.0.fulfiller.snapshots.terms(id).await
    }

    /// Takes changed terms (status, access, limits, keys) into force. Once it returns, nothing is
    /// accepted under the old ones; what was accepted before may finish. An error means that it is not
    /// known to be in force: tell it again.
    pub async fn terms_changed(
        &self,
        id: RelationshipId,
        balances: &[BalanceId],
    ) -> Result<(), Fault> {
        if crate::sabotage::breaks("revoke_in_cache_only") {
            return Ok(());
        }
        let terms = self.0.fulfiller.snapshots.refresh_terms(id).await?;
        let terms = terms.ok_or(Fault::Aborted {
            reason: "no such relationship",
        })?;
        let mut told = Ok(());
        for &balance in balances {
            // One that cannot be told is no reason not to tell the others.
            let this = self.tell_terms(balance, &terms).await;
            told = told.and(this);
        }
        told?;
        self.still_owner().await
    }

    /// Takes a stored change of a product (price, status, title, quantities, variants) into force. Once it
    /// returns, nothing is accepted under the old one; what was accepted before may finish. An error
    /// means that it is not known to be in force: tell it again.
    pub async fn product_changed(&self, id: ProductId) -> Result<(), Fault> {
        self.0.fulfiller.snapshots.product_changed(id);
        self.still_owner().await
    }

    /// Takes a stored change of a merchant's program into force, for all its relationships. Once it
    /// returns, nothing is accepted under the old one; what was accepted before may finish. An error
    /// means that it is not known to be in force: tell it again.
    pub async fn program_changed(&self, merchant: MerchantId) -> Result<(), Fault> {
        self.0.fulfiller.snapshots.program_changed(merchant).await;
        self.still_owner().await
    }

    async fn tell_terms(&self, balance: BalanceId, terms: &Arc<Terms>) -> Result<(), Fault> {
        let balances = &self.0.fulfiller.balances;
        loop {
            let handle = match balances.handle(balance, terms.relationship).await {
                Ok(handle) => handle,
                // It accepts nothing at all, and whoever serves it again begins with what is stored.
                Err(_) if balances.registry.is_quarantined(&balance) => return Ok(()),
                Err(fault) => return Err(fault),
            };
            let told = Arc::clone(terms);
            match ask(&handle.actor, |reply| TermsChanged { terms: told, reply }).await {
                Ok(()) => return Ok(()),
                // Its successor may have been loaded by a request under the old terms.
                Err(_) => self.bury(balance, &handle),
            }
        }
    }
}
