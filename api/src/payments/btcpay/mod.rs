//! The provider that is a BTCPay Server of the merchant's own: it shows the invoice, takes the money, and is
//! asked what arrived.
//!
//! Keeps: a notice credits nothing; what the server answers when it is asked is stored once per payment, at the
//! rate that the server gave.

mod arrived;
mod ask;
mod client;
mod hook;
mod setup;

pub use ask::ask_due;
pub(crate) use ask::ask_shops;
use client::Shop;
pub use client::Shops;
use engine::{
    money::{Currency, Money},
    payments::{Hosted, Invoice, Pay, Provider, ProviderKind, Snapshot, Store, Unavailable},
    vault::Vault,
};
use futures_util::future::BoxFuture;
pub(crate) use hook::notice;
pub(super) use setup::{Given, MASK, store};

const PAGE_CHARS_MAX: usize = 2000;

/// A merchant's store, and what reaches it.
#[derive(Debug, Clone)]
pub(super) struct Btcpay {
    pub(super) shops: Shops,
    pub(super) vault: Vault,
    pub(super) store: Store,
    /// Of the invoices.
    pub(super) currency: Currency,
    /// How long a new one waits for money.
    pub(super) minutes: i64,
    pub(super) instructions: Option<String>,
}

impl Btcpay {
    fn shop(&self) -> Result<Shop<'_>, Unavailable> {
        let token = self
            .vault
            .open_store_token(self.store.id, &self.store.token);
        Ok(Shop {
            url: &self.store.url,
            name: &self.store.name,
            token: token.map_err(|_| Unavailable)?,
        })
    }

    async fn opened(&self, amount: Money) -> Result<Pay, Unavailable> {
        let text = self.currency.display(amount).to_string();
        let asked = (text, self.currency.code());
        let made = self.shops.open(&self.shop()?, asked, self.minutes).await?;
        Ok(Pay {
            instructions: self.instructions.clone(),
            deposit: None,
            hosted: Some(Hosted {
                store: self.store.id,
                reference: made.id,
                url: made
                    .checkout_link
                    .filter(|url| is_page(url))
                    .ok_or(Unavailable)?,
            }),
        })
    }

    async fn snapshot(&self, invoice: &Invoice) -> Result<Snapshot, Unavailable> {
        let hosted = invoice.pay.hosted.as_ref().ok_or(Unavailable)?;
        let (shop, reference) = (self.shop()?, hosted.reference.as_str());
        let remote = self.shops.invoice(&shop, reference).await?;
        let found = self.shops.arrived(&shop, reference).await?;
        Ok(arrived::snapshot(
            (remote, &found),
            (invoice.amount, self.currency),
        ))
    }
}

/// Whether what a server calls the address of a page is one: it is shown to whoever pays.
fn is_page(url: &str) -> bool {
    let parsed = reqwest::Url::parse(url);
    url.len() <= PAGE_CHARS_MAX
        && parsed.is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.has_host())
}

impl Provider for Btcpay {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Btcpay
    }

    fn open(&self, amount: Money) -> BoxFuture<'_, Result<Pay, Unavailable>> {
        Box::pin(self.opened(amount))
    }

    fn fetch<'a>(&'a self, invoice: &'a Invoice) -> BoxFuture<'a, Result<Snapshot, Unavailable>> {
        Box::pin(self.snapshot(invoice))
    }
}
