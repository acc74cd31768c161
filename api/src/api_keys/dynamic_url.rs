//! `GET /portal/v1/programs/{rel}/api-keys/{key}/dynamic-url`: what to put into a shop that can only call
//! an address.
//!
//! Keeps: no secret is told. What only the shop knows is a placeholder in braces.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    api_keys::{Scope, State as Life},
    ids::{KeyId, ProductId, RelationshipId, VariantId},
};
use persistence::api_keys;
use serde::Serialize;
use utoipa::ToSchema;

use super::Keyring;
use crate::{
    auth::Session,
    error::{ApiError, Code},
    extract::{PathIds, Query},
    fulfillments::dynamic_url::PATH,
    state::App,
    wire::answer::Answer,
};

/// Addresses that order one product, and programs that sign them.
#[derive(Serialize, ToSchema)]
pub(crate) struct DynamicUrl {
    /// With the key in it: for shops that can do nothing else.
    url: String,
    /// Signed, so that the secret stays in the shop.
    signed_url: String,
    samples: Samples,
}

/// Each reads the secret from the environment as `CONSIGN_URL_SECRET`.
#[derive(Serialize, ToSchema)]
pub(crate) struct Samples {
    node: String,
    python: String,
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds((relationship, id)): PathIds<(RelationshipId, KeyId)>,
    query: Query,
) -> Result<Response, ApiError> {
    let keyring = Keyring::of_reseller(&app, &caller, relationship).await?;
    let key = api_keys::find_own(&app.database, keyring.scope(), id).await?;
    let key = key.ok_or_else(|| ApiError::new(Code::NotFound))?.key;
    if !key.scopes.has(Scope::DynamicWrite) {
        let says = "The key may not use dynamic URLs: it lacks `dynamic.write`.";
        return Err(ApiError::saying(Code::Forbidden, says));
    }
    if !matches!(key.state(app.now()), Life::Active | Life::Retiring) {
        let says = "The key is over: it orders nothing any more.";
        return Err(ApiError::saying(Code::InvalidState, says));
    }
    let product = query.get("product_id").and_then(ProductId::parse);
    let product = product.ok_or_else(|| ApiError::field("product_id", "must name a product"))?;
    let variant = query.get("variant_id").map(VariantId::parse);
    if variant == Some(None) {
        return Err(ApiError::field("variant_id", "must name a variant"));
    }
    let fields = fields(product, variant.flatten());
    Ok(Answer::ok(DynamicUrl::of(&app.origin, id, &fields)).into_response())
}

type Fields = Vec<(&'static str, String)>;

/// What every order of this product says, sorted by name as it is signed.
fn fields(product: ProductId, variant: Option<VariantId>) -> Fields {
    let mut fields = vec![
        ("customer_email", "{customer_email}".to_owned()),
        ("external_order_id", "{external_order_id}".to_owned()),
        ("product_id", product.to_string()),
        ("quantity", "{quantity}".to_owned()),
    ];
    fields.extend(variant.map(|variant| ("variant_id", variant.to_string())));
    fields
}

impl DynamicUrl {
    fn of(origin: &str, key: KeyId, fields: &[(&'static str, String)]) -> Self {
        let with = |more: &[(&'static str, String)]| {
            let mut all = [fields, more].concat();
            all.sort_unstable_by_key(|(name, _)| *name);
            all
        };
        let address = |fields: Fields| {
            let pairs = fields.iter().map(|(name, value)| format!("{name}={value}"));
            format!("{origin}{PATH}?{}", pairs.collect::<Vec<_>>().join("&"))
        };
        let proof = ("key_id", key.to_string());
        let signed = with(&[proof.clone(), ("ts", "{ts}".to_owned())]);
        Self {
            url: address(with(&[("api_key", "{api_key}".to_owned())])),
            signed_url: format!("{}&sig={{sig}}", address(signed)),
            samples: Samples::of(origin, &with(&[proof])),
        }
    }
}

impl Samples {
    /// The fields are ids and placeholders: none needs escaping.
    fn of(origin: &str, fields: &[(&'static str, String)]) -> Self {
        let lines = fields
            .iter()
            .map(|(name, value)| format!("  \"{name}\": \"{value}\",\n"));
        let lines: String = lines.collect();
        let place = |sample: &str| {
            let sample = sample.replace("%FIELDS%", &lines);
            sample.replace("%ORIGIN%", origin).replace("%PATH%", PATH)
        };
        Self {
            node: place(include_str!("dynamic_url.mjs")),
            python: place(include_str!("dynamic_url.py")),
        }
    }
}
