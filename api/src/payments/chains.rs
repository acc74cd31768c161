//! Networks that the operator of this installation watches: section `chains` of the settings, by name.
//!
//! Keeps: the address of a node, which may hold a key, is in no log and no answer.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Context as _, ensure};
use engine::{
    payments::Unavailable,
    payouts::{Sent, Transaction},
};
use reqwest::Url;
use serde::Deserialize;

use super::{floods::Floods, gone::Gone, rpc::Node};
use crate::config::Secret;

const NAME_CHARS_MAX: usize = 32;

/// One network.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where a node of it answers JSON-RPC; the address holds a key, perhaps.
    pub rpc_url: Secret,
    /// How often it is asked for new blocks.
    #[serde(default = "poll_ms")]
    pub poll_ms: u64,
    /// Blocks that one question is about.
    #[serde(default = "blocks_at_once")]
    pub blocks_at_once: u64,
}

const fn poll_ms() -> u64 {
    15_000
}

const fn blocks_at_once() -> u64 {
    500
}

/// A network that is watched.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) network: String,
    pub(super) node: Node,
    pub(super) poll: Duration,
    pub(super) floods: Floods,
    pub(super) gone: Gone,
}

/// All of them; cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Chains(BTreeMap<String, Arc<Chain>>);

impl Chains {
    pub fn new(settings: &BTreeMap<String, Settings>) -> anyhow::Result<Self> {
        let chains = settings.iter().map(|(name, one)| {
            let chain = Chain::new(name, one).with_context(|| format!("the chain `{name}`"))?;
            Ok((name.clone(), Arc::new(chain)))
        });
        chains.collect::<anyhow::Result<_>>().map(Self)
    }

    pub(crate) fn find(&self, network: &str) -> Option<&Arc<Chain>> {
        self.0.get(network)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Chain>> {
        self.0.values()
    }

    /// Their names, with commas between them.
    pub(super) fn names(&self) -> String {
        let names: Vec<_> = self.0.keys().map(|name| format!("`{name}`")).collect();
        names.join(", ")
    }
}

impl Chain {
    fn new(name: &str, settings: &Settings) -> anyhow::Result<Self> {
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        ensure!(
            (1..=NAME_CHARS_MAX).contains(&name.len()) && name.bytes().all(letter),
            "the name must be 1 to {NAME_CHARS_MAX} letters in lower case, digits or `-`"
        );
        // The parser's message could repeat the key.
        let url = Url::parse(settings.rpc_url.expose()).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = url.context("rpc_url must begin with https:// or http://")?;
        ensure!(settings.poll_ms >= 1, "poll_ms must be at least 1");
        ensure!(
            settings.blocks_at_once >= 1,
            "blocks_at_once must be at least 1"
        );
        Ok(Self {
            network: name.to_owned(),
            node: Node::new(url, settings.blocks_at_once)?,
            poll: Duration::from_millis(settings.poll_ms),
            floods: Floods::default(),
            gone: Gone::default(),
        })
    }
}

impl Chain {
    /// A transaction, as the chain has it now; none if it is in no block of it.
    pub(crate) async fn transaction(&self, hash: &str) -> Result<Option<Transaction>, Unavailable> {
        let head = self.node.head().await?;
        let Some(receipt) = self.node.receipt(hash).await? else {
            return Ok(None);
        };
        let block = self.node.block_hash(receipt.block).await?;
        if block.as_ref() != Some(&receipt.block_hash) {
            return Ok(None);
        }
        let sent = receipt.transfers.iter().map(|transfer| Sent {
            contract: transfer.contract,
            to: transfer.to,
            units: transfer.units,
        });
        Ok(Some(Transaction {
            succeeded: receipt.succeeded,
            depth: (head + 1).saturating_sub(receipt.block),
            sent: sent.collect(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(name: &str, url: &str) -> anyhow::Result<Chain> {
        let settings = Settings {
            rpc_url: Secret::new(url),
            poll_ms: poll_ms(),
            blocks_at_once: blocks_at_once(),
        };
        Chain::new(name, &settings)
    }

    #[test]
    fn chain_has_a_short_name_and_a_node() {
        assert!(chain("base-2", "https://node.example/v2/key").is_ok());
        for (name, url) in [
            ("", "https://node.example"),
            ("Base", "https://node.example"),
            ("base", "node.example"),
            ("base", "ftp://node.example"),
        ] {
            assert!(chain(name, url).is_err(), "{name} {url}");
        }
    }

    #[test]
    fn key_of_a_node_is_not_shown() {
        for wrong in [
            chain("base", "https://node.example/hunter2"),
            chain("base", "hunter2"),
        ] {
            let shown = format!("{wrong:?}");
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }
}
