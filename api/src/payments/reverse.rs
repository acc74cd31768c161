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

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reversed {
    /// Nothing is left to be taken back.
    Done,
    /// It waits for its credit: whoever asks again takes it back then.
    NotYet,
}

const NOTE: &str = "The provider took the payment back.";

/// To be called in a task of its own: what is stored is carried out, whoever waits for it.
pub(super) async fn reverse(
    app: &App,
    (invoice, payment): (&Invoice, &Payment),
    (actor, now): (Actor, Timestamp),
) -> Result<Reversed, ApiError> {
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
            let Ok(done) = done.ok_or_else(inconsistent)? else {
                return Ok(Reversed::NotYet);
            };
            if let Some(taking) = done.taking {
                owed::take(app, taking).await?;
            }
        }
        Purpose::Checkout => {
            let gone = (payment.amount, reference, NOTE.to_owned());
            checkout::refund::reversed(app, (merchant, id), gone, actor).await?;
        }
        Purpose::StockRequest => {
            let wanted = customers::Wanted {
                amount: None,
                reference,
                note: Some(NOTE.to_owned()),
            };
            let gone = (payment.amount, wanted);
            stock_requests::pay::reversed(app, (merchant, id), gone, actor).await?;
        }
    }
    Ok(Reversed::Done)
}
