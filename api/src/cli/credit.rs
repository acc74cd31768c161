//! `consign credit`: add money to a reseller's prepaid balance, once per reference.

use engine::ids::RelationshipId;
use serde_json::json;

use super::{
    connection::{Connection, Target, id, text},
    say,
};

/// Add money to the prepaid balance of a reseller.
#[derive(Debug, clap::Args)]
pub struct Credit {
    #[command(flatten)]
    target: Target,
    /// Relationship of the reseller, `rel_…`.
    #[arg(long, value_parser = id(RelationshipId::parse))]
    reseller: RelationshipId,
    /// Amount in the program's currency, such as 10.00.
    #[arg(long)]
    amount: String,
    /// Your own name for this payment: the same one is credited once.
    #[arg(long)]
    reference: String,
    /// What it is: PROMO, CORRECTION or REFUND.
    #[arg(long = "type", default_value = "CORRECTION")]
    label: String,
    /// What the reseller reads in the statement.
    #[arg(long, default_value = "Credit")]
    description: String,
}

impl Credit {
    pub async fn run(self) -> anyhow::Result<()> {
        let connection = Connection::open(&self.target)?;
        let body = json!({
            "amount": self.amount,
            "type": self.label,
            "description": self.description,
            "reference": self.reference,
        });
        let path = format!("/dev/v1/resellers/{}/balance/credit", self.reseller);
        let answer = connection
            .post(&path, body.to_string().into_bytes())
            .await?;
        let credited = &answer["data"];
        say(format_args!(
            "{} {} under reference `{}`; the balance is {}",
            text(credited, "amount")?,
            text(credited, "currency")?,
            self.reference,
            text(credited, "new_balance")?,
        ))
    }
}
