//! Settings of `consign dev`: section `dev`.

use std::path::PathBuf;

use persistence::demo::Load;
use serde::{Deserialize, Serialize};

/// What a development server keeps, and how large a cast it plays with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Holds the cluster, the root key and `demo.json`.
    pub state_dir: PathBuf,
    /// Where orders become durable.
    pub journal: JournalKind,
    /// Products of the load cast; 0 with `load_hot_serials` 0: there is none.
    pub load_products: u32,
    pub load_resellers: u32,
    pub load_serials_per_product: u32,
    /// How many products each reseller of the load cast may sell.
    pub load_access: u32,
    /// Serials of the one product that everybody may hammer; 0: there is none.
    pub load_hot_serials: u32,
}

/// Where orders become durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JournalKind {
    Postgres,
    /// Nowhere: to see what the engine costs by itself. What is sold is forgotten.
    Memory,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            state_dir: PathBuf::from(".consign"),
            journal: JournalKind::Postgres,
            load_products: 0,
            load_resellers: 0,
            load_serials_per_product: 0,
            load_access: 0,
            load_hot_serials: 0,
        }
    }
}

impl Settings {
    /// The load cast that is asked for, if any.
    pub(super) fn load(&self) -> Option<Load> {
        let load = Load {
            products: self.load_products,
            resellers: self.load_resellers,
            access: self.load_access,
            serials: self.load_serials_per_product,
            hot_serials: self.load_hot_serials,
        };
        let wide = load.products > 0 && load.resellers > 0;
        (wide || load.hot_serials > 0).then_some(load)
    }
}
