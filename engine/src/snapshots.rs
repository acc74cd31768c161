//! Merchants, terms and products as the hot path sees them: loaded once, shared, versioned.
//!
//! Terms that are older than what a balance's actor has taken over are refused by that actor, and so is
//! a quote that was begun before a change of a product was counted: a stale snapshot costs a second
//! quote and never a wrong sale.

use std::sync::Arc;

use tokio::sync::RwLock;

use crate::{
    actors::{Cached, Changes},
    catalog::{self, Product},
    fault::Fault,
    ids::{MerchantId, ProductId, RelationshipId},
    merchants::{self, Merchant},
    relationships::{self, Terms},
};

/// The snapshots and where they come from.
pub(crate) struct Snapshots {
    merchants: (Cached<MerchantId, Merchant>, Arc<dyn merchants::Source>),
    terms: (
        Cached<RelationshipId, Terms>,
        Arc<dyn relationships::Source>,
    ),
    products: (Cached<ProductId, Product>, Arc<dyn catalog::Source>),
    /// Held by whoever puts terms in place of others, all to itself by a change of a program: terms
    /// that were read before it are in no place after it.
    replacing: RwLock<()>,
    /// Changes of products and of programs.
    pub(crate) changes: Changes,
}

impl Snapshots {
    pub(crate) fn new(
        merchants: Arc<dyn merchants::Source>,
        terms: Arc<dyn relationships::Source>,
        products: Arc<dyn catalog::Source>,
    ) -> Self {
        Self {
            merchants: (Cached::new(), merchants),
            terms: (Cached::new(), terms),
            products: (Cached::new(), products),
            replacing: RwLock::new(()),
            changes: Changes::default(),
        }
    }

    pub(crate) async fn merchant(&self, id: MerchantId) -> Result<Option<Arc<Merchant>>, Fault> {
        let (cached, source) = &self.merchants;
        cached.get(id, async { source.find(id).await }).await
    }

    pub(crate) async fn terms(&self, id: RelationshipId) -> Result<Option<Arc<Terms>>, Fault> {
        let (cached, source) = &self.terms;
        cached.get(id, async { source.find(id).await }).await
    }

    pub(crate) async fn product(&self, id: ProductId) -> Result<Option<Arc<Product>>, Fault> {
        let (cached, source) = &self.products;
        cached.get(id, async { source.find(id).await }).await
    }

    /// Reads terms anew and puts them in place of what was known.
    pub(crate) async fn refresh_terms(
        &self,
        id: RelationshipId,
    ) -> Result<Option<Arc<Terms>>, Fault> {
        let (cached, source) = &self.terms;
        let _replacing = self.replacing.read().await;
        let read = source.find(id).await?;
        // Two may read at once, and the one that read first come last.
        let is_newer = |known: &Terms, read: &Terms| known.version > read.version;
        Ok(read.map(|terms| cached.replace(id, terms, is_newer)))
    }

    /// Takes a stored change of a product over: read anew by whoever asks, and no quote that was begun
    /// before is held any more. All quotes under way are made again, whatever they are for: changes are
    /// rare, a quote is cheap, and so the hot path carries one number and no versions.
    pub(crate) fn product_changed(&self, id: ProductId) {
        self.products.0.forget(&id);
        self.changes.count();
    }

    /// Takes a stored change of a program over: the terms of all its relationships are read anew by
    /// whoever asks, and no quote that was begun before is held any more.
    pub(crate) async fn program_changed(&self, merchant: MerchantId) {
        let replacing = self.replacing.write().await;
        self.terms
            .0
            .forget_where(|terms| terms.merchant == merchant);
        drop(replacing);
        self.changes.count();
    }

    /// Drops what nobody asked for since the last sweep, and every merchant: nobody is told when what an
    /// operator set for one changes, so it is read anew from time to time.
    pub(crate) fn sweep(&self) {
        self.merchants.0.forget_where(|_| true);
        self.terms.0.sweep();
        self.products.0.sweep();
    }
}
