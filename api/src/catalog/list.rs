//! `GET /reseller/v1/products`: the products that the reseller has access to, newest first.
//!
//! Listed from the snapshot of terms that orders are checked against, so the list never names a
//! product that an order does not know.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{extract::State, response::Response};
use engine::{
    catalog::{Product, ProductKind, Sku, Status},
    engine::Engine,
    ids::{MerchantId, ProductId, RelationshipId},
    merchants::Merchant,
    relationships::{KeyTerms, Terms},
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{CatalogProduct, Offer};
use crate::{
    auth::{ResellerKey, Session, scope::ProductsRead},
    balances::owner::own_scope,
    error::{ApiError, Code},
    extract::{PathIds, Query},
    state::App,
    wire::{
        filters,
        page::{Paging, numbered},
    },
};

/// How many products are asked for at once.
const ASKED_AT_ONCE: usize = 16;
/// What a key of test mode sees on every shelf: its serials are made as they are ordered.
const MADE_AT_ONCE: u64 = 1000;

pub(crate) async fn reseller(
    State(app): State<App>,
    caller: ResellerKey<ProductsRead>,
    query: Query,
) -> Result<Response, ApiError> {
    let shop = Shop::of(&app, &caller).await?;
    shop.listed(&app, caller.scope().relationship, &query).await
}

/// `GET /portal/v1/programs/{rel}/products`: the same for the person whose program it is.
pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds(id): PathIds<RelationshipId>,
    query: Query,
) -> Result<Response, ApiError> {
    let (scope, _) = own_scope(&app, &caller, id).await?;
    let merchant = app.engine.merchant(scope.merchant).await?;
    let terms = app.engine.terms(id).await?;
    let shop = merchant.zip(terms);
    let (merchant, terms) = shop.ok_or_else(|| ApiError::new(Code::InternalError))?;
    let shop = Shop::of_owner(merchant, terms);
    shop.listed(&app, id, &query).await
}

impl Shop {
    async fn listed(
        &self,
        app: &App,
        relationship: RelationshipId,
        query: &Query,
    ) -> Result<Response, ApiError> {
        let paging = Paging::read(query, &format!("products {relationship}"))?;
        let wanted = Wanted::read(query)?;
        let found = self.list(app, &wanted).await?;
        match paging {
            Paging::Numbered(page) => {
                let skipped = (page.page as usize - 1).saturating_mul(page.limit as usize);
                let rest = found.get(skipped..).unwrap_or_default();
                let items = &rest[..rest.len().min(page.limit as usize)];
                Ok(numbered(
                    page,
                    self.show(app, items).await?,
                    found.len() as u64,
                ))
            }
            Paging::Cursor(page) => {
                let after = page.position(ProductId::parse)?;
                let begin =
                    found.partition_point(|product| after.is_some_and(|id| product.id >= id));
                let end = found.len().min(begin + page.limit as usize);
                let items = &found[begin..end];
                let next = items
                    .last()
                    .filter(|_| end < found.len())
                    .map(|product| product.id);
                Ok(page.answer(self.show(app, items).await?, next))
            }
        }
    }
}

/// Which products are asked for.
struct Wanted {
    orderable: Option<bool>,
    /// A part of the title, in lower case.
    search: Option<String>,
}

impl Wanted {
    fn read(query: &Query) -> Result<Self, ApiError> {
        Ok(Self {
            orderable: filters::flag(query, "orderable")?,
            search: query.get("search").map(str::to_lowercase),
        })
    }
}

/// What one key, or its owner, sees of a catalog.
pub(crate) struct Shop {
    merchant: Arc<Merchant>,
    terms: Arc<Terms>,
    key: KeyTerms,
    test: bool,
}

impl Shop {
    pub(super) async fn of(
        app: &App,
        caller: &ResellerKey<ProductsRead>,
    ) -> Result<Self, ApiError> {
        let terms = app.engine.terms(caller.scope().relationship).await?;
        let terms = terms.ok_or_else(|| ApiError::new(Code::InternalError))?;
        // Revoked since it was looked up: nobody's key any more.
        let key = terms.keys.get(&caller.key_id()).cloned();
        let key = key.ok_or_else(|| ApiError::new(Code::Unauthorized))?;
        Ok(Self {
            merchant: Arc::clone(caller.merchant()),
            terms,
            key,
            test: caller.scope().test,
        })
    }

