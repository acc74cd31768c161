//! What waits for a lane.

use std::time::Duration;

use crossbeam::queue::ArrayQueue;
use tokio::{
    sync::{Notify, oneshot},
    time::Instant,
};

use super::{
    WithdrawalIntent,
    intent::{CreditIntent, Intent, RestockIntent, Verdict},
};
use crate::{actors::ask::answer, clock, fault::Fault, fulfillments::Stamp};

/// One thing to commit, and who waits for its verdict.
pub(crate) enum Pending {
    Fulfillment(Intent, oneshot::Sender<Verdict<Intent, Stamp>>),
    Credit(CreditIntent, oneshot::Sender<Verdict<CreditIntent, Stamp>>),
    Restock(RestockIntent, oneshot::Sender<Verdict<RestockIntent, ()>>),
    Withdrawal(
        WithdrawalIntent,
        oneshot::Sender<Verdict<WithdrawalIntent, ()>>,
    ),
}

/// Kinds do not mix in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Fulfillment,
    Credit,
    Restock,
    Withdrawal,
}

impl Pending {
    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::Fulfillment(..) => Kind::Fulfillment,
            Self::Credit(..) => Kind::Credit,
            Self::Restock(..) => Kind::Restock,
            Self::Withdrawal(..) => Kind::Withdrawal,
        }
    }

    /// About how many bytes it adds to a batch, beyond what every entry does.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Fulfillment(intent, _) => {
                let email = intent
                    .contents
                    .email
                    .as_ref()
                    .map_or(0, |email| email.as_bytes().len());
                let details = intent.contents.details.as_ref().map_or(0, |details| {
                    let text = |pair: (&String, &String)| pair.0.len() + pair.1.len();
                    let fields = details
                        .custom_fields
                        .iter()
                        .flatten()
                        .map(text)
                        .sum::<usize>();
                    fields + details.metadata.iter().map(text).sum::<usize>()
                });
                let serials = intent.contents.serials().count();
                128 + intent.contents.order_id.as_str().len() + email + details + serials * 64
            }
            Self::Credit(intent, _) => 128 + intent.credit.description.len(),
            Self::Restock(..) => 32,
            Self::Withdrawal(intent, _) => 128 + intent.withdrawal.serials.len() * 48,
        }
    }

    pub(crate) fn enter_lane(&mut self) {
        match self {
            Self::Fulfillment(intent, _) => intent.enter_lane(),
            Self::Credit(intent, _) => intent.enter_lane(),
            Self::Withdrawal(intent, _) => intent.enter_lane(),
            Self::Restock(..) => {}
        }
    }

    /// Decides: an entry with its reference was there already.
    pub(crate) fn duplicate(self) {
        match self {
            Self::Fulfillment(mut intent, reply) => {
                intent.decide_not_executed();
                answer(reply, Verdict::Duplicate(intent));
            }
            Self::Credit(mut intent, reply) => {
                intent.decide_not_executed();
                answer(reply, Verdict::Duplicate(intent));
            }
            Self::Restock(intent, reply) => answer(reply, Verdict::Duplicate(intent)),
            Self::Withdrawal(mut intent, reply) => {
                intent.decide_not_executed();
                answer(reply, Verdict::Duplicate(intent));
            }
        }
    }

    /// Decides: not executed, for certain.
    pub(crate) fn abort(self, fault: Fault) {
        match self {
            Self::Fulfillment(mut intent, reply) => {
                intent.decide_not_executed();
                answer(reply, Verdict::Aborted(intent, fault));
            }
            Self::Credit(mut intent, reply) => {
                intent.decide_not_executed();
                answer(reply, Verdict::Aborted(intent, fault));
            }
            Self::Restock(intent, reply) => answer(reply, Verdict::Aborted(intent, fault)),
            Self::Withdrawal(mut intent, reply) => {
                intent.decide_not_executed();
                answer(reply, Verdict::Aborted(intent, fault));
            }
        }
    }

    /// Decides: not executed, because memory and storage disagree. The actors that it came from end, and
    /// their successors start from what is stored.
    pub(crate) fn condemn(self) {
        match &self {
            Self::Fulfillment(intent, _) => intent.poison(),
            Self::Credit(intent, _) => intent.poison(),
            Self::Withdrawal(intent, _) => intent.poison(),
            Self::Restock(..) => {}
        }
        self.abort(Fault::Aborted {
            reason: "storage contradicts it",
        });
    }

    /// Gives up an undecided one together with the memory it stands on.
    pub(crate) fn disown(self) {
        match self {
            Self::Fulfillment(intent, reply) => {
                intent.disown();
                answer(reply, Verdict::Disowned);
            }
            Self::Credit(intent, reply) => {
                intent.disown();
                answer(reply, Verdict::Disowned);
            }
            Self::Restock(_, reply) => answer(reply, Verdict::Disowned),
            Self::Withdrawal(intent, reply) => {
                intent.disown();
                answer(reply, Verdict::Disowned);
            }
        }
    }
}

/// A bounded queue into one lane.
pub(crate) struct Queue {
    waiting: ArrayQueue<(Instant, Pending)>,
    arrived: Notify,
}

impl Queue {
    pub(crate) fn new(entries_max: usize) -> Self {
        Self {
            waiting: ArrayQueue::new(entries_max),
            arrived: Notify::new(),
        }
    }

    /// Puts something into the queue; it is aborted if there is no room, which permits prevent.
    pub(crate) fn push(&self, mut pending: Pending) {
        pending.enter_lane();
        match self.waiting.push((clock::instant(), pending)) {
            Ok(()) => self.arrived.notify_one(),
            Err((_, pending)) => pending.abort(Fault::overloaded()),
        }
    }

    /// The next one and how long it waited, if there is any.
    pub(crate) fn pop(&self, now: Instant) -> Option<(Duration, Pending)> {
        let (since, pending) = self.waiting.pop()?;
        Some((now.saturating_duration_since(since), pending))
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    pub(crate) fn wake(&self) {
        self.arrived.notify_one();
    }
}
