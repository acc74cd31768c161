//! What is mailed about things that happened: one mail for all of one kind.

use engine::notifications::Group;
use persistence::notifications::{About, Happened, Turn};

use crate::wire::time;

/// Subject and text of what a side is to be mailed; none if there is nothing to say any more.
pub(super) fn letter(origin: &str, turn: &Turn) -> Option<(String, String)> {
    if turn.about.is_empty() {
        return None;
    }
    let by_merchant = turn.relationship.is_none();
    let lines: Vec<_> = turn
        .about
        .iter()
        .map(|about| line(about, by_merchant))
        .collect();
    let more = match turn.more {
        0 => String::new(),
        more => format!("\n\nAnd {more} more."),
    };
    let end = end(turn.topic, by_merchant);
    let text = format!("{}{more}\n\n{end}See {origin}.\n", lines.join("\n\n"));
    Some((subject(turn, by_merchant), text))
}

fn subject(turn: &Turn, by_merchant: bool) -> String {
    let name = &turn.merchant_name;
    match (turn.topic, by_merchant) {
        (Group::Request, _) => format!("Wholesale purchases at {name}"),
        (Group::Replacement, _) => format!("Replacements are asked for at {name}"),
        (Group::Stock, true) => format!("Stock of {name}"),
        (Group::Stock, false) => format!("Stock and your purchases at {name}"),
        (Group::Payout, _) => format!("Resellers of {name} say who they are"),
        (Group::Key, true) => format!("API keys of {name}"),
        (Group::Key, false) => format!("Your API keys at {name}"),
        (Group::TopUp | Group::Balance | Group::Status, _) => format!("News of {name}"),
    }
}

/// What whoever gets it may have to do.
const fn end(topic: Group, by_merchant: bool) -> &'static str {
    match (topic, by_merchant) {
        (Group::Key, true) => {
            "If this was none of you, revoke the key and look into your audit log. "
        }
        (Group::Key, false) => "If this was not you, revoke the key and change your password. ",
        (
            Group::TopUp
            | Group::Balance
            | Group::Status
            | Group::Request
            | Group::Replacement
            | Group::Stock
            | Group::Payout,
            _,
        ) => "",
    }
}

fn line(about: &About, by_merchant: bool) -> String {
    match about {
        About::Request {
            id,
            reseller,
            title,
            quantity,
            status,
        } => {
            let stands = stands(status, by_merchant);
            if by_merchant {
                format!("{reseller} wants {quantity} x {title}: it {stands}. It is {id}.")
            } else {
                format!("{quantity} x {title}: your purchase {stands}. It is {id}.")
            }
        }
        About::Revoked { id, title, items } => format!(
            "The merchant took {items} x {title} of your purchase {id} back. What was paid for \
             them and not handed over is in your balance, unless the merchant said otherwise."
        ),
        About::Replacement {
            id,
            reseller,
            title,
            reason,
        } => format!(
            "{reseller} asks for another {title} ({reason}), and waits for your decision. It is {id}."
        ),
        About::Shelf { title, stock: 0 }
        | About::Sold {
            title,
            in_stock: false,
        } => format!("{title} is out of stock."),
        About::Shelf { title, stock } => format!("{title} runs low: {stock} are left."),
        About::Sold {
            title,
            in_stock: true,
        } => format!("{title} is in stock."),
        About::Invoice {
            id,
            title,
            quantity,
        } => format!(
            "A customer paid for {quantity} x {title}, and there is not enough. It is delivered from \
             your next upload, or refund it: {id}."
        ),
        About::Verification { reseller } => {
            format!("{reseller} says who it is, and waits for your decision.")
        }
        About::Key {
            name,
            last4,
            happened,
        } => {
            let happened = match happened {
                Happened::Made => "was made".to_owned(),
                Happened::Exposed => {
                    "was sent in an address, where logs and histories keep it: rotate it".to_owned()
                }
                Happened::Revoked(at) => format!("was revoked at {}", time::text(*at)),
            };
            format!("The key \"{name}\" (it ends in {last4}) {happened}.")
        }
    }
}

/// Where a purchase stands, in words.
fn stands(status: &str, by_merchant: bool) -> &'static str {
    match (status, by_merchant) {
        ("REQUESTED", true) => "waits for your invoice",
        ("REQUESTED", false) => "waits for the merchant",
        ("INVOICED", true) => "waits for the payment",
        ("INVOICED", false) => "waits for your payment",
        ("PAID", _) => "is paid, and waits for its serials",
        ("ALLOCATED" | "DELIVERED", true) => "was given its serials",
        ("ALLOCATED" | "DELIVERED", false) => "is in your inventory",
        ("CANCELLED", _) => "was cancelled; what was paid for it is in the balance",
        ("EXPIRED", _) => "was not paid in time",
        _ => "is over",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_of_a_purchase_has_words() {
        for by_merchant in [true, false] {
            for status in [
                "REQUESTED",
                "INVOICED",
                "PAID",
                "ALLOCATED",
                "DELIVERED",
                "CANCELLED",
                "EXPIRED",
            ] {
                assert_ne!(stands(status, by_merchant), "is over", "{status}");
            }
            assert_eq!(stands("REVOKED", by_merchant), "is over");
        }
    }
}
