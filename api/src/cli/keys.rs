//! `consign keys`: see a reseller's API keys, and take one out of force.

use anyhow::Context as _;
use engine::ids::{KeyId, RelationshipId};
use serde_json::{Value, json};

use super::{
    connection::{Connection, Target, id, text},
    say,
};

/// List or revoke the API keys of a reseller.
#[derive(Debug, clap::Args)]
pub struct Keys {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Show the keys of a reseller, without their secrets.
    List {
        #[command(flatten)]
        target: Target,
        /// Relationship of the reseller, `rel_…`.
        #[arg(long, value_parser = id(RelationshipId::parse))]
        reseller: RelationshipId,
    },
    /// Revoke a key: once this returns, it buys nothing any more.
    Revoke {
        #[command(flatten)]
        target: Target,
        /// Relationship of the reseller, `rel_…`.
        #[arg(long, value_parser = id(RelationshipId::parse))]
        reseller: RelationshipId,
        /// The key, `key_…`.
        #[arg(value_name = "KEY_ID", value_parser = id(KeyId::parse))]
        revoked: KeyId,
        /// Kept with the key.
        #[arg(long)]
        reason: Option<String>,
    },
}

impl Keys {
    pub async fn run(self) -> anyhow::Result<()> {
        match self.verb {
            Verb::List { target, reseller } => list(&target, reseller).await,
            Verb::Revoke {
                target,
                reseller,
                revoked,
                reason,
            } => {
                let connection = Connection::open(&target)?;
                let path = format!("/dev/v1/resellers/{reseller}/api-keys/{revoked}/revoke");
                let body = json!({ "reason": reason }).to_string().into_bytes();
                let answer = connection.post(&path, body).await?;
                show(&answer["data"])
            }
        }
    }
}

async fn list(target: &Target, reseller: RelationshipId) -> anyhow::Result<()> {
    let connection = Connection::open(target)?;
    let mut page = String::new();
    loop {
        let path = format!("/dev/v1/resellers/{reseller}/api-keys?limit=100{page}");
        let answer = connection.get(&path).await?;
        let keys = answer["data"]
            .as_array()
            .context("the answer has no list")?;
        keys.iter().try_for_each(show)?;
        let Some(cursor) = answer["pagination"]["next_cursor"].as_str() else {
            return Ok(());
        };
        page = format!("&cursor={cursor}");
    }
}

fn show(key: &Value) -> anyhow::Result<()> {
    let scopes: Vec<&str> = key["scopes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    say(format_args!(
        "{}  {:<8} …{}  {}  {}",
        text(key, "id")?,
        text(key, "status")?,
        text(key, "last4")?,
        text(key, "name")?,
        scopes.join(","),
    ))
}
