//! What a server's answers say: what arrived, and what did not after all.
//!
//! Keeps: only what a server calls settled counts; what is gone is named by the server, not missing from its
//! answer.

use engine::{
    money::{Currency, Money},
    payments::{Arrival, Snapshot, Source},
};

use super::{
    bounds::{is_id, worth},
    client::{RemoteInvoice, RemoteMethod, RemotePayment},
};
use crate::payments::largest;

/// What an invoice over this amount was paid, by the server's invoice and the payments that it names.
pub(super) fn snapshot(
    (remote, found): (RemoteInvoice, &[RemoteMethod]),
    (amount, currency): (Money, Currency),
) -> Snapshot {
    let word = Source::Marked(remote.id).to_string();
    let marked = remote.additional_status == "Marked";
    // Its merchant said there that nothing came, whatever that server saw.
    if marked && remote.status == "Invalid" {
        let gone = sources(found).map(|(source, _)| source);
        return Snapshot {
            arrived: Vec::new(),
            gone: gone.chain([word]).collect(),
        };
    }
    let mut arrived = arrivals(found, currency);
    // Its merchant said there that it is paid, by what that server did not see.
    if marked && remote.status == "Settled" && arrived.is_empty() {
        arrived.push(Arrival {
            source: word,
            amount,
            settled: true,
        });
    }
    let gone = sources(found).filter(|(_, status)| *status == "Invalid");
    Snapshot {
        arrived,
        gone: gone.map(|(source, _)| source).collect(),
    }
}

/// Payments of all coins, each at its coin's rate.
fn arrivals(found: &[RemoteMethod], currency: Currency) -> Vec<Arrival> {
    let mut arrived = Vec::new();
    for method in found {
        for payment in &method.payments {
            let settled = match payment.status.as_str() {
                "Settled" => true,
                "Processing" => false,
                _ => continue,
            };
            if ![&method.payment_method_id, &payment.id]
                .into_iter()
                .all(|id| is_id(id))
            {
                tracing::error!("a payment whose id no server gives was left alone");
                continue;
            }
            let worth = worth(payment.value, method.rate, currency);
            let Some(amount) = worth.filter(|amount| *amount > Money::ZERO) else {
                continue;
            };
            arrived.push(Arrival {
                source: source(method, payment),
                amount,
                settled,
            });
        }
    }
    largest(arrived, |arrival| arrival.amount)
}

/// All payments, whatever became of them.
fn sources(found: &[RemoteMethod]) -> impl Iterator<Item = (String, &str)> {
    found.iter().flat_map(|method| {
        let payments = method.payments.iter();
        payments.map(|payment| (source(method, payment), payment.status.as_str()))
    })
}

fn source(method: &RemoteMethod, payment: &RemotePayment) -> String {
    let source = Source::Hosted {
        method: method.payment_method_id.clone(),
        payment: payment.id.clone(),
    };
    source.to_string()
}
