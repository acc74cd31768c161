//! A product with everything an order is checked against.

use engine::{
    catalog::{CustomField, FieldKind, Product, ProductKind, Source, Status, Variant},
    fault::Fault,
    ids::{MerchantId, ProductId, VariantId},
    money::Money,
};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use crate::{
    Database, Error, database::in_time, fulfillments::rows::money, owned,
    relationships::rows::named,
};

/// Loads products.
#[derive(Debug, Clone)]
pub struct PgCatalog {
    db: Database,
}

impl PgCatalog {
    pub const fn new(db: Database) -> Self {
        Self { db }
    }
}

impl CustomFieldRow {
    pub(crate) fn of(field: &CustomField) -> Self {
        Self {
            name: field.name.clone(),
            kind: field.kind.name().to_owned(),
            required: field.required,
            placeholder: field.placeholder.clone(),
            pattern: field
                .pattern
                .as_ref()
                .map(|pattern| pattern.as_str().to_owned()),
        }
    }
}

impl Source for PgCatalog {
    fn find(&self, id: ProductId) -> BoxFuture<'_, Result<Option<Product>, Fault>> {
        let db = self.db.clone();
        Box::pin(owned(async move {
            let found = in_time(async { find(&mut *db.read().await?, id).await });
            found
                .await
                .map_err(|error| error.into_fault("load a product"))
        }))
    }
}

#[derive(Debug, sqlx::FromRow)]
struct ProductRow {
    merchant_id: Uuid,
    title: String,
    kind: String,
    status: String,
    base_price: i64,
    wholesale_price: Option<i64>,
    min_quantity: Option<i32>,
    max_quantity: Option<i32>,
    custom_fields: Json<Vec<CustomFieldRow>>,
    price_version: i64,
}

#[derive(Debug, sqlx::FromRow)]
struct VariantRow {
    variant_id: Uuid,
    title: String,
    status: String,
    base_price: i64,
    wholesale_price: Option<i64>,
}

/// A custom field as it is stored in `products.custom_fields`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CustomFieldRow {
    pub(crate) name: String,
    /// `TEXT`, `NUMBER` or `EMAIL`.
    pub(crate) kind: String,
    pub(crate) required: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) placeholder: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pattern: Option<String>,
}

/// The product with its variants.
pub(crate) async fn find(
    connection: &mut PgConnection,
    id: ProductId,
) -> Result<Option<Product>, Error> {
    let product: Option<ProductRow> = sqlx::query_as(
        "SELECT merchant_id, title, kind, status, base_price, wholesale_price, min_quantity,
                max_quantity, custom_fields, price_version
         FROM products WHERE product_id = $1",
    )
    .bind(id.uuid())
    .fetch_optional(&mut *connection)
    .await?;
    let Some(product) = product else {
        return Ok(None);
    };
    let variants: Vec<VariantRow> = sqlx::query_as(
        "SELECT variant_id, title, status, base_price, wholesale_price
         FROM variants WHERE product_id = $1 ORDER BY position",
    )
    .bind(id.uuid())
    .fetch_all(connection)
    .await?;
    Ok(Some(Product {
        id,
        merchant: MerchantId::from_uuid(product.merchant_id),
        title: product.title,
        kind: kind(&product.kind)?,
        status: status(&product.status)?,
        base_price: money(product.base_price)?,
        wholesale_price: price(product.wholesale_price)?,
        min_quantity: quantity(product.min_quantity)?,
        max_quantity: quantity(product.max_quantity)?,
        custom_fields: product
            .custom_fields
            .0
            .into_iter()
            .map(field)
            .collect::<Result<_, _>>()?,
        price_version: product.price_version,
        variants: variants
            .into_iter()
            .map(variant)
            .collect::<Result<_, _>>()?,
    }))
}

fn variant(row: VariantRow) -> Result<Variant, Error> {
    Ok(Variant {
        id: VariantId::from_uuid(row.variant_id),
        title: row.title,
        base_price: money(row.base_price)?,
        wholesale_price: price(row.wholesale_price)?,
        status: status(&row.status)?,
    })
}

fn field(row: CustomFieldRow) -> Result<CustomField, Error> {
    let pattern = row.pattern.map(|text| {
        named(
            CustomField::pattern(&text),
            "a custom field's pattern does not compile",
        )
    });
    Ok(CustomField {
        name: row.name,
        kind: named(
            FieldKind::parse(&row.kind),
            "a custom field's kind is not known",
        )?,
        required: row.required,
        placeholder: row.placeholder,
        pattern: pattern.transpose()?,
    })
}

fn kind(text: &str) -> Result<ProductKind, Error> {
    named(ProductKind::parse(text), "a product's kind is not known")
}

fn status(text: &str) -> Result<Status, Error> {
    named(Status::parse(text), "a product's status is not known")
}

/// A price that may not be set.
pub(crate) fn price(minor: Option<i64>) -> Result<Option<Money>, Error> {
    minor.map(money).transpose()
}

/// A quantity that may not be set.
pub(crate) fn quantity(stored: Option<i32>) -> Result<Option<u32>, Error> {
    let quantity = stored.map(u32::try_from).transpose();
    quantity.map_err(|_| Error::Inconsistent {
        what: "a quantity is negative",
    })
}
