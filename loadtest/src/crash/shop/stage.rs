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
    pub(in crate::crash) merchant: Merchant,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::crash) struct Reseller {
    pub(in crate::crash) relationship: String,
    pub(in crate::crash) key: String,
    pub(in crate::crash) wares: Vec<Ware>,
    /// Its money and its stock run out: it asks less often, and is given more now and then.
    pub(in crate::crash) thin: bool,
}

/// Something with a shelf.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::crash) struct Ware {
    pub(in crate::crash) product: String,
    pub(in crate::crash) variant: Option<String>,
}

/// Gives money and stock to the thin resellers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::crash) struct Merchant {
    pub(in crate::crash) key: String,
}

impl Reseller {
    pub(super) fn account(&self) -> anyhow::Result<Account> {
        Ok(Account {
            relationship: id(&self.relationship)?,
            test: false,
        })
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
