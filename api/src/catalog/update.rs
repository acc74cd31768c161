//! `PATCH /dev/v1/products/{id}`: change what a product costs, is called, or whether it is sold.
//!
//! Keeps the order: stored, taken over by the engine, answered. Once the answer is out, nothing is
//! sold under the old price or status.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    catalog::{Change, Edit, Status, Unchanged, VariantChange},
    ids::{MerchantId, ProductId, VariantId},
    money::{Currency, Money},
};
use persistence::{catalog::update::update, owned};
use serde::Deserialize;
use utoipa::ToSchema;

use super::product::MerchantProduct;
use crate::{
    auth::{MerchantKey, scope::ProductsWrite},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{
        answer::Answer,
        fields::{Object, Sent, Text, Whole},
        money::Amount,
    },
};

const TITLE_CHARS_MAX: usize = 200;
const DESCRIPTION_CHARS_MAX: usize = 10_000;
const QUANTITY_MAX: u32 = 1000;
const VARIANTS_MAX: usize = 100;

/// What is not sent stays; null clears what a product may be without.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateProduct {
    #[serde(alias = "name")]
    title: Option<String>,
    description: Option<String>,
    status: Option<String>,
    base_price: Option<Amount>,
    #[serde(default)]
    #[schema(value_type = Option<Amount>)]
    wholesale_price: Sent<Amount>,
    #[serde(default)]
    #[schema(value_type = Option<Whole>)]
    min_quantity: Sent<Whole>,
    #[serde(default)]
    #[schema(value_type = Option<Whole>)]
    max_quantity: Sent<Whole>,
    #[serde(default)]
    #[schema(value_type = Vec<UpdateVariant>, max_items = 100)]
    variants: Vec<Object<UpdateVariant>>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UpdateVariant {
    #[schema(value_type = String)]
    id: Text<VariantId>,
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
    let name = caller.name();
    let of = (caller.merchant_id(), caller.currency());
    let work = Box::pin(answer(app.clone(), of, id, once.body));
    once.request.execute(&app, name, work).await
}

async fn answer(
    app: App,
    (merchant, currency): (MerchantId, Currency),
    id: ProductId,
    wire: UpdateProduct,
) -> Result<Response, ApiError> {
    let description = wire.description.clone();
    let bounded = |text: &String| text.chars().count() <= DESCRIPTION_CHARS_MAX;
    if !description.as_ref().is_none_or(bounded) {
        return Err(ApiError::field(
            "description",
            "must have at most 10000 characters",
        ));
    }
    let change = wire.into_change(currency)?;
    // One task for all of it: what is stored is always taken over.
    let changed = owned(store(app.clone(), merchant, id, (change, description))).await?;
    match changed {
        None => Err(ApiError::new(Code::NotFound)),
        Some(Err(unchanged)) => Err(refusal(unchanged)),
        Some(Ok(())) => {
            let product = MerchantProduct::find(&app, merchant, currency, id).await;
            let product = product.map_err(ApiError::after_change)?;
            Ok(Answer::ok(product).into_response())
        }
    }
}

async fn store(
    app: App,
    merchant: MerchantId,
    id: ProductId,
    (change, description): (Change, Option<String>),
) -> Result<Option<Result<(), Unchanged>>, ApiError> {
    let stored = update(
        &app.database,
        (merchant, id),
        change,
        description,
        app.now(),
    )
    .await;
    // A commit whose answer was lost may have changed it too.
    let told = app.engine.product_changed(id).await;
    let changed = stored?.map(|changed| changed.map(drop));
    if matches!(changed, Some(Ok(()))) {
        told?;
    }
    Ok(changed)
}

fn refusal(unchanged: Unchanged) -> ApiError {
    match unchanged {
        Unchanged::Archived => {
            let said = "An archived product stays as it is.";
            ApiError::saying(Code::InvalidState, said).detail("status", "ARCHIVED")
        }
        Unchanged::UnknownVariant(_) => {
            ApiError::field("variants", "must be variants of this product")
        }
        Unchanged::Quantities => {
            ApiError::field("min_quantity", "must be at most the largest quantity")
        }
    }
}

impl UpdateProduct {
    fn into_change(self, currency: Currency) -> Result<Change, ApiError> {
        if self.variants.len() > VARIANTS_MAX {
            return Err(ApiError::field("variants", "must be at most 100"));
        }
        let variants = self.variants.into_iter();
        let variants = variants.map(|Object(variant)| variant.into_change(currency));
        let base_price = self
            .base_price
            .map(|sent| sent.read(currency, "base_price"));
        Ok(Change {
            title: title(self.title)?,
            status: status(
                self.status,
                &[Status::Active, Status::Disabled, Status::Archived],
            )?,
            base_price: base_price.transpose()?,
            wholesale_price: price(self.wholesale_price, currency)?,
            min_quantity: quantity(self.min_quantity, "min_quantity")?,
            max_quantity: quantity(self.max_quantity, "max_quantity")?,
            variants: variants.collect::<Result<_, _>>()?,
        })
    }
}

impl UpdateVariant {
    fn into_change(self, currency: Currency) -> Result<VariantChange, ApiError> {
        let base_price = self
            .base_price
            .map(|sent| sent.read(currency, "base_price"));
        Ok(VariantChange {
            id: self.id.0,
            title: title(self.title)?,
            status: status(self.status, &[Status::Active, Status::Disabled])?,
            base_price: base_price.transpose()?,
            wholesale_price: price(self.wholesale_price, currency)?,
        })
    }
}

fn title(sent: Option<String>) -> Result<Option<String>, ApiError> {
    let fits = |title: &String| {
        let printable = !title.trim().is_empty() && !title.contains(char::is_control);
        printable && title.chars().count() <= TITLE_CHARS_MAX
    };
    if sent.as_ref().is_none_or(fits) {
        return Ok(sent);
    }
    let message = "must have 1 to 200 characters, none of them a control character";
    Err(ApiError::field("title", message))
}

fn status(sent: Option<String>, allowed: &[Status]) -> Result<Option<Status>, ApiError> {
    let Some(name) = sent else { return Ok(None) };
    let status = match name.to_ascii_uppercase().as_str() {
        "ACTIVE" => Some(Status::Active),
        "DISABLED" => Some(Status::Disabled),
        "ARCHIVED" => Some(Status::Archived),
        _ => None,
    };
    let status = status.filter(|status| allowed.contains(status));
    let unknown = || ApiError::field("status", "is no status that this can have");
    status.ok_or_else(unknown).map(Some)
}

fn price(sent: Sent<Amount>, currency: Currency) -> Result<Edit<Money>, ApiError> {
    Ok(match sent {
        Sent::Not => Edit::Keep,
        Sent::Null => Edit::Clear,
        Sent::Value(amount) => Edit::Set(amount.read(currency, "wholesale_price")?),
    })
}

fn quantity(sent: Sent<Whole>, field: &'static str) -> Result<Edit<u32>, ApiError> {
    match sent {
        Sent::Not => Ok(Edit::Keep),
        Sent::Null => Ok(Edit::Clear),
        Sent::Value(Whole(quantity)) if (1..=QUANTITY_MAX).contains(&quantity) => {
            Ok(Edit::Set(quantity))
        }
        Sent::Value(_) => Err(ApiError::field(field, "must be from 1 to 1000")),
    }
}
