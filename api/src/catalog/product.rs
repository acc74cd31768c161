//! A product as its merchant sees it: `GET /dev/v1/products/{id}`, and the answer of a change.

use std::sync::Arc;

use axum::extract::State;
use engine::{
    catalog::Product,
    ids::{MerchantId, ProductId},
    money::{Currency, Money},
};
use persistence::catalog::{get, list::Listed};
use serde::Serialize;
use utoipa::ToSchema;

use super::{offer::Field, stock};
use crate::{
    auth::{MerchantKey, scope::ProductsRead},
    error::{ApiError, Code},
    extract::PathIds,
    state::App,
    wire::{
        answer::Answer,
        money::{CurrencyCode, MoneyText},
        time::Time,
    },
};

#[derive(Serialize, ToSchema)]
#[schema(as = Product)]
pub(crate) struct MerchantProduct {
    id: String,
    uniqid: String,
    title: String,
    name: String,
    description: String,
    #[serde(rename = "type")]
    kind: &'static str,
    status: &'static str,
    base_price: MoneyText,
    wholesale_price: Option<MoneyText>,
    currency: CurrencyCode,
    min_quantity: Option<u32>,
    max_quantity: Option<u32>,
    auto_fulfilled: bool,
    low_stock_threshold: Option<u32>,
    custom_fields: Vec<Field>,
    price_version: i64,
    /// None of something that does not run out.
    stock: Option<u64>,
    variants: Vec<MerchantVariant>,
    created_at: Time,
    updated_at: Time,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Variant)]
struct MerchantVariant {
    id: String,
    uniqid: String,
    title: String,
    base_price: MoneyText,
    wholesale_price: Option<MoneyText>,
    status: &'static str,
    stock: Option<u64>,
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ProductsRead>,
    PathIds(id): PathIds<ProductId>,
) -> Result<Answer<MerchantProduct>, ApiError> {
    let product = MerchantProduct::find(&app, caller.merchant_id(), caller.currency(), id).await?;
    Ok(Answer::ok(product))
}

impl MerchantProduct {
    /// The product as it is in force.
    pub(super) async fn find(
        app: &App,
        merchant: MerchantId,
        currency: Currency,
        id: ProductId,
    ) -> Result<Self, ApiError> {
        let missing = || ApiError::new(Code::NotFound);
        let about = get::about(&app.database, merchant, id).await?;
        let about = about.ok_or_else(missing)?;
        let shown = Self::show(app, merchant, currency, Listed { id, about }).await?;
        shown.ok_or_else(missing)
    }

    /// The same of one that was found already; none if it is gone again.
    pub(super) async fn show(
        app: &App,
        merchant: MerchantId,
        currency: Currency,
        Listed { id, about }: Listed,
    ) -> Result<Option<Self>, ApiError> {
        let Some(product) = owned_by(app, merchant, id).await? else {
            return Ok(None);
        };
        let money = |amount: Money| MoneyText(currency, amount);
        let stock = stock::of(app, &product).await?;
        let variants = product.variants.iter().zip(&stock.variants);
        let variants = variants.map(|(variant, stock)| MerchantVariant {
            id: variant.id.to_string(),
            uniqid: variant.id.to_string(),
            title: variant.title.clone(),
            base_price: money(variant.base_price),
            wholesale_price: variant.wholesale_price.map(money),
            status: variant.status.name(),
            stock: stock.on_the_shelf(),
        });
        Ok(Some(Self {
            id: id.to_string(),
            uniqid: id.to_string(),
            title: product.title.clone(),
            name: product.title.clone(),
            description: about.description,
            kind: product.kind.name(),
            status: product.status.name(),
            base_price: money(product.base_price),
            wholesale_price: product.wholesale_price.map(money),
            currency: CurrencyCode(currency),
            min_quantity: product.min_quantity,
            max_quantity: product.max_quantity,
            auto_fulfilled: about.auto_fulfilled,
            low_stock_threshold: about.low_stock_threshold,
            custom_fields: product.custom_fields.iter().map(Field::of).collect(),
            price_version: product.price_version,
            stock: stock.whole.on_the_shelf(),
            variants: variants.collect(),
            created_at: Time(about.created_at),
            updated_at: Time(about.updated_at),
        }))
    }
}

/// The product, if it is of this merchant.
pub(super) async fn owned_by(
    app: &App,
    merchant: MerchantId,
    id: ProductId,
) -> Result<Option<Arc<Product>>, ApiError> {
    let product = app.engine.product(id).await?;
    Ok(product.filter(|product| product.merchant == merchant))
}
