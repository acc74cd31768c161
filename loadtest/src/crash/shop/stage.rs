//! Who buys what where: what a process of shops is told when it starts.
//!
//! Keeps: the seed decides what every shop asks for; only answers and their times are not in it.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::Context as _;
use auditor::{Account, Id, Sku};
use serde::{Deserialize, Serialize};

/// One process of shops.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::crash) struct Stage {
    pub(in crate::crash) seed: u64,
    /// Which of the processes this is: its shops' numbers and order ids follow from it.
    pub(in crate::crash) process: u32,
    pub(in crate::crash) shops: u32,
    /// Where an engine may listen.
    pub(in crate::crash) engines: Vec<SocketAddr>,
    /// Where histories are written.
    pub(in crate::crash) histories: PathBuf,
    /// How long unanswered calls are sent again at the end.
    pub(in crate::crash) heal_within: Duration,
    pub(in crate::crash) resellers: Vec<Reseller>,
    /// Gives money and stock to the thin resellers.
    pub(in crate::crash) supplier: Merchant,
    /// Changes its terms while the others sell; one process is told.
    pub(in crate::crash) merchant: Option<Merchant>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::crash) struct Reseller {
    pub(in crate::crash) relationship: String,
    pub(in crate::crash) key: String,
    pub(in crate::crash) wares: Vec<Ware>,
    /// Its money and its stock run out: it asks less often, and is given more now and then.
    pub(in crate::crash) thin: bool,
    /// Its key is taken out of force some time.
    pub(in crate::crash) revocable: bool,
}

/// Something with a shelf.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::crash) struct Ware {
    pub(in crate::crash) product: String,
    pub(in crate::crash) variant: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::crash) struct Merchant {
    pub(in crate::crash) id: String,
    pub(in crate::crash) key: String,
}

impl Reseller {
    pub(super) fn account(&self) -> anyhow::Result<Account> {
        Ok(Account {
            relationship: id(&self.relationship)?,
            test: false,
        })
    }

    /// The id that its key begins with.
    pub(super) fn key_id(&self) -> anyhow::Result<Id> {
        let digits = self.key.split('_').nth(2);
        let read = digits.and_then(|digits| Id::of_digits(digits.as_bytes()));
        read.context("a key without an id")
    }

    /// The same as the contract writes it.
    pub(super) fn key_name(&self) -> String {
        let digits = self.key.split('_').nth(2).unwrap_or_default();
        format!("key_{digits}")
    }
}

impl Merchant {
    pub(super) fn id(&self) -> anyhow::Result<Id> {
        id(&self.id)
    }
}

impl Ware {
    pub(super) fn sku(&self) -> anyhow::Result<Sku> {
        Ok(Sku {
            product: id(&self.product)?,
            variant: self.variant.as_deref().map(id).transpose()?,
        })
    }
}

fn id(text: &str) -> anyhow::Result<Id> {
    Id::of_text(text).with_context(|| format!("`{text}` is not an id"))
}
