//! The provider that watches a chain: whoever pays sends tokens to an address that only one invoice has.
//!
//! Keeps: a transfer is final when its transaction succeeded and is in a block of the chain as it is now, deep
//! enough; it is known by its transaction and its place in it, which no reordering of blocks changes.

use std::{collections::HashMap, sync::Arc};

use engine::{
    money::{Currency, Money},
    payments::{
        Access, Arrival, Deposit, Invoice, Method, Pay, Provider, ProviderKind, Snapshot, Source,
        Unavailable,
    },
};
use futures_util::future::{BoxFuture, ready};

use super::{
    chains::{Chain, Chains},
    largest,
    rpc::{Receipt, Transfer},
};

/// See the module.
#[derive(Debug, Clone)]
pub(super) enum Erc20 {
    /// A merchant's method, on a network that is watched or is so no more.
    Method {
        instructions: Option<String>,
        watched: bool,
    },
    Reading(Reading),
}

/// What is read.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub(super) chain: Arc<Chain>,
    /// The first block that can still change.
    pub(super) from: u64,
    /// In which tokens are counted.
    pub(super) currency: Currency,
}

impl Erc20 {
    /// As the merchant set it up.
    pub(super) fn of(method: &Method, chains: &Chains) -> Self {
        let watched = match &method.access {
            Access::EvmErc20(deposits) => chains.find(&deposits.token.network).is_some(),
            Access::Manual | Access::Btcpay(_) => false,
        };
        let text = Some(method.instructions.clone());
        Self::Method {
            instructions: text.filter(|text| !text.is_empty()),
            watched,
        }
    }

    pub(super) const fn reading(reading: Reading) -> Self {
        Self::Reading(reading)
    }

    fn ready(&self) -> Result<Pay, Unavailable> {
        match self {
            Self::Method {
                instructions,
                watched: true,
            } => Ok(Pay {
                instructions: instructions.clone(),
                ..Pay::default()
            }),
            Self::Method { watched: false, .. } | Self::Reading(_) => Err(Unavailable),
        }
    }
}

impl Provider for Erc20 {
    fn kind(&self) -> ProviderKind {
        ProviderKind::EvmErc20
    }

    fn open(&self, _amount: Money) -> BoxFuture<'_, Result<Pay, Unavailable>> {
        Box::pin(ready(self.ready()))
    }

    fn fetch<'a>(&'a self, invoice: &'a Invoice) -> BoxFuture<'a, Result<Snapshot, Unavailable>> {
        match (self, &invoice.pay.deposit) {
            (Self::Reading(reading), Some(deposit)) => Box::pin(reading.snapshot(deposit)),
            (Self::Method { .. }, _) | (_, None) => Box::pin(ready(Err(Unavailable))),
        }
    }
}

impl Reading {
    /// Everything that went to an address and can still change, or did so lately.
    async fn snapshot(&self, deposit: &Deposit) -> Result<Snapshot, Unavailable> {
        let (node, token) = (&self.chain.node, &deposit.token);
        let head = node.head().await?;
        let found = node
            .transfers((self.from, head), &[token.contract], &[deposit.address])
            .await?;
        let mut counted = Vec::new();
        for transfer in found {
            let worth = transfer
                .units
                .and_then(|units| token.worth(units, self.currency));
            let Some(amount) = worth else {
                tracing::error!("a transfer of more than any balance can hold was left alone");
                continue;
            };
            if amount > Money::ZERO {
                counted.push((amount, transfer));
            }
        }
        let mut arrived = Vec::new();
        let mut receipts = HashMap::new();
        for (amount, transfer) in largest(counted, |(amount, _)| *amount) {
            let depth = (head + 1).saturating_sub(transfer.block);
            let settled = depth >= u64::from(token.confirmations);
            let place = if settled {
                self.place(&transfer, &mut receipts).await?
            } else {
                0
            };
            let source = Source::Transfer {
                network: token.network.clone(),
                transaction: transfer.transaction,
                place,
            };
            arrived.push(Arrival {
                source: source.to_string(),
                amount,
                settled,
            });
        }
        // What was final and is gone all the same is found by whoever watches the chain.
        Ok(Snapshot {
            arrived,
            ..Snapshot::default()
        })
    }

    /// The place of a transfer in its transaction, which is in the chain as it is now.
    async fn place(
        &self,
        transfer: &Transfer,
        receipts: &mut HashMap<String, Receipt>,
    ) -> Result<usize, Unavailable> {
        let transaction = &transfer.transaction;
        if !receipts.contains_key(transaction) {
            let receipt = self.chain.node.receipt(transaction).await?;
            let receipt = receipt.ok_or(Unavailable)?;
            let block = self.chain.node.block_hash(transfer.block).await?;
            if !receipt.succeeded || block.as_ref() != Some(&receipt.block_hash) {
                return Err(Unavailable);
            }
            receipts.insert(transaction.clone(), receipt);
        }
        let receipt = receipts.get(transaction).ok_or(Unavailable)?;
        if receipt.block_hash != transfer.block_hash {
            return Err(Unavailable);
        }
        let mut indexes = receipt.indexes.iter();
        indexes
            .position(|index| *index == transfer.index)
            .ok_or(Unavailable)
    }
}
