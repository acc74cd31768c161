//! Invoices, what arrives for them, and the port to the worlds in which they are paid.
//!
//! Keeps: an invoice moves only along [`Status::after`]; what arrived is taken in once per source, and
//! only as a provider told it when it was asked ([`Provider::fetch`]): a notice pays nothing. Money that both
//! a provider and the merchant's word told of is taken in once.

mod deposit;
mod dispute;
mod invoice;
mod method;
mod provider;
mod refund;
mod settle;
mod store;
mod take_back;
#[cfg(test)]
mod tests;

pub use deposit::{Deposit, Deposits};
pub use dispute::Dispute;
pub use invoice::{Event, Invoice, Next, Origin, Payment, Purpose, Status, Stepped, WrongStatus};
pub use method::{Access, COIN_CHARS_MAX, Coin, METHODS_MAX, Method, ProviderKind};
pub use provider::{Pay, Provider, Unavailable};
pub use settle::{Arrival, Contradiction, Settlement, Snapshot, Source};
pub use store::{Hosted, Store};
pub use take_back::{Act, NotTakenBack, TakenBack};
