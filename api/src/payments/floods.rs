//! Addresses of which a node does not tell what arrived: so much was sent there that no answer holds it.
//!
//! Keeps: one address keeps no other from being paid. It is asked again and again, and others of its network wait
//! with it so long; if its question alone goes unanswered each time, it is given up as long as this process
//! lasts, loudly, and its invoice is for the merchant to look at and to mark.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use engine::{chains::EvmAddress, ids::InvoiceId, payments::Unavailable};
use futures_util::future::BoxFuture;

use super::rpc::Transfer;

/// Looks in a row that are without an answer before an address is given up.
const LOOKS_MAX: u32 = 40;
/// Addresses that one block has room to flood: a node that tells of more of them nothing is itself the trouble.
const FLOODED_MAX: usize = 8;

/// How often in a row each address was without an answer while its network was not.
#[derive(Debug, Default)]
pub(super) struct Floods(Mutex<HashMap<EvmAddress, u32>>);

/// What arrived at many addresses, as far as a node tells it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) transfers: Vec<Transfer>,
    /// Those that it did not tell of.
    pub(super) silent: Vec<EvmAddress>,
}

impl Floods {
    /// Whether nobody asks for this address any more.
    pub(super) fn gave_up(&self, address: EvmAddress) -> bool {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts
            .get(&address)
            .is_some_and(|looks| *looks >= LOOKS_MAX)
    }

    /// An address was without an answer in a look that others had answers in; true once it is given up.
    pub(super) fn silent(&self, address: EvmAddress, invoice: InvoiceId) -> bool {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let looks = counts.entry(address).or_default();
        *looks += 1;
        if *looks == LOOKS_MAX {
            tracing::error!(
                invoice.id = %invoice,
                "gave up asking what arrived for an invoice: look by hand, and mark it paid"
            );
        }
        *looks >= LOOKS_MAX
    }

    /// It was answered.
    pub(super) fn told(&self, address: EvmAddress) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.get(&address).is_some_and(|looks| *looks < LOOKS_MAX) {
            counts.remove(&address);
        }
    }
}

/// What went to these addresses in one block of which a node does not tell all at once: asked by halves, down to
/// one address. Nothing is told if it answers for none.
pub(super) async fn apart<'a>(
    addresses: &[EvmAddress],
    ask: impl Fn(Vec<EvmAddress>) -> BoxFuture<'a, Result<Vec<Transfer>, Unavailable>>,
) -> Result<Told, Unavailable> {
    let (mut transfers, mut silent) = (Vec::new(), Vec::new());
    let mut parts = vec![addresses];
    while let Some(part) = parts.pop() {
        match (ask(part.to_vec()).await, part) {
            (Ok(some), _) => transfers.extend(some),
            (Err(_), [one]) => silent.push(*one),
            (Err(_), part) => {
                let (first, second) = part.split_at(part.len() / 2);
                parts.extend([second, first]);
            }
        }
        if silent.len() > FLOODED_MAX {
            return Err(Unavailable);
        }
    }
    // A node that answers for none says nothing about any.
    if silent.len() == addresses.len() {
        return Err(Unavailable);
    }
    Ok(Told { transfers, silent })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::FutureExt as _;

    use super::*;

    fn address(number: usize) -> EvmAddress {
        EvmAddress::of_digits(&format!("{number:040x}")).expect("forty digits")
    }

    fn transfer(to: EvmAddress) -> Transfer {
        Transfer {
            contract: address(99),
            to,
            units: Some(1),
            block: 1,
            block_hash: String::new(),
            transaction: String::new(),
            index: 0,
        }
    }

    #[tokio::test]
    async fn flooded_address_alone_is_left_out_and_found_by_halves() {
        let all: Vec<_> = (0..64).map(address).collect();
        let questions = AtomicUsize::new(0);
        let told = apart(&all, |asked| {
            questions.fetch_add(1, Ordering::Relaxed);
            let flooded = asked.contains(&address(17));
            let answer = if flooded {
                Err(Unavailable)
            } else {
                Ok(asked.into_iter().map(transfer).collect())
            };
            async move { answer }.boxed()
        });
        let told = told.await.expect("the others are told");
        assert_eq!(told.silent, [address(17)]);
        assert_eq!(told.transfers.len(), 63);
        assert!(questions.into_inner() <= 13);
    }

    #[tokio::test]
    async fn node_that_answers_for_none_judges_none() {
        let all: Vec<_> = (0..1000).map(address).collect();
        let questions = AtomicUsize::new(0);
        let told = apart(&all, |_| {
            questions.fetch_add(1, Ordering::Relaxed);
            async { Err(Unavailable) }.boxed()
        });
        assert_eq!(told.await, Err(Unavailable));
        assert!(
            questions.into_inner() <= 40,
            "a node that is down is not asked for ever"
        );
        let one = apart(&all[..1], |_| async { Err(Unavailable) }.boxed());
        assert_eq!(one.await, Err(Unavailable));
    }

    #[test]
    fn address_is_given_up_after_many_looks_in_a_row_for_good() {
        let floods = Floods::default();
        let invoice = InvoiceId::from_uuid(uuid::Uuid::nil());
        for _ in 1..LOOKS_MAX {
            assert!(!floods.silent(address(1), invoice));
        }
        floods.told(address(1));
        for _ in 1..LOOKS_MAX {
            assert!(!floods.silent(address(1), invoice));
        }
        assert!(!floods.gave_up(address(1)));
        assert!(floods.silent(address(1), invoice) && floods.gave_up(address(1)));
        floods.told(address(1));
        assert!(floods.gave_up(address(1)) && !floods.gave_up(address(2)));
    }
}
