//! Which facts are mailed, to whom, and what they are about.
//!
//! Keeps: whoever has to decide something is told that it waits; whoever sells a product, that there is none of it
//! or some again; whoever could have been robbed is told of what gives access. What is mailed with its cause, as
//! payouts and suspensions are, is not mailed again here.

use super::{Group, Whom};
use crate::events::Fact;

/// The mails that a fact asks for.
pub fn causes(fact: &Fact) -> &'static [(Whom, Group)] {
    const NONE: &[(Whom, Group)] = &[];
    const REQUEST: &[(Whom, Group)] = &[(Whom::Merchant, Group::Request)];
    const PAID: &[(Whom, Group)] = &[
        (Whom::Merchant, Group::Request),
        (Whom::Reseller, Group::Stock),
    ];
    const OWN_STOCK: &[(Whom, Group)] = &[(Whom::Reseller, Group::Stock)];
    const REPLACEMENT: &[(Whom, Group)] = &[(Whom::Merchant, Group::Replacement)];
    const STOCK: &[(Whom, Group)] = &[(Whom::Merchant, Group::Stock)];
    const SOLD_OUT: &[(Whom, Group)] = &[
        (Whom::Merchant, Group::Stock),
        (Whom::Reseller, Group::Stock),
    ];
    const VERIFICATION: &[(Whom, Group)] = &[(Whom::Merchant, Group::Payout)];
    const KEY: &[(Whom, Group)] = &[(Whom::Merchant, Group::Key)];
    const OWN_KEY: &[(Whom, Group)] = &[(Whom::Reseller, Group::Key)];
    match fact {
        Fact::StockRequestUpdated(step) => match step.status.as_str() {
            "REQUESTED" => REQUEST,
            "PAID" => PAID,
            "INVOICED" | "ALLOCATED" | "CANCELLED" | "EXPIRED" => OWN_STOCK,
            _ => NONE,
        },
        Fact::InventoryRevoked(_) => OWN_STOCK,
        Fact::ReplacementUpdated { status, .. } if status == "REQUESTED" => REPLACEMENT,
        Fact::ItemReplacementUpdated(step) if step.status == "REQUESTED" => REPLACEMENT,
        Fact::ProductStock(shelf) => match shelf.change.as_str() {
            "LOW" => STOCK,
            "OUT" => SOLD_OUT,
            "BACK" => OWN_STOCK,
            _ => NONE,
        },
        Fact::InvoiceAwaitingStock(_) => STOCK,
        Fact::VerificationUpdated(step) if step.status == "SUBMITTED" => VERIFICATION,
        Fact::KeyCreated { relationship, .. }
        | Fact::KeyExposed { relationship, .. }
        | Fact::KeyRevoked { relationship, .. } => relationship.map_or(KEY, |_| OWN_KEY),
        Fact::SerialsImported { .. }
        | Fact::ItemReplaced { .. }
        | Fact::ReplacementUpdated { .. }
        | Fact::ItemReplacementUpdated(_)
        | Fact::InvoiceReplacementIssued(_)
        | Fact::RelationshipUpdated { .. }
        | Fact::ResellerInvited { .. }
        | Fact::ResellerAccepted { .. }
        | Fact::ResellerDeclined { .. }
        | Fact::ProductPriceChanged(_)
        | Fact::ProductAccessUpdated { .. }
        | Fact::KeyExpiring { .. }
        | Fact::WebhookDisabled { .. }
        | Fact::TopUpCreated { .. }
        | Fact::TopUpUpdated { .. }
        | Fact::InventoryAllocated(_)
        | Fact::BalanceLow(_)
        | Fact::SaleCreated(_)
        | Fact::SaleRefunded(_)
        | Fact::SaleDisputed(_)
        | Fact::CommissionApproved(_)
        | Fact::CommissionReversed(_)
        | Fact::PayoutUpdated(_)
        | Fact::VerificationUpdated(_)
        | Fact::ListingBlocked(_)
        | Fact::ConnectionRefused(_)
        | Fact::InvoiceUpdated(_) => NONE,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::events::{ShelfChanged, StockStep};

    fn request(status: &str) -> Fact {
        Fact::StockRequestUpdated(StockStep {
            request: Uuid::nil(),
            relationship: Uuid::nil(),
            status: status.to_owned(),
        })
    }

    fn shelf(change: &str) -> Fact {
        Fact::ProductStock(ShelfChanged {
            product: Uuid::nil(),
            variant: None,
            change: change.to_owned(),
            stock: 0,
            sellers: false,
        })
    }

    fn key(relationship: Option<Uuid>) -> Fact {
        Fact::KeyCreated {
            key: Uuid::nil(),
            relationship,
        }
    }

    #[test]
    fn whoever_decides_or_could_be_robbed_is_mailed() {
        for (fact, merchant, reseller) in [
            (request("REQUESTED"), Some(Group::Request), None),
            (request("PAID"), Some(Group::Request), Some(Group::Stock)),
            (request("INVOICED"), None, Some(Group::Stock)),
            (request("ALLOCATED"), None, Some(Group::Stock)),
            (request("DELIVERED"), None, None),
            (shelf("LOW"), Some(Group::Stock), None),
            (shelf("OUT"), Some(Group::Stock), Some(Group::Stock)),
            (shelf("BACK"), None, Some(Group::Stock)),
            (key(None), Some(Group::Key), None),
            (key(Some(Uuid::nil())), None, Some(Group::Key)),
        ] {
            let of = |whom: Whom| {
                let mut found = causes(&fact).iter().filter(|(told, _)| *told == whom);
                found.next().map(|(_, group)| *group)
            };
            assert_eq!(of(Whom::Merchant), merchant, "{fact:?}");
            assert_eq!(of(Whom::Reseller), reseller, "{fact:?}");
        }
    }
}
