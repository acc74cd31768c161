//! Products as a reseller may order them, and their stock as a merchant sees it.

pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod offer;
pub(crate) mod product;
pub(crate) mod stock;
pub(crate) mod update;

use engine::catalog::ProductKind;
pub(crate) use offer::CatalogProduct;
use offer::Offer;

const fn kind_name(kind: ProductKind) -> &'static str {
    match kind {
        ProductKind::Serials => "SERIALS",
        ProductKind::Service => "SERVICE",
    }
}
