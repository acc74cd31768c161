//! Port: a world in which invoices are paid.

use futures_util::future::BoxFuture;

use super::{Deposit, Hosted, Invoice, ProviderKind, Snapshot};
use crate::money::Money;

/// How an invoice is paid.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pay {
    pub instructions: Option<String>,
    /// None until the invoice is stored: an address is given away with it, once.
    pub deposit: Option<Deposit>,
    pub hosted: Option<Hosted>,
}

/// The provider did not answer; nothing is known that was not known before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the payment provider did not answer")]
pub struct Unavailable;

/// One merchant's access to such a world. Both calls may be repeated.
pub trait Provider: Send + Sync {
    fn kind(&self) -> ProviderKind;

    /// Makes ready what an invoice over this amount is paid by.
    fn open(&self, amount: Money) -> BoxFuture<'_, Result<Pay, Unavailable>>;

    /// Everything that has arrived for an invoice, as it stands now. A notice from outside says only
    /// that it is time to ask.
    fn fetch<'a>(&'a self, invoice: &'a Invoice) -> BoxFuture<'a, Result<Snapshot, Unavailable>>;
}
