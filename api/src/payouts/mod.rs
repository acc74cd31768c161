//! Payouts and verifications over HTTP: asked for by the reseller, decided and paid by the merchant.
//!
//! Keeps: only a session that repeated its password asks for money; who pays is an owner of the merchant or
//! its key; a hash is told as what it is, a number that nobody looked at or a payment that its chain has.

mod checked;
pub(crate) mod decide;
mod letters;
pub(crate) mod list;
pub(crate) mod own;
pub(crate) mod request;
pub(crate) mod verification;

use engine::{money::Currency, payouts::Payout};
use serde::Serialize;
use utoipa::ToSchema;

use crate::wire::{
    money::{CurrencyCode, MoneyText},
    time::Time,
};

/// A request to be paid.
#[derive(Serialize, ToSchema)]
#[schema(as = Payout)]
pub(crate) struct PayoutView {
    id: String,
    uniqid: String,
    relationship_id: String,
    amount: MoneyText,
    currency: CurrencyCode,
    asset: String,
    network: String,
    address: String,
    note: Option<String>,
    status: &'static str,
    status_reason: Option<String>,
    /// A new address waits until then.
    approvable_at: Time,
    forced: bool,
    tx_hash: Option<String>,
    asset_amount: Option<String>,
    /// NONE; UNVERIFIED: there is a hash, which nobody looked at; VERIFIED: its chain says that it paid.
    proof: &'static str,
    approved_at: Option<Time>,
    completed_at: Option<Time>,
    rejected_at: Option<Time>,
    cancelled_at: Option<Time>,
    created_at: Time,
    updated_at: Time,
}

impl PayoutView {
    pub(crate) fn of(payout: &Payout, currency: Currency) -> Self {
        let id = payout.id.to_string();
        Self {
            uniqid: id.clone(),
            id,
            relationship_id: payout.relationship.to_string(),
            amount: MoneyText(currency, payout.amount),
            currency: CurrencyCode(currency),
            asset: payout.to.asset.clone(),
            network: payout.to.network.clone(),
            address: payout.address.clone(),
            note: payout.note.clone(),
            status: payout.status.name(),
            status_reason: payout.status_reason.clone(),
            approvable_at: Time(payout.approvable_at),
            forced: payout.forced,
            tx_hash: payout.tx_hash.clone(),
            asset_amount: payout.asset_amount.clone(),
            proof: payout.proof().name(),
            approved_at: payout.approved_at.map(Time),
            completed_at: payout.completed_at.map(Time),
            rejected_at: payout.rejected_at.map(Time),
            cancelled_at: payout.cancelled_at.map(Time),
            created_at: Time(payout.created_at),
            updated_at: Time(payout.updated_at),
        }
    }
}
