//! `GET /reseller/v1/products/{product_id}`: one product that the reseller has access to.

use axum::extract::State;
use engine::ids::ProductId;

use super::{CatalogProduct, list::Shop};
use crate::{
    auth::{ResellerKey, scope::ProductsRead},
    error::{ApiError, Code},
    extract::PathIds,
    state::App,
    wire::answer::Answer,
};

pub(crate) async fn reseller(
    State(app): State<App>,
    caller: ResellerKey<ProductsRead>,
    PathIds(id): PathIds<ProductId>,
) -> Result<Answer<CatalogProduct>, ApiError> {
    let missing = || ApiError::new(Code::NotFound);
    let shop = Shop::of(&app, &caller).await?;
    if !shop.has(id) {
        return Err(missing());
    }
    let product = shop.find(&app, id).await?.ok_or_else(missing)?;
    let mut shown = shop.show(&app, &[product]).await?;
    shown.pop().map(Answer::ok).ok_or_else(missing)
}
