//! How merchants take money, and the worlds in which invoices are paid.
//!
//! Keeps: nothing that is told from outside moves money; it says when a provider is to be asked, and what
//! the provider answers then is stored and credited once.

mod btcpay;
pub(crate) mod chains;
mod erc20;
mod floods;
mod gone;
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

/// Payments of one invoice that are taken in at one look.
const ARRIVALS_MAX: usize = 100;

/// The largest of what arrived: whoever sends dust hides no money behind it.
fn largest<T>(mut arrived: Vec<T>, amount: impl Fn(&T) -> Money) -> Vec<T> {
    if arrived.len() > ARRIVALS_MAX {
        let left = arrived.len() - ARRIVALS_MAX;
        tracing::error!(
            left,
            "so many payments came for an invoice that {left} were left alone"
        );
        arrived.sort_by_key(|one| std::cmp::Reverse(amount(one)));
        arrived.truncate(ARRIVALS_MAX);
    }
    arrived
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_not_hidden_behind_dust() {
        let cents = |minor| Money::from_minor(minor).expect("a small amount");
        let mut arrived = vec![cents(1); 5 * ARRIVALS_MAX];
        arrived.push(cents(5000));
        let kept = largest(arrived, |amount| *amount);
        assert_eq!((kept.len(), kept[0]), (ARRIVALS_MAX, cents(5000)));
        let few = vec![cents(1), cents(3), cents(2)];
        assert_eq!(largest(few.clone(), |amount| *amount), few);
    }
}
