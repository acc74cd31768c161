//! How merchants take money, and the worlds in which invoices are paid.
//!
//! Keeps: nothing that is told from outside moves money; it says when a provider is to be asked, and what
//! the provider answers then is stored and credited once.

mod btcpay;
pub(crate) mod chains;
mod erc20;
mod manual;
pub(crate) mod methods;
mod reverse;
mod rpc;
mod take_in;
mod watch;

use btcpay::Btcpay;
pub use btcpay::{Shops, ask_due};
pub(crate) use btcpay::{ask_shops, notice};
pub use chains::{Chains, Settings};
use engine::{
    money::{Currency, Money},
    payments::{Access, Method, Pay, Provider as _, Unavailable},
};
pub(crate) use manual::{Manual, Word};
use take_in::take_in;
pub(crate) use watch::watch_chains;

use crate::state::App;
use erc20::Erc20;

/// How an invoice of this currency over this amount, which waits so many minutes, is paid by a method.
pub(crate) async fn open(
    app: &App,
    method: &Method,
    (currency, amount, minutes): (Currency, Money, i64),
) -> Result<Pay, Unavailable> {
    match &method.access {
        Access::Manual => Manual::of(method).open(amount).await,
        Access::EvmErc20(_) => Erc20::of(method, &app.chains).open(amount).await,
        Access::Btcpay(store) => {
            let text = Some(method.instructions.clone());
            let provider = Btcpay {
                shops: app.shops.clone(),
                vault: app.engine.vault().clone(),
                store: (**store).clone(),
                currency,
                minutes,
                instructions: text.filter(|text| !text.is_empty()),
            };
            provider.open(amount).await
        }
    }
}
