//! `GET /dev/v1/products/{id}/stock`: what is on the shelf, and what an order could have now.

use axum::extract::State;
use engine::{
    catalog::{Product, ProductKind, Sku},
    ids::{ProductId, VariantId},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::product::owned_by;
use crate::{
    auth::{MerchantKey, scope::ProductsRead},
    error::{ApiError, Code},
    extract::PathIds,
    state::App,
    wire::answer::Answer,
};

#[derive(Serialize, ToSchema)]
pub(crate) struct Stock {
    product_id: String,
    product_uniqid: String,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(flatten)]
    amounts: Amounts,
    variants: Vec<VariantStock>,
}

#[derive(Serialize, ToSchema)]
struct VariantStock {
    id: String,
    uniqid: String,
    title: String,
    #[serde(flatten)]
    amounts: Amounts,
}

/// None of something that does not run out.
#[derive(Clone, Copy, Serialize, ToSchema)]
pub(super) struct Amounts {
    stock: Option<u64>,
    available_stock: Option<u64>,
    unlimited: bool,
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ProductsRead>,
    PathIds(id): PathIds<ProductId>,
) -> Result<Answer<Stock>, ApiError> {
    let product = owned_by(&app, caller.merchant_id(), id).await?;
    let product = product.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let stock = of(&app, &product).await?;
    let variants = product.variants.iter().zip(stock.variants);
    let variants = variants.map(|(variant, amounts)| VariantStock {
        id: variant.id.to_string(),
        uniqid: variant.id.to_string(),
        title: variant.title.clone(),
        amounts,
    });
    let id = product.id.to_string();
    Ok(Answer::ok(Stock {
        product_uniqid: id.clone(),
        product_id: id,
        kind: product.kind.name(),
        amounts: stock.whole,
        variants: variants.collect(),
    }))
}

/// The amounts of a product, and of each of its variants in their order.
pub(super) struct OnShelf {
    pub(super) whole: Amounts,
    pub(super) variants: Vec<Amounts>,
}

pub(super) async fn of(app: &App, product: &Product) -> Result<OnShelf, ApiError> {
    let mut variants = Vec::with_capacity(product.variants.len());
    for variant in &product.variants {
        variants.push(amounts(app, product, Some(variant.id)).await?);
    }
    let whole = if variants.is_empty() {
        amounts(app, product, None).await?
    } else {
        variants.iter().copied().fold(Amounts::NONE, Amounts::plus)
    };
    Ok(OnShelf { whole, variants })
}

async fn amounts(
    app: &App,
    product: &Product,
    variant: Option<VariantId>,
) -> Result<Amounts, ApiError> {
    match product.kind {
        ProductKind::Service => Ok(Amounts::UNLIMITED),
        ProductKind::Serials => {
            let stock = app
                .engine
                .stock(
                    product.merchant,
                    Sku {
                        product: product.id,
                        variant,
                    },
                )
                .await?;
            Ok(Amounts {
                stock: Some(stock.stock),
                available_stock: Some(stock.available),
                unlimited: false,
            })
        }
    }
}

impl Amounts {
    const NONE: Self = Self {
        stock: Some(0),
        available_stock: Some(0),
        unlimited: false,
    };
    pub(super) fn on_the_shelf(self) -> Option<u64> {
        self.stock
    }

    const UNLIMITED: Self = Self {
        stock: None,
        available_stock: None,
        unlimited: true,
    };

    fn plus(self, other: Self) -> Self {
        let sum = |a: Option<u64>, b: Option<u64>| a.zip(b).map(|(a, b)| a + b);
        Self {
            stock: sum(self.stock, other.stock),
            available_stock: sum(self.available_stock, other.available_stock),
            unlimited: self.unlimited || other.unlimited,
        }
    }
}
