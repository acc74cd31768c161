//! Commands that look at an installation or prepare it: migrate, doctor, check-config.

use std::{io::Write as _, sync::Arc};

use anyhow::{Context as _, bail};
use engine::{random::SystemRandom, vault::Vault};
use persistence::{
    installation::{Canary, check_canary},
    journal::{clear_halt, find_halt},
    settings,
};

use crate::config::Config;

/// `consign migrate`.
pub async fn migrate(config: &Config) -> anyhow::Result<()> {
    let database = config.database.connect().await?;
    database.migrate().await.context("migrating the schema")?;
    say("the schema is up to date")
}

/// `consign doctor`: every condition as it was found; an error if one is broken.
pub async fn doctor(config: &Config) -> anyhow::Result<()> {
    let database = config.database.connect().await?;
    let checks = settings::check(&database, config.database.durability()).await?;
    let width = checks
        .iter()
        .map(|check| check.name.len())
        .max()
        .unwrap_or_default();
    let mut broken = 0;
    for check in &checks {
        let (name, found) = (&check.name, &check.found);
        if check.holds {
            say(format_args!("ok      {name:width$}  {found}"))?;
        } else {
            broken += 1;
            say(format_args!(
                "BROKEN  {name:width$}  {found}: {}",
                check.wanted
            ))?;
        }
    }
    if broken > 0 {
        bail!("{broken} conditions are broken; nothing is served on this database");
    }
    let vault = Vault::new(&config.vault.root_key()?, Arc::new(SystemRandom));
    match check_canary(&database, &vault).await? {
        Canary::Foreign => bail!("the root key is not the one that sealed this database"),
        Canary::Sealed | Canary::Opened => say("ok      the root key opens this database")?,
    }
    match find_halt(&database).await? {
        Some(halt) => bail!("{halt}"),
        None => say("ok      the shard is not halted"),
    }
}

/// `consign unhalt`: an operator has looked, and the shard may be served again.
pub async fn unhalt(config: &Config) -> anyhow::Result<()> {
    let database = config.database.connect().await?;
    match clear_halt(&database).await? {
        None => say("the shard is not halted")?,
        Some(halt) => {
            let (since, because) = (halt.halted_at, halt.halted_because);
            say(format_args!(
                "the shard was halted since {since}: {because}. It may be served again"
            ))?;
        }
    }
    let Some(file) = config.database.tripwire(&database).await? else {
        return Ok(());
    };
    let path = file.path().display();
    if file.forget().await.context("forgetting")? {
        return say(format_args!("forgot what `{path}` remembered"));
    }
    Ok(())
}

/// `consign check-config`: the settings that are in force, without secrets.
pub fn check_config(config: &Config) -> anyhow::Result<()> {
    say(format_args!("{config:#?}"))
}

fn say(line: impl std::fmt::Display) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "{line}")?;
    Ok(())
}
