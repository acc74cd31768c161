//! `POST /hooks/btcpay/{mer}`: a BTCPay Server says that something happened to an invoice.
//!
//! Keeps: one address and one merchant are heard so often, however their notices are signed; who signs with the secret of one of the merchant's stores has an invoice asked for, sooner than it
//! would be; nothing that a notice says is believed, and nothing of it is stored.

use std::sync::Arc;

use axum::{
    Extension,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use engine::{ids::MerchantId, payments::Store, vault::Vault};
use hmac::{Hmac, KeyInit as _, Mac as _};
use persistence::payments;
use serde::Deserialize;
use sha2::Sha256;

use crate::{
    error::{ApiError, Code},
    extract::PathIds,
    layers::{address::network, call::Call},
    state::App,
};

const SIGNATURE: &str = "btcpay-sig";
/// Stores whose secrets are tried.
const STORES_MAX: u32 = 8;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Notice {
    invoice_id: Option<String>,
}

pub(crate) async fn notice(
    State(app): State<App>,
    Extension(call): Extension<Arc<Call>>,
    PathIds(merchant): PathIds<MerchantId>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    // A server has few notices to send, and is asked anyhow.
    let (address, now) = (network(call.address).to_string(), app.now());
    let takes = |name: &str| app.notices.take(name, now);
    if !takes(&address) || !takes(&merchant.to_string()) {
        return Err(ApiError::new(Code::RateLimited));
    }
    let stores = payments::stores(&app.database, merchant, STORES_MAX).await?;
    let signature = headers.get(SIGNATURE).and_then(|text| text.to_str().ok());
    let signed = |store: &&Store| {
        signature.is_some_and(|sign| signs(app.engine.vault(), store, sign, &body))
    };
    let Some(store) = stores.iter().find(signed) else {
        return Ok(StatusCode::UNAUTHORIZED.into_response());
    };
    let notice: Option<Notice> = serde_json::from_slice(&body).ok();
    if let Some(reference) = notice.and_then(|notice| notice.invoice_id)
        && payments::ask_now(&app.database, store.id, reference, app.now()).await?
    {
        app.noticed.notify_one();
    }
    Ok(StatusCode::OK.into_response())
}

/// Whether a signature is this store's over the body.
fn signs(vault: &Vault, store: &Store, signature: &str, body: &[u8]) -> bool {
    let Some(secret) = &store.notices else {
        return false;
    };
    let Ok(secret) = vault.open_store_notices(store.id, secret) else {
        return false;
    };
    let Some(digits) = signature.strip_prefix("sha256=") else {
        return false;
    };
    let Some(bytes) = unhex(digits) else {
        return false;
    };
    let mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes());
    let mut mac = mac.expect("HMAC takes a key of any length");
    mac.update(body);
    mac.verify_slice(&bytes).is_ok()
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    if digits.len() != 64 || !digits.is_ascii() {
        return None;
    }
    let pairs = (0..digits.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok())
        .collect()
}
