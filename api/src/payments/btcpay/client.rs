//! What is asked of a BTCPay Server, by its Greenfield API: a shop, invoices, the payments of one.
//!
//! Keeps: the server is where its merchant says, so every call goes through the guard of addresses, follows no
//! redirect, and is given up after some seconds; of an answer only what is named here is read.

use std::{fmt, time::Duration};

use axum::http::{HeaderValue, StatusCode, header};
use engine::{payments::Unavailable, vault::Opened};
use reqwest::{Method, Url};
use rust_decimal::Decimal;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::webhooks::{
    client::guarded,
    target::{self, Rules},
};

const CALL_MAX: Duration = Duration::from_secs(8);
/// How long a server looks for payments of an invoice that ended.
const MONITORING_MINUTES: i64 = 24 * 60;
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// See the module.
#[derive(Debug, Clone)]
pub struct Shops {
    /// None without certificates to trust: then no server answers, and everything else goes on.
    http: Option<reqwest::Client>,
    rules: Rules,
}

/// One shop, for one call.
#[derive(Clone)]
pub(super) struct Shop<'a> {
    pub(super) url: &'a str,
    pub(super) name: &'a str,
    pub(super) token: Opened,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The server does not know the shop, or the token may not do this.
    Refused,
    Unavailable,
}

impl From<Trouble> for Unavailable {
    fn from(_: Trouble) -> Self {
        Self
    }
}

/// An invoice as the server has it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RemoteInvoice {
    pub(super) id: String,
    #[serde(default)]
    pub(super) checkout_link: Option<String>,
    #[serde(default)]
    pub(super) status: String,
    #[serde(default)]
    pub(super) additional_status: String,
}

/// What arrived in one coin.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RemoteMethod {
    #[serde(alias = "paymentMethod")]
    pub(super) payment_method_id: String,
    /// What one of the coin is worth in the currency of the invoice.
    pub(super) rate: Decimal,
    #[serde(default)]
    pub(super) payments: Vec<RemotePayment>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RemotePayment {
    pub(super) id: String,
    pub(super) value: Decimal,
    #[serde(default)]
    pub(super) status: String,
}

impl Shops {
    pub(crate) fn new(rules: Rules) -> Self {
        let http = guarded(rules).timeout(CALL_MAX).build();
        let http = http.inspect_err(|error| {
            tracing::error!(%error, "no payment servers are asked: {error}");
        });
        Self {
            http: http.ok(),
            rules,
        }
    }

    /// Whether the token reaches the shop.
    pub(super) async fn check(&self, shop: &Shop<'_>) -> Result<(), Trouble> {
        let _shop: Value = self.call(shop, Method::GET, &[], None).await?;
        Ok(())
    }

    /// Makes an invoice over an amount, which says how to pay it.
    pub(super) async fn open(
        &self,
        shop: &Shop<'_>,
        (amount, currency): (String, &str),
        minutes: i64,
    ) -> Result<RemoteInvoice, Trouble> {
        let body = json!({
            "amount": amount,
            "currency": currency,
            "checkout": {"expirationMinutes": minutes, "monitoringMinutes": MONITORING_MINUTES},
        });
        self.call(shop, Method::POST, &["invoices"], Some(body))
            .await
    }

    pub(super) async fn invoice(
        &self,
        shop: &Shop<'_>,
        reference: &str,
    ) -> Result<RemoteInvoice, Trouble> {
        self.call(shop, Method::GET, &["invoices", reference], None)
            .await
    }

    /// What arrived for an invoice, by coin.
    pub(super) async fn arrived(
        &self,
        shop: &Shop<'_>,
        reference: &str,
    ) -> Result<Vec<RemoteMethod>, Trouble> {
        let path = ["invoices", reference, "payment-methods"];
        self.call(shop, Method::GET, &path, None).await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        shop: &Shop<'_>,
        method: Method,
        path: &[&str],
        body: Option<Value>,
    ) -> Result<T, Trouble> {
        let mut url: Url = target::check(shop.url, self.rules).map_err(|_| Trouble::Unavailable)?;
        url.path_segments_mut()
            .map_err(|()| Trouble::Unavailable)?
            .pop_if_empty()
            .extend(["api", "v1", "stores", shop.name])
            .extend(path);
        let token = format!("token {}", shop.token.expose());
        let mut token = HeaderValue::from_str(&token).map_err(|_| Trouble::Refused)?;
        token.set_sensitive(true);
        let http = self.http.as_ref().ok_or(Trouble::Unavailable)?;
        let mut request = http
            .request(method, url)
            .header(header::AUTHORIZATION, token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let read = async {
            let mut answer = request.send().await?;
            let mut read = Vec::new();
            while let Some(part) = answer.chunk().await? {
                read.extend_from_slice(&part);
                if read.len() > ANSWER_BYTES_MAX {
                    break;
                }
            }
            Ok::<_, reqwest::Error>((answer.status(), read))
        };
        let (status, bytes) = read.await.map_err(|error| {
            let error = error.without_url();
            tracing::info!(%error, "a payment server did not answer: {error}");
            Trouble::Unavailable
        })?;
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => {
                Err(Trouble::Refused)
            }
            status if status.is_success() => {
                serde_json::from_slice(&bytes).map_err(|_| Trouble::Unavailable)
            }
            _ => Err(Trouble::Unavailable),
        }
    }
}

impl fmt::Debug for Shop<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shop")
    }
}
