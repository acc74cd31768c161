//! `demo.json`: what a script needs to know of a running development server.
//!
//! Keeps: the file is whole or absent, only its owner reads it, and it is there only after the
//! server answers. It grows with the features; a field whose feature is missing is left out.

use std::{fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use anyhow::Context as _;
use serde::Serialize;

const FILE: &str = "demo.json";

#[derive(Serialize)]
pub(crate) struct DemoFile {
    pub(crate) base_url: String,
    pub(crate) ops_url: String,
    pub(crate) database_url: String,
    pub(crate) merchant: Merchant,
    pub(crate) resellers: Vec<Reseller>,
    pub(crate) products: Vec<Product>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) load: Option<Load>,
}

#[derive(Serialize)]
pub(crate) struct Merchant {
    pub(crate) id: String,
    pub(crate) key: String,
    pub(crate) email: String,
}

#[derive(Serialize)]
pub(crate) struct Reseller {
    pub(crate) relationship_id: String,
    pub(crate) mode: &'static str,
    pub(crate) status: &'static str,
    pub(crate) email: String,
    pub(crate) key: String,
    pub(crate) dynamic_key: Option<String>,
    pub(crate) balance: String,
}

#[derive(Serialize)]
pub(crate) struct Product {
    pub(crate) product_id: String,
    pub(crate) title: String,
    pub(crate) variant_ids: Vec<String>,
    /// None for a product that is not sold by serials.
    pub(crate) stock: Option<u64>,
    pub(crate) wholesale_price: Option<String>,
}

/// Who and what the load generator uses.
#[derive(Serialize)]
pub(crate) struct Load {
    pub(crate) resellers: Vec<LoadReseller>,
    pub(crate) products: Vec<LoadProduct>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hot: Option<Hot>,
}

#[derive(Serialize)]
pub(crate) struct LoadReseller {
    pub(crate) relationship_id: String,
    pub(crate) key: String,
    pub(crate) product_ids: Vec<String>,
}

#[derive(Serialize)]
pub(crate) struct LoadProduct {
    pub(crate) product_id: String,
}

/// One reseller that sells one product, for contention.
#[derive(Serialize)]
pub(crate) struct Hot {
    pub(crate) key: String,
    pub(crate) product_id: String,
}

impl DemoFile {
    /// Puts the file in the place of an earlier one.
    pub(crate) fn write(&self, state_dir: &Path) -> anyhow::Result<()> {
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
    pub(crate) fn remove(state_dir: &Path) -> anyhow::Result<()> {
        let path = state_dir.join(FILE);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("removing `{}`", path.display()))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}
