//! `demo.json`: what a script needs to know of a running development server.
//!
//! Keeps: the file is whole or absent, only its owner reads it, and a start takes it away until the
//! server answers. It grows with the features; a field whose feature is missing is left out.

use std::{fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use anyhow::Context as _;
use serde::Serialize;

const FILE: &str = "demo.json";

#[derive(Serialize)]
pub(super) struct DemoFile {
    pub(super) base_url: String,
    pub(super) ops_url: String,
    pub(super) database_url: String,
    pub(super) merchant: Merchant,
    pub(super) resellers: Vec<Reseller>,
    pub(super) products: Vec<Product>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) load: Option<Load>,
}

#[derive(Serialize)]
pub(super) struct Merchant {
    pub(super) id: String,
    pub(super) key: String,
    /// What the merchant's owner signs in with.
    pub(super) email: String,
    pub(super) password: String,
}

#[derive(Serialize)]
pub(super) struct Reseller {
    pub(super) relationship_id: String,
    pub(super) mode: &'static str,
    pub(super) status: &'static str,
    /// What the reseller signs in with.
    pub(super) email: String,
    pub(super) password: String,
    pub(super) key: String,
    pub(super) dynamic_key: Option<String>,
    pub(super) test_key: Option<String>,
    pub(super) balance: String,
}

#[derive(Serialize)]
pub(super) struct Product {
    #[serde(rename = "product_id")]
    pub(super) id: String,
    pub(super) title: String,
    pub(super) variant_ids: Vec<String>,
    /// None for a product that is not sold by serials.
    pub(super) stock: Option<u64>,
    pub(super) wholesale_price: Option<String>,
}

/// Who and what the load generator uses.
#[derive(Serialize)]
pub(super) struct Load {
    pub(super) merchant: LoadMerchant,
    pub(super) resellers: Vec<LoadReseller>,
    pub(super) products: Vec<LoadProduct>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hot: Option<Hot>,
}

#[derive(Serialize)]
pub(super) struct LoadMerchant {
    pub(super) id: String,
    pub(super) key: String,
}

#[derive(Serialize)]
pub(super) struct LoadReseller {
    pub(super) relationship_id: String,
    pub(super) key: String,
    pub(super) product_ids: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct LoadProduct {
    pub(super) product_id: String,
}

/// One reseller that sells one product, for contention.
#[derive(Serialize)]
pub(super) struct Hot {
    pub(super) key: String,
    pub(super) product_id: String,
}

impl DemoFile {
    /// Puts the file in the place of an earlier one.
    pub(super) fn write(&self, state_dir: &Path) -> anyhow::Result<()> {
        let path = state_dir.join(FILE);
        let writing = || format!("writing `{}`", path.display());
        let draft = path.with_extension("json.draft");
        let text = serde_json::to_vec_pretty(self).context("a cast has a JSON form")?;
        // Left by a start that was killed; its mode may be another one.
        let _ = fs::remove_file(&draft);
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft)
            .with_context(writing)?;
        file.write_all(&text)
            .and_then(|()| file.sync_all())
            .with_context(writing)?;
        fs::rename(&draft, &path).with_context(writing)
    }

    /// Takes the file away, so that nobody calls a server that is not there.
    pub(super) fn remove(state_dir: &Path) -> anyhow::Result<()> {
        let path = state_dir.join(FILE);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("removing `{}`", path.display()))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}
