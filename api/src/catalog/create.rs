//! `POST /dev/v1/products`: make a product, with its variants.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    catalog::{Edit, Product, ProductKind, Status, Variant},
    ids::{ProductId, VariantId},
    money::Currency,
};
use persistence::{
    catalog::{create::create, get::AboutChange},
    owned,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    fields::{self, SetCustomField},
    product::MerchantProduct,
};
use crate::{
    auth::{MerchantKey, scope::ProductsWrite},
    error::{ApiError, Code},
    extract::Once,
    state::App,
    wire::{
        answer::Answer,
        fields::{Object, Sent, Whole},
        money::Amount,
        texts::word,
    },
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateProduct {
    #[serde(alias = "name")]
    title: String,
    #[serde(rename = "type")]
    kind: String,
    base_price: Amount,
    description: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Amount>)]
    wholesale_price: Sent<Amount>,
    auto_fulfilled: Option<bool>,
    #[serde(default)]
    #[schema(value_type = Option<Whole>)]
    min_quantity: Sent<Whole>,
    #[serde(default)]
    #[schema(value_type = Option<Whole>)]
    max_quantity: Sent<Whole>,
    #[serde(default)]
    #[schema(value_type = Option<Whole>)]
    low_stock_threshold: Sent<Whole>,
    #[schema(value_type = Option<Vec<SetCustomField>>, max_items = 20)]
    custom_fields: Option<Vec<Object<SetCustomField>>>,
    status: Option<String>,
    #[schema(value_type = Option<Vec<CreateVariant>>, max_items = 100)]
    variants: Option<Vec<Object<CreateVariant>>>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateVariant {
    pub(super) title: String,
    pub(super) base_price: Amount,
    #[serde(default)]
    #[schema(value_type = Option<Amount>)]
    pub(super) wholesale_price: Sent<Amount>,
    pub(super) status: Option<String>,
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ProductsWrite>,
    once: Once<CreateProduct>,
) -> Result<Response, ApiError> {
    once.run(app, caller, answer).await
}

async fn answer(
    app: App,
    caller: MerchantKey<ProductsWrite>,
    wire: CreateProduct,
) -> Result<Response, ApiError> {
    let (product, about) = wire.into_new(&app, &caller)?;
    let (merchant, id) = (Arc::clone(caller.merchant()), product.id);
    // One task for both: what is stored is always taken over.
    let creating = owned(store(app.clone(), caller, product, about));
    creating.await?;
    let made = MerchantProduct::find(&app, merchant.id, merchant.currency, id).await;
    let made = made.map_err(ApiError::after_change)?;
    Ok(Answer::created(made).into_response())
}

async fn store(
    app: App,
    caller: MerchantKey<ProductsWrite>,
    product: Product,
    about: AboutChange,
) -> Result<(), ApiError> {
    let id = product.id;
    create(&app.database, product, about, caller.actor(), app.now()).await?;
    // Nobody knew of it, so nobody sells an older one.
    let told = app.engine.product_changed(id).await;
    told.map_err(|fault| ApiError::from(fault).after_change())
}

impl CreateProduct {
    fn into_new(
        self,
        app: &App,
        caller: &MerchantKey<ProductsWrite>,
    ) -> Result<(Product, AboutChange), ApiError> {
        let currency = caller.currency();
        let about = fields::about(
            self.description,
            self.auto_fulfilled,
            self.low_stock_threshold,
        )?;
        let missing = || ApiError::new(Code::ValidationError);
        let kind = word(Some(self.kind), "type", ProductKind::parse)?;
        let status = fields::status(self.status, &[Status::Active, Status::Disabled])?;
        let sent = self.variants.unwrap_or_default();
        fields::check_variants(sent.len())?;
        let variants = sent.into_iter();
        let variants = variants.map(|Object(variant)| variant.into_new(app, currency));
        let product = Product {
            id: ProductId::generate(app.now(), &**app.engine.random()),
            merchant: caller.merchant_id(),
            title: fields::title(Some(self.title))?.ok_or_else(missing)?,
            kind: kind.ok_or_else(missing)?,
            status: status.unwrap_or(Status::Active),
            base_price: self.base_price.read(currency, "base_price")?,
            wholesale_price: value(fields::wholesale_price(&self.wholesale_price, currency)?),
            min_quantity: value(fields::quantity(self.min_quantity, "min_quantity")?),
            max_quantity: value(fields::quantity(self.max_quantity, "max_quantity")?),
            custom_fields: fields::custom_fields(self.custom_fields.unwrap_or_default())?,
            price_version: 1,
            variants: variants.collect::<Result<_, _>>()?,
        };
        let product = product.well_formed().map_err(fields::refusal)?;
        Ok((product, about))
    }
}

impl CreateVariant {
    pub(super) fn into_new(self, app: &App, currency: Currency) -> Result<Variant, ApiError> {
        let missing = || ApiError::new(Code::ValidationError);
        let status = fields::status(self.status, &[Status::Active, Status::Disabled])?;
        Ok(Variant {
            id: VariantId::generate(app.now(), &**app.engine.random()),
            title: fields::title(Some(self.title))?.ok_or_else(missing)?,
            base_price: self.base_price.read(currency, "base_price")?,
            wholesale_price: value(fields::wholesale_price(&self.wholesale_price, currency)?),
            status: status.unwrap_or(Status::Active),
        })
    }
}

/// What an edit of nothing gives.
fn value<T>(edit: Edit<T>) -> Option<T> {
    let mut value = None;
    edit.apply(&mut value);
    value
}
