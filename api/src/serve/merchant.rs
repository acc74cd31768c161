//! `consign merchant create`: the first step on a new installation, at its console.
//!
//! Keeps: the merchant and its owner are made together or not at all; the owner's password is the owner's,
//! set by a link that works once.

use std::{io::Write as _, sync::Arc};

use anyhow::{Context as _, bail};
use engine::{
    audit::{Actor, ActorKind},
    clock::{Clock as _, SystemClock},
    fulfillments::Email,
    ids::MerchantId,
    money::Currency,
    persons::Role,
    random::SystemRandom,
    vault::Vault,
};
use persistence::{
    installation::{Canary, check_canary},
    merchants::{NewMerchant, create},
};

use crate::{
    config::Config,
    members::letter::{Occasion, new_member},
};

const NAME_CHARS_MAX: usize = 80;

/// Make a merchant.
#[derive(clap::Args)]
pub struct Merchant {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Make a merchant with its first owner, who gets a link to set a password.
    Create {
        /// What resellers know it by.
        #[arg(long)]
        name: String,
        /// ISO 4217; every price and balance is in it, for ever.
        #[arg(long, value_parser = currency)]
        currency: Currency,
        /// E-mail address of the owner.
        #[arg(long, value_parser = email)]
        owner: Email,
        /// Name of the owner; else the address.
        #[arg(long)]
        owner_name: Option<String>,
    },
}

impl Merchant {
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        let Verb::Create {
            name,
            currency,
            owner,
            owner_name,
        } = self.verb;
        let name = name.trim().to_owned();
        if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
            bail!("a name has 1 to {NAME_CHARS_MAX} characters");
        }
        let database = config.database.connect().await?;
        let vault = Vault::new(&config.vault.root_key()?, Arc::new(SystemRandom));
        let canary = check_canary(&database, &vault).await;
        if canary.context("trying the root key")? == Canary::Foreign {
            bail!("the root key is not the one that sealed this database");
        }
        let (now, address) = (SystemClock.now(), owner.as_str().to_owned());
        let id = MerchantId::generate(now, &SystemRandom);
        let occasion = Occasion {
            merchant: &name,
            origin: &config.http.origin,
        };
        let who = (
            owner,
            owner_name.unwrap_or_else(|| address.clone()),
            Role::Owner,
        );
        let (owner, link) = new_member(&occasion, who, now, &SystemRandom);
        let new = NewMerchant {
            id,
            name: name.clone(),
            currency,
            owner,
        };
        create(&database, &vault, new, console(), now).await?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "{id}  {name}  {}  owner {address}", currency.code())?;
        writeln!(
            out,
            "If {address} has no account yet, it sets a password here, once:"
        )?;
        writeln!(out, "{link}")?;
        Ok(())
    }
}

/// Whoever may read the root key.
fn console() -> Actor {
    Actor {
        kind: ActorKind::Job,
        id: None,
        label: "console".to_owned(),
        ip: None,
    }
}

fn currency(text: &str) -> Result<Currency, String> {
    Currency::parse(text).ok_or_else(|| "must be a code of ISO 4217 such as USD".to_owned())
}

fn email(text: &str) -> Result<Email, String> {
    Email::parse(text).ok_or_else(|| "must be an e-mail address".to_owned())
}
