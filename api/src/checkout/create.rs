//! `POST /dev/v1/checkout/sessions`: the merchant's own shop sends a customer to a page of ours.

use std::collections::BTreeMap;

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    checkout::{Came, Session},
    clock::Timestamp,
    fulfillments::{Email, check_metadata},
    ids::{CheckoutId, ProductId},
    links::Attribution,
};
use persistence::programs;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    session::{Ware, Wish, begin, sku},
    session_path,
};
use crate::{
    auth::{MerchantKey, scope::ResellersWrite},
    error::{ApiError, Code},
    extract::Once,
    links::allowed,
    state::App,
    wire::{
        answer::Answer,
        fields::{Strings, Text, Whole},
        time::Time,
    },
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BeginCheckout {
    #[schema(value_type = String)]
    product_id: Text<ProductId>,
    variant_id: Option<String>,
    #[schema(value_type = u32, minimum = 1, maximum = 20)]
    quantity: Whole,
    /// `consign_ref` of a tracked link. One that counts no more is as good as none.
    attribution_token: Option<String>,
    #[schema(value_type = Option<String>, format = Email, max_length = 254)]
    customer_email: Option<Text<Email>>,
    /// Where the customer goes on: https, at a host of the program's list or of the shop.
    #[schema(max_length = 2000)]
    success_url: Option<String>,
    #[schema(max_length = 2000)]
    cancel_url: Option<String>,
    /// Your own words, told again with the invoice: at most 20 entries and 2 KiB.
    metadata: Option<Strings>,
}

/// A visit, and where it goes on.
#[derive(Serialize, ToSchema)]
pub(crate) struct CheckoutSession {
    id: String,
    uniqid: String,
    status: &'static str,
    url: String,
    metadata: BTreeMap<String, String>,
    expires_at: Time,
    created_at: Time,
}

const URL_CHARS_MAX: usize = 2000;

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellersWrite>,
    once: Once<BeginCheckout>,
) -> Result<Response, ApiError> {
    let name = caller.name();
    let id = once.request.reference(name, app.engine.random().as_ref());
    let work = Box::pin(answer(
        app.clone(),
        caller,
        CheckoutId::from_uuid(id),
        once.body,
    ));
    once.request.execute(&app, name, work).await
}

async fn answer(
    app: App,
    caller: MerchantKey<ResellersWrite>,
    id: CheckoutId,
    wire: BeginCheckout,
) -> Result<Response, ApiError> {
    let metadata = wire.metadata.unwrap_or_default().0;
    check_metadata(&metadata).map_err(|why| ApiError::field("metadata", why))?;
    let ware = Ware::find(&app, wire.product_id.0).await?;
    if ware.merchant.id != caller.merchant_id() {
        return Err(ApiError::new(Code::NotFound));
    }
    let program = programs::find(&app.database, ware.merchant.id).await?;
    let hosts = program.map(|program| program.redirect_hosts);
    let ways = Ways {
        hosts: hosts.unwrap_or_default(),
        shop: ware
            .merchant
            .storefront_url
            .as_deref()
            .and_then(|url| Url::parse(url).ok()),
    };
    let token = wire.attribution_token.as_deref();
    let wish = Wish {
        id,
        sku: sku(ware.product.id, wire.variant_id.as_deref()),
        quantity: wire.quantity.0,
        email: wire.customer_email.map(|Text(email)| email),
        came: token
            .and_then(|token| Attribution::read(token, app.engine.vault()))
            .map(Came::Link),
        success_url: ways.read(wire.success_url, "success_url")?,
        cancel_url: ways.read(wire.cancel_url, "cancel_url")?,
        metadata,
    };
    let session = begin(&app, &ware, wish).await?;
    let view = CheckoutSession::of(&app, &session, app.now());
    Ok(Answer::created(view).into_response())
}

/// Where customers may be sent.
struct Ways {
    hosts: Vec<String>,
    shop: Option<Url>,
}

impl Ways {
    fn read(&self, sent: Option<String>, field: &'static str) -> Result<Option<String>, ApiError> {
        let Some(sent) = sent else { return Ok(None) };
        let fits = sent.len() <= URL_CHARS_MAX;
        let url = fits.then(|| allowed(&sent, &self.hosts, self.shop.as_ref()));
        let url = url.flatten().ok_or_else(|| {
            ApiError::field(field, "must be https, at a host that the program allows")
        })?;
        Ok(Some(url.to_string()))
    }
}

impl CheckoutSession {
    fn of(app: &App, session: &Session, now: Timestamp) -> Self {
        let id = session.id.to_string();
        Self {
            uniqid: id.clone(),
            id,
            status: session.status_at(now).name(),
            metadata: session.metadata.clone(),
            url: format!("{}{}", app.origin, session_path(app, session.id)),
            expires_at: Time(session.expires_at),
            created_at: Time(session.created_at),
        }
    }
}
