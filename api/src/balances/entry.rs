//! One change of a balance on the wire, and the names of the kinds.

use engine::{balances::EntryKind, fulfillments::OrderId, ids::StockRefundId, money::Currency};
use persistence::balances::ledger;
use serde::Serialize;
use utoipa::ToSchema;

use crate::wire::{
    csv::Row,
    money::{CurrencyCode, MoneyText},
    time::{self, Time},
};

/// A ledger entry as JSON object and as row of a CSV file.
#[derive(Serialize, ToSchema)]
#[schema(as = LedgerEntry)]
pub(crate) struct Entry {
    id: String,
    uniqid: String,
    version: i64,
    kind: &'static str,
    amount: MoneyText,
    balance_after: MoneyText,
    currency: CurrencyCode,
    reference_type: &'static str,
    reference_id: String,
    external_order_id: Option<String>,
    description: String,
    occurred_at: Time,
    created_at: Time,
}

const KINDS: [EntryKind; 9] = [
    EntryKind::Fulfillment,
    EntryKind::TopUp,
    EntryKind::Credit,
    EntryKind::Refund,
    EntryKind::Debit,
    EntryKind::TopUpReversal,
    EntryKind::DebtSettlement,
    EntryKind::StockRefund,
    EntryKind::StockPurchase,
];

pub(super) const fn kind_name(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Fulfillment => "FULFILLMENT",
        EntryKind::TopUp => "TOP_UP",
        EntryKind::Credit => "CREDIT",
        EntryKind::Refund => "REFUND",
        EntryKind::Debit => "DEBIT",
        EntryKind::TopUpReversal => "TOP_UP_REVERSAL",
        EntryKind::DebtSettlement => "DEBT_SETTLEMENT",
        EntryKind::StockRefund => "STOCK_REFUND",
        EntryKind::StockPurchase => "STOCK_PURCHASE",
    }
}

/// The kind behind a name in any case.
pub(super) fn parse_kind(name: &str) -> Option<EntryKind> {
    let name = name.trim().to_ascii_uppercase();
    KINDS.into_iter().find(|kind| kind_name(*kind) == name)
}

impl Entry {
    pub(crate) fn of(entry: ledger::LedgerEntry, currency: Currency) -> Self {
        let id = entry.id.to_string();
        let delivered = entry.kind == EntryKind::Fulfillment;
        let (reference_type, reference_id) = match entry.kind {
            EntryKind::Fulfillment => ("fulfillment", entry.id.fulfillment().to_string()),
            EntryKind::TopUp => ("payment", entry.reference.clone()),
            EntryKind::DebtSettlement => (settled_by(&entry.reference), entry.reference.clone()),
            EntryKind::TopUpReversal => ("top_up_refund", entry.reference.clone()),
            EntryKind::Credit => ("credit", entry.reference.clone()),
            EntryKind::Refund => ("refund", entry.reference.clone()),
            EntryKind::Debit => ("debit", entry.reference.clone()),
            EntryKind::StockRefund => ("stock_refund", entry.reference.clone()),
            EntryKind::StockPurchase => ("stock_request", purchase(&entry.reference)),
        };
        Self {
            uniqid: id.clone(),
            id,
            version: entry.version,
            kind: kind_name(entry.kind),
            amount: MoneyText(currency, entry.amount),
            balance_after: MoneyText(currency, entry.balance_after),
            currency: CurrencyCode(currency),
            reference_type,
            reference_id,
            description: match entry.description {
                Some(description) => description,
                None if delivered => format!("Fulfillment of {}", entry.reference),
                None if entry.kind == EntryKind::StockPurchase => {
                    format!("Stock request {}", purchase(&entry.reference))
                }
                None => String::new(),
            },
            external_order_id: delivered.then_some(entry.reference),
            occurred_at: Time(entry.created_at),
            created_at: Time(entry.created_at),
        }
    }

    /// A credit as the engine has just committed it.
    pub(super) fn of_credit(committed: &engine::balances::CreditEntry, currency: Currency) -> Self {
        let (stamp, credit) = (&committed.stamp, &committed.credit);
        Self::of(
            ledger::LedgerEntry {
                id: stamp.id,
                version: stamp.version,
                kind: credit.kind,
                amount: credit.amount,
                balance_after: stamp.balance_after,
                reference: credit.reference.clone(),
                description: Some(credit.description.clone()),
                label: Some(credit.label.clone()),
                created_at: stamp.created_at,
            },
            currency,
        )
    }
}

/// What a debt was settled by.
fn settled_by(reference: &str) -> &'static str {
    if StockRefundId::parse(reference).is_some() {
        "stock_refund"
    } else {
        "payment"
    }
}

/// The wholesale purchase that an entry of the balance paid for.
pub(crate) fn purchase(reference: &str) -> String {
    let request = OrderId::from_stored(reference).stock_request();
    request.map_or_else(String::new, |id| id.to_string())
}

impl Row for Entry {
    const DISPOSITION: &'static str = "attachment; filename=\"ledger.csv\"";
    const HEADER: &'static [&'static str] = &[
        "version",
        "kind",
        "amount",
        "balance_after",
        "currency",
        "reference_type",
        "reference_id",
        "external_order_id",
        "description",
        "occurred_at",
        "id",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.version.to_string(),
            self.kind.to_owned(),
            self.amount.to_string(),
            self.balance_after.to_string(),
            self.currency.0.code().to_owned(),
            self.reference_type.to_owned(),
            self.reference_id.clone(),
            self.external_order_id.clone().unwrap_or_default(),
            self.description.clone(),
            time::text(self.occurred_at.0),
            self.id.clone(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name_in_any_case() {
        for kind in (i16::MIN..=i16::MAX).filter_map(EntryKind::from_number) {
            assert_eq!(
                parse_kind(&kind_name(kind).to_ascii_lowercase()),
                Some(kind)
            );
        }
        assert_eq!(parse_kind("bribe"), None);
    }
}
