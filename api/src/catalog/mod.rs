//! Products as a reseller may order them, and as their merchant makes, changes and stocks them.

pub(crate) mod create;
pub(crate) mod delete;
mod fields;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod offer;
pub(crate) mod own;
pub(crate) mod product;
pub(crate) mod stock;
pub(crate) mod update;

pub(crate) use offer::CatalogProduct;
use offer::Offer;
