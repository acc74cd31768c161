//! Who plays: resellers with plenty, a few that run out, and their two merchants.
//!
//! Keeps: terms change for the load cast only, where a unit costs every reseller the base price of its
//! product; money and stock run out for a few of the demo only.

use std::{fs, path::Path};

use anyhow::{Context as _, ensure};
use auditor::Before;
use serde_json::Value;

use super::shop::{Merchant, Reseller, Ware};
use crate::cast::Demo;

/// Demo resellers that may buy over HTTP and whose money runs out.
const THIN: [&str; 2] = ["demo-both", "demo-broke"];

/// Who plays, and what was stored before the first call.
pub(super) struct Cast {
    pub(super) resellers: Vec<Reseller>,
    /// Gives money and stock to the thin ones.
    pub(super) supplier: Merchant,
    /// Changes its terms while the others sell.
    pub(super) merchant: Merchant,
    pub(super) before: Before,
}

impl Cast {
    /// Reads the file of the server that made it. The last resellers with plenty may lose their keys.
    pub(super) fn read(file: &Path, revocable: usize) -> anyhow::Result<Self> {
        let demo: Value = serde_json::from_slice(&fs::read(file)?)?;
        let mut resellers = with_plenty(&Demo::read(file)?);
        let first = resellers.len().saturating_sub(revocable);
        for reseller in &mut resellers[first..] {
            reseller.revocable = true;
        }
        resellers.extend(thin(&demo));
        ensure!(
            resellers.iter().any(|one| one.thin),
            "nobody of the demo runs out"
        );
        ensure!(
            resellers.iter().any(|one| !one.thin && !one.revocable),
            "there is no load cast"
        );
        Ok(Self {
            resellers,
            supplier: merchant(&demo["merchant"]).context("the demo has no merchant")?,
            merchant: merchant(&demo["load"]["merchant"]).context("the load has no merchant")?,
            before: Before::default(),
        })
    }
}

fn merchant(told: &Value) -> Option<Merchant> {
    Some(Merchant {
        id: told["id"].as_str()?.to_owned(),
        key: told["key"].as_str()?.to_owned(),
    })
}

fn with_plenty(demo: &Demo) -> Vec<Reseller> {
    let all = demo.cast().resellers.into_iter();
    all.map(|reseller| Reseller {
        relationship: reseller.relationship_id,
        key: reseller.key,
        wares: reseller.product_ids.into_iter().map(plain).collect(),
        thin: false,
        revocable: false,
    })
    .collect()
}

fn thin(demo: &Value) -> Vec<Reseller> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut wares = Vec::new();
    for product in demo["products"].as_array().into_iter().flatten() {
        let variants = product["variant_ids"].as_array().into_iter().flatten();
        let before = wares.len();
        wares.extend(variants.map(|variant| Ware {
            product: text(&product["product_id"]),
            variant: Some(text(variant)),
        }));
        if wares.len() == before && !product["stock"].is_null() {
            wares.push(plain(text(&product["product_id"])));
        }
    }
    let resellers = demo["resellers"].as_array().into_iter().flatten();
    let runs_out = |reseller: &&Value| {
        let email = text(&reseller["email"]);
        THIN.iter()
            .any(|name| email.split('@').next() == Some(name))
    };
    resellers
        .filter(runs_out)
        .map(|reseller| Reseller {
            relationship: text(&reseller["relationship_id"]),
            key: text(&reseller["key"]),
            wares: wares.clone(),
            thin: true,
            revocable: false,
        })
        .collect()
}

fn plain(product: String) -> Ware {
    Ware {
        product,
        variant: None,
    }
}
