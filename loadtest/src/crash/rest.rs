//! What the engine has in memory once nothing is under way, as far as it tells over HTTP.
//!
//! Keeps: everybody whose key is in force is asked, and every shelf; what is not told fails the run.

use std::{collections::HashMap, time::Duration};

use anyhow::{Context as _, bail, ensure};
use auditor::{Id, Memory, Sku};
use serde_json::Value;

use super::{cast::Cast, engine::Engines, postgres::Postgres, process::wait_for, shop::Merchant};

/// Imports that a crash left without a number get one within this time: they are looked for each minute.
const NUMBERED_WITHIN: Duration = Duration::from_secs(150);
const TOLD_WITHIN: Duration = Duration::from_secs(20);

pub(super) fn memory(
    engines: &mut Engines,
    postgres: &Postgres,
    cast: &Cast,
) -> anyhow::Result<Memory> {
    // What is not numbered yet may come on sale between two looks.
    let numbered = wait_for(NUMBERED_WITHIN, || {
        let waiting = postgres.sql("SELECT count(*) FROM imports WHERE number IS NULL");
        waiting.is_ok_and(|count| count == "0")
    });
    ensure!(numbered, "imports wait for their numbers");
    Ok(Memory {
        balances: balances(engines, postgres, cast)?,
        shelves: shelves(engines, cast)?,
        ..Memory::default()
    })
}

fn balances(
    engines: &mut Engines,
    postgres: &Postgres,
    cast: &Cast,
) -> anyhow::Result<Vec<(i64, i64, i64)>> {
    let rows =
        postgres.sql("SELECT relationship_id || ' ' || balance_id FROM balances WHERE NOT test")?;
    let read = |row: &str| {
        let (relationship, balance) = row.split_once(' ')?;
        let bits = u128::from_str_radix(&relationship.replace('-', ""), 16).ok()?;
        Some((Id(bits), balance.parse().ok()?))
    };
    let known: Option<HashMap<Id, i64>> = rows.lines().map(read).collect();
    let known = known.context("unreadable balances")?;
    let mut told = Vec::with_capacity(cast.resellers.len());
    for reseller in &cast.resellers {
        let answer = heard(engines, "/reseller/v1/balance", &reseller.key)?;
        let Some(data) = answer else {
            ensure!(reseller.revocable, "a key is not in force");
            continue;
        };
        let (posted, available) = (minor(&data["balance"])?, minor(&data["available"])?);
        let id = Id::of_text(&reseller.relationship).context("an id")?;
        let balance = *known.get(&id).context("a reseller without a balance")?;
        told.push((balance, posted, posted - available));
    }
    Ok(told)
}

fn shelves(engines: &mut Engines, cast: &Cast) -> anyhow::Result<Vec<(Sku, u64, u64)>> {
    let mut told = Vec::new();
    for (merchant, thin) in [(&cast.merchant, false), (&cast.supplier, true)] {
        let resellers = cast.resellers.iter().filter(|one| one.thin == thin);
        let products = resellers.flat_map(|one| one.wares.iter().map(|ware| &ware.product));
        let products: std::collections::BTreeSet<&String> = products.collect();
        for product in products {
            told.extend(shelf(engines, merchant, product)?);
        }
    }
    Ok(told)
}

fn shelf(
    engines: &mut Engines,
    merchant: &Merchant,
    product: &str,
) -> anyhow::Result<Vec<(Sku, u64, u64)>> {
    let path = format!("/dev/v1/products/{product}/stock");
    let data = heard(engines, &path, &merchant.key)?.context("a merchant's key is not in force")?;
    let amounts = |told: &Value, variant: Option<Id>| {
        let sku = Sku {
            product: Id::of_text(product)?,
            variant,
        };
        let (stock, available) = (told["stock"].as_u64()?, told["available_stock"].as_u64()?);
        Some((sku, stock, available))
    };
    let variants = data["variants"].as_array().map_or(&[][..], Vec::as_slice);
    let told: Option<Vec<_>> = if variants.is_empty() {
        Some(vec![amounts(&data, None).context("a shelf")?])
    } else {
        variants
            .iter()
            .map(|told| amounts(told, Some(Id::of_text(told["id"].as_str()?)?)))
            .collect()
    };
    told.context("a shelf")
}

/// What is told under a key; none if it is not in force.
fn heard(engines: &mut Engines, path: &str, key: &str) -> anyhow::Result<Option<Value>> {
    let mut told = None;
    wait_for(TOLD_WITHIN, || {
        told = engines.answer(path, key).ok();
        let settled = |answer: &String| is(answer, 200) || is(answer, 401);
        told.as_ref().is_some_and(settled)
    });
    let told = told.context("no answer at rest")?;
    if is(&told, 401) {
        return Ok(None);
    }
    let Some((_, body)) = told.split_once("\r\n\r\n").filter(|_| is(&told, 200)) else {
        bail!("{path} is not told at rest");
    };
    let body: Value = serde_json::from_str(body)?;
    Ok(Some(body["data"].clone()))
}

fn is(answer: &str, status: u16) -> bool {
    answer.starts_with(&format!("HTTP/1.1 {status} "))
}

/// A decimal with two places, in minor units.
fn minor(amount: &Value) -> anyhow::Result<i64> {
    let text = amount.as_str().context("an amount")?;
    let (whole, cents) = text.split_once('.').context("an amount")?;
    Ok(format!("{whole}{cents}").parse()?)
}
