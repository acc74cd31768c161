//! A provider says that a payment which was taken in did not come after all: what it brought is taken back.
//!
//! Keeps: a payment is taken back once, however often its provider says so; only what a provider names is, never
//! what it merely does not tell of any more.

use engine::{
    audit::Actor,
    clock::Timestamp,
    payments::{Act, Invoice, Payment, Purpose},
};
use persistence::{
    sales::refund as customers,
    top_ups::{self, Wanted},
};

use crate::{
    checkout,
    error::{ApiError, Code},
    state::App,
    stock_requests,
    top_ups::owed,
};

const NOTE: &str = "The provider took the payment back.";

/// To be called in a task of its own: what is stored is carried out, whoever waits for it.
pub(super) async fn reverse(
    app: &App,
    (invoice, payment): (&Invoice, &Payment),
    (actor, now): (Actor, Timestamp),
) -> Result<(), ApiError> {
    // Nobody else's references begin so.
    let reference = format!("consign:reversed:{}", payment.id);
    let (merchant, id) = (invoice.merchant, invoice.id);
    let inconsistent = || ApiError::new(Code::InternalError);
    match invoice.purpose {
        Purpose::TopUp => {
            let of = (merchant, invoice.relationship.ok_or_else(inconsistent)?);
            let wanted = Wanted {
                act: Act::Reversed(payment.amount),
                reference,
                note: Some(NOTE.to_owned()),
            };
            let done = top_ups::take_back(&app.database, (of, id), wanted, (actor, now)).await?;
            // One that waits for its credit is asked about again.
            let done = done.ok_or_else(inconsistent)?.ok();
            match done.and_then(|done| done.taking) {
                Some(taking) => owed::take(app, taking).await,
                None => Ok(()),
            }
        }
        Purpose::Checkout => {
            let gone = (payment.amount, reference, NOTE.to_owned());
            checkout::refund::reversed(app, (merchant, id), gone, actor).await
        }
        Purpose::StockRequest => {
            let wanted = customers::Wanted {
                amount: None,
                reference,
                note: Some(NOTE.to_owned()),
            };
            let gone = (payment.amount, wanted);
            stock_requests::pay::reversed(app, (merchant, id), gone, actor).await
        }
    }
}
