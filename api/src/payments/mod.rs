//! How merchants take money, and the worlds in which invoices are paid.
//!
//! Keeps: nothing that is told from outside moves money; it says when a provider is to be asked, and what
//! the provider answers then is stored and credited once.

pub(crate) mod chains;
mod erc20;
mod manual;
pub(crate) mod methods;
mod rpc;
mod watch;

pub use chains::{Chains, Settings};
use engine::{
    money::Money,
    payments::{Access, Method, Pay, Provider as _, Unavailable},
};
pub(crate) use manual::{Manual, Word};
pub(crate) use watch::watch_chains;

use crate::state::App;
use erc20::Erc20;

/// How an invoice over this amount is paid by a method.
pub(crate) async fn open(app: &App, method: &Method, amount: Money) -> Result<Pay, Unavailable> {
    match &method.access {
        Access::Manual => Manual::of(method).open(amount).await,
        Access::EvmErc20(_) => Erc20::of(method, &app.chains).open(amount).await,
    }
}
