//! What a balance's actor is asked and told.

use std::sync::Arc;

use actix::Message;
use tokio::sync::oneshot;

use super::{
    CreditEntry, EntryKind,
    hold::{CreditHold, MoneyHold},
};
use crate::{
    actors::Seen,
    clock::{Deadline, Timestamp},
    engine::Balance,
    fulfillments::{Fulfillment, OrderId, Outcome, Refusal, Request},
    money::Money,
    relationships::Terms,
};

/// Hold the cost of a request, unless its order id says otherwise.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Hold {
    pub(crate) request: Arc<Request>,
    /// The cost, or why the terms refuse the request.
    pub(crate) quote: Result<Money, Refusal>,
    /// The terms the quote was made under.
    pub(crate) terms: Arc<Terms>,
    /// The changes of products and programs that were counted before the quote was begun.
    pub(crate) seen: Seen,
    pub(crate) now: Timestamp,
    pub(crate) deadline: Deadline,
    pub(crate) reply: oneshot::Sender<Held>,
}

/// What became of a [`Hold`].
pub(crate) enum Held {
    Money(MoneyHold),
    /// The order id is ours, nothing is held. To be said only after a durable look-up.
    Refused(MoneyHold, Refusal),
    /// The same request is running: its outcome will be this one's.
    Joined(oneshot::Receiver<Outcome>),
    /// The order id was settled lately, by this or by another request.
    Settled(Arc<Fulfillment>),
    /// Another request is running under the order id, or too many wait for it.
    Busy(Refusal),
    /// The quote was made under terms that are no longer in force.
    TermsChanged,
    /// A product or a program was changed since the quote was begun.
    Outdated,
    /// The caller's deadline passed while the message waited.
    Late,
}

/// Give the money of an order id back; the order id stays taken.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Void {
    pub(crate) order_id: OrderId,
}

/// End an order id that was not fulfilled, and tell who joined.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Close {
    pub(crate) order_id: OrderId,
    pub(crate) outcome: Outcome,
}

/// A fulfillment is durable: take its cost, and tell who joined.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Capture {
    pub(crate) fulfillment: Arc<Fulfillment>,
}

/// Let a credit be appended to this ledger.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct OpenCredit {
    pub(crate) reply: oneshot::Sender<CreditHold>,
}

/// Hold what a debit takes, unless its reference is under way.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct OpenDebit {
    pub(crate) reference: DebitReference,
    pub(crate) amount: Money,
    pub(crate) cover: Cover,
    pub(crate) reply: oneshot::Sender<DebitHeld>,
}

/// What a debit is known by.
pub(crate) type DebitReference = (EntryKind, String);

/// What a debit does if there is less than it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cover {
    /// It is refused.
    Whole,
    /// It takes what is available.
    Available,
}

/// What became of an [`OpenDebit`].
pub(crate) enum DebitHeld {
    Money(CreditHold),
    /// To be said only after a durable look-up.
    Short {
        available: Money,
    },
    /// Another call debits this reference.
    Running,
}

/// A debit was not executed: give its money back.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct CloseDebit {
    pub(crate) reference: DebitReference,
}

/// Forget what was settled under an order id: something was recorded about it since.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Forget {
    pub(crate) order_id: OrderId,
    pub(crate) reply: oneshot::Sender<()>,
}

/// An entry beside fulfillments is durable: what it adds may be spent, what it takes was held.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Credited {
    pub(crate) entry: CreditEntry,
    pub(crate) reply: oneshot::Sender<()>,
}

/// Adopt terms; once replied, nothing is accepted under older ones.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct TermsChanged {
    pub(crate) terms: Arc<Terms>,
    pub(crate) reply: oneshot::Sender<()>,
}

#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Read {
    pub(crate) now: Timestamp,
    pub(crate) reply: oneshot::Sender<Balance>,
}

/// Is this order id running, or settled lately?
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Find {
    pub(crate) order_id: OrderId,
    pub(crate) reply: oneshot::Sender<Found>,
}

pub(crate) enum Found {
    Running,
    Settled(Arc<Fulfillment>),
    /// Only storage can know.
    Unknown,
}

/// What the balance is after the last version without a gap before it; none while a later entry is
/// settled already.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Prove {
    pub(crate) reply: oneshot::Sender<Option<(i64, Money)>>,
}
