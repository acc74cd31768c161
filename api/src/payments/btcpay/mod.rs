//! The provider that is a BTCPay Server of the merchant's own: it shows the invoice, takes the money, and is
//! asked what arrived.
//!
//! Keeps: a notice credits nothing; what the server answers when it is asked is stored once per payment, at the
//! rate that the server gave.

mod arrived;
mod ask;
mod bounds;
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
        let link = made.checkout_link.filter(|_| bounds::is_id(&made.id));
        let url = link.and_then(|link| bounds::link(&self.store.url, link));
        let url = url.ok_or_else(|| {
            let store = self.store.id;
            tracing::warn!(store.id = %store, "a payment server shows an invoice elsewhere");
            Unavailable
        })?;
        Ok(Pay {
            instructions: self.instructions.clone(),
            deposit: None,
            hosted: Some(Hosted {
                store: self.store.id,
                reference: made.id,
                url,
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