    /// What a key without bounds of its own would see.
    pub(crate) fn of_owner(merchant: Arc<Merchant>, terms: Arc<Terms>) -> Self {
        Self {
            merchant,
            terms,
            key: KeyTerms::default(),
            test: false,
        }
    }

    /// All of it.
    pub(crate) async fn all(&self, app: &App) -> Result<Vec<CatalogProduct>, ApiError> {
        let wanted = Wanted {
            orderable: None,
            search: None,
        };
        self.show(app, &self.list(app, &wanted).await?).await
    }

    pub(super) fn has(&self, id: ProductId) -> bool {
        let of_product = (id, None)..;
        let next = self.terms.access.range(of_product).next();
        next.is_some_and(|((product, _), _)| *product == id)
    }

    /// A product of this shop's merchant.
    pub(super) async fn find(
        &self,
        app: &App,
        id: ProductId,
    ) -> Result<Option<Arc<Product>>, ApiError> {
        let found = app.engine.product(id).await?;
        Ok(found.filter(|product| product.merchant == self.merchant.id))
    }

    /// The products with access that are wanted, newest first.
    async fn list(&self, app: &App, wanted: &Wanted) -> Result<Vec<Arc<Product>>, ApiError> {
        let ids: BTreeSet<_> = self
            .terms
            .access
            .keys()
            .map(|(product, _)| *product)
            .collect();
        let engine = app.engine.clone();
        let found: Vec<_> = stream::iter(ids.into_iter().rev())
            .map(move |id| product(engine.clone(), id))
            .buffered(ASKED_AT_ONCE)
            .try_collect()
            .await?;
        let mut listed: Vec<_> = found
            .into_iter()
            .flatten()
            .filter(|product| product.merchant == self.merchant.id)
            .filter(|product| product.status != Status::Archived)
            .filter(|product| {
                let search = wanted.search.as_ref();
                search.is_none_or(|part| product.title.to_lowercase().contains(part))
            })
            .collect();
        if let Some(orderable) = wanted.orderable {
            let shown = self.show(app, &listed).await?;
            let mut shown = shown.iter().map(CatalogProduct::orderable);
            listed.retain(|_| shown.next() == Some(orderable));
        }
        Ok(listed)
    }

    /// Products with their prices and their stock now.
    pub(super) async fn show(
        &self,
        app: &App,
        products: &[Arc<Product>],
    ) -> Result<Vec<CatalogProduct>, ApiError> {
        let offer = Offer {
            terms: &self.terms,
            key: &self.key,
            currency: self.merchant.currency,
        };
        let serials = products
            .iter()
            .filter(|product| product.kind == ProductKind::Serials && !self.test);
        let skus: Vec<Sku> = serials.flat_map(|product| product.skus()).collect();
        let (engine, merchant) = (app.engine.clone(), self.merchant.id);
        let stock: BTreeMap<Sku, u64> = stream::iter(skus)
            .map(move |sku| available(engine.clone(), merchant, sku))
            .buffered(ASKED_AT_ONCE)
            .try_collect()
            .await?;
        let on_shelf = |sku: Sku| stock.get(&sku).copied().unwrap_or_default();
        let of = |sku| {
            if self.test {
                MADE_AT_ONCE
            } else {
                on_shelf(sku)
            }
        };
        Ok(products
            .iter()
            .map(|product| offer.product(product, of))
            .collect())
    }
}

async fn product(engine: Engine, id: ProductId) -> Result<Option<Arc<Product>>, ApiError> {
    Ok(engine.product(id).await?)
}

async fn available(engine: Engine, merchant: MerchantId, sku: Sku) -> Result<(Sku, u64), ApiError> {
    Ok((sku, engine.stock(merchant, sku).await?.available))
}
