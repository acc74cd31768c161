//! `PATCH /dev/v1/products/{id}`: change what a product costs, is called, or whether it is sold.
//!
//! Keeps the order: stored, taken over by the engine, answered. Once the answer is out, nothing is
//! sold under the old price or status.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    catalog::{Change, ProductKind, Status, Unchanged, Variant, VariantChange},
    ids::{ProductId, VariantId},
    money::Currency,
};
use persistence::{
    catalog::{get::AboutChange, update::update},
    owned,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    create::CreateVariant,
    fields::{self, SetCustomField, refusal},
    product::MerchantProduct,
};
use crate::{
    auth::{MerchantKey, scope::ProductsWrite},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{
        answer::Answer,
        fields::{Object, Sent, Text, Whole},
        money::Amount,
        texts::word,
    },
};

/// What is not sent stays; null clears what a product may be without.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateProduct {
    #[serde(alias = "name")]
    title: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    description: Option<String>,
    status: Option<String>,
    base_price: Option<Amount>,
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
    #[serde(default)]
    #[schema(value_type = Vec<UpdateVariant>, max_items = 100)]
    variants: Vec<Object<UpdateVariant>>,
}

/// One with an id is changed; one without is new, and needs title and price.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UpdateVariant {
    #[schema(value_type = Option<String>)]
    id: Option<Text<VariantId>>,
    title: Option<String>,
    status: Option<String>,
    base_price: Option<Amount>,
    #[serde(default)]
    #[schema(value_type = Option<Amount>)]
    wholesale_price: Sent<Amount>,
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ProductsWrite>,
    PathIds(id): PathIds<ProductId>,
    once: Once<UpdateProduct>,
) -> Result<Response, ApiError> {
    let work = move |app, caller, wire| answer(app, caller, id, wire);
    once.run(app, caller, work).await
}

async fn answer(
    app: App,
    caller: MerchantKey<ProductsWrite>,
    id: ProductId,
    wire: UpdateProduct,
) -> Result<Response, ApiError> {
    let merchant = Arc::clone(caller.merchant());
    let change = wire.into_change(&app, merchant.currency)?;
    // One task for all of it: what is stored is always taken over.
    match owned(store(app.clone(), caller, id, change)).await? {
        None => Err(ApiError::new(Code::NotFound)),
        Some(Err(unchanged)) => Err(refusal(unchanged)),
        Some(Ok(())) => {
            let product = MerchantProduct::find(&app, merchant.id, merchant.currency, id).await;
            let product = product.map_err(ApiError::after_change)?;
            Ok(Answer::ok(product).into_response())
        }
    }
}

async fn store(
    app: App,
    caller: MerchantKey<ProductsWrite>,
    id: ProductId,
    change: (Change, AboutChange),
) -> Result<Option<Result<(), Unchanged>>, ApiError> {
    let (of, actor) = ((caller.merchant_id(), id), caller.actor());
    let stored = update(&app.database, of, change, actor, app.now()).await;
    // A commit whose answer was lost may have changed it too.
    let told = app.engine.product_changed(id).await;
    let changed = stored?.map(|changed| changed.map(drop));
    if matches!(changed, Some(Ok(()))) {
        // From which stock on it is low may be another number now.
        app.shelves.add([of.0]);
        told?;
    }
    Ok(changed)
}

impl UpdateProduct {
    fn into_change(self, app: &App, currency: Currency) -> Result<(Change, AboutChange), ApiError> {
        let about = fields::about(
            self.description,
            self.auto_fulfilled,
            self.low_stock_threshold,
        )?;
        fields::check_variants(self.variants.len())?;
        let every = [Status::Active, Status::Disabled, Status::Archived];
        let mut change = Change {
            title: fields::title(self.title)?,
            kind: word(self.kind, "type", ProductKind::parse)?,
            status: fields::status(self.status, &every)?,
            base_price: fields::base_price(self.base_price, currency)?,
            wholesale_price: fields::wholesale_price(&self.wholesale_price, currency)?,
            min_quantity: fields::quantity(self.min_quantity, "min_quantity")?,
            max_quantity: fields::quantity(self.max_quantity, "max_quantity")?,
            custom_fields: self.custom_fields.map(fields::custom_fields).transpose()?,
            ..Change::default()
        };
        for Object(variant) in self.variants {
            match variant.id {
                Some(Text(id)) => change.variants.push(variant.into_change(id, currency)?),
                None => change.added.push(variant.into_new(app, currency)?),
            }
        }
        Ok((change, about))
    }
}

impl UpdateVariant {
    fn into_change(self, id: VariantId, currency: Currency) -> Result<VariantChange, ApiError> {
        Ok(VariantChange {
            id,
            title: fields::title(self.title)?,
            status: fields::status(self.status, &[Status::Active, Status::Disabled])?,
            base_price: fields::base_price(self.base_price, currency)?,
            wholesale_price: fields::wholesale_price(&self.wholesale_price, currency)?,
        })
    }

    fn into_new(self, app: &App, currency: Currency) -> Result<Variant, ApiError> {
        let missing = |field| ApiError::field(field, "is missing: a variant without `id` is new");
        let new = CreateVariant {
            title: self.title.ok_or_else(|| missing("variants.title"))?,
            base_price: self
                .base_price
                .ok_or_else(|| missing("variants.base_price"))?,
            wholesale_price: self.wholesale_price,
            status: self.status,
        };
        new.into_new(app, currency)
    }
}
