//! What clients sent and heard.
//!
//! Times are nanoseconds of one monotonic clock that all clients of a run share; money is in minor
//! units. A client is one sequence of calls, each sent after the answer to the one before, or after
//! giving it up.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{Change, Id};

/// All calls of a run, of all clients, in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    pub invocations: Vec<Invocation>,
}

/// One call and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invocation {
    pub client: u32,
    /// Rises with each call of a client.
    pub sequence: u64,
    pub sent_at: u64,
    /// Whose balance the caller speaks for; none for a merchant's calls about no balance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Id>,
    pub call: Call,
    /// None if no answer ever came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<Answered>,
}

/// A balance as clients know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Account {
    pub relationship: Id,
    pub test: bool,
}

/// What has a shelf: a product, or one of its variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Sku {
    pub product: Id,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<Id>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Call {
    /// One order, whatever the endpoint; each row of a bulk call is a call of its own.
    Fulfill {
        order_id: Box<str>,
        body: Body,
        /// The dearest total the caller accepts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_total: Option<i64>,
    },
    /// Is this order id bound?
    LookUp {
        order_id: Box<str>,
    },
    /// Adds money, or takes it where the amount is below zero.
    Credit {
        reference: Box<str>,
        amount: i64,
    },
    ReadBalance,
    /// An upload, by the digests of its serials.
    Import {
        sku: Sku,
        secrets: Box<[Id]>,
    },
    /// Serials are taken off a shelf, those of them that nobody has.
    Remove {
        withdrawal: Id,
        sku: Sku,
        serials: Box<[Id]>,
    },
    /// So many serials are taken off a shelf, all or none.
    Pull {
        withdrawal: Id,
        sku: Sku,
        quantity: u32,
    },
    /// The same for a paid invoice, which may have reserved them.
    Redeem {
        withdrawal: Id,
        sku: Sku,
        quantity: u32,
    },
    Change(Change),
}

/// What of an order its id is bound to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    pub lines: Box<[Line]>,
    /// A digest of whatever else counts: the customer's address, custom fields.
    #[serde(default)]
    pub rest: Id,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub sku: Sku,
    pub quantity: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    pub at: u64,
    pub answer: Answer,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// To an order or to a look-up.
    Delivered(Delivery),
    /// A look-up found the order id free, with nothing running.
    Absent,
    Credited {
        id: Id,
        replayed: bool,
        amount: i64,
        balance_after: i64,
    },
    Balance {
        posted: i64,
        available: i64,
        /// The last version without a gap before it, if the answer says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<i64>,
    },
    Imported {
        import: Id,
        stored: u32,
        duplicates: u32,
    },
    /// These serials left the shelf; none, if nobody could have any.
    Withdrawn { serials: Box<[Id]> },
    /// A change is in force.
    Changed,
    /// Not executed: a stable code of the HTTP contract, also where no HTTP is spoken.
    Refused(Cow<'static, str>),
    /// Accepted, and whether it happened is not known; also any answer that is a defect.
    Unknown,
}

/// A success answer to an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    pub id: Id,
    /// Marked as a replay of an earlier execution; a look-up always is.
    pub replayed: bool,
    pub cost: i64,
    /// Microseconds since 1970, rounded down to what the answer shows.
    pub created_at: i64,
    /// In the order of the answer.
    pub serials: Box<[Delivered]>,
}

/// One serial of an answer, by its public id and the digest of its text; zero stands for what the
/// client did not see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Delivered {
    pub id: Id,
    #[serde(default)]
    pub secret: Id,
}

impl Invocation {
    pub fn answer(&self) -> Option<&Answer> {
        self.answered.as_ref().map(|answered| &answered.answer)
    }

    /// The order id an order or a look-up is about.
    pub fn order_id(&self) -> Option<&str> {
        match &self.call {
            Call::Fulfill { order_id, .. } | Call::LookUp { order_id } => Some(order_id),
            Call::Credit { .. }
            | Call::ReadBalance
            | Call::Import { .. }
            | Call::Remove { .. }
            | Call::Pull { .. }
            | Call::Redeem { .. }
            | Call::Change(_) => None,
        }
    }

    /// The success answer to an order or a look-up.
    pub fn delivery(&self) -> Option<&Delivery> {
        match self.answer()? {
            Answer::Delivered(delivery) => Some(delivery),
            _ => None,
        }
    }

    /// What it changed, unless it was refused.
    pub(crate) fn change(&self) -> Option<&Change> {
        match (&self.call, self.answer()) {
            (Call::Change(_), Some(Answer::Refused(_))) => None,
            (Call::Change(change), _) => Some(change),
            _ => None,
        }
    }

    /// When a change was acknowledged; the end of time if it was not.
    pub(crate) fn changed_at(&self) -> u64 {
        let answered = self.answered.as_ref();
        let done = answered.filter(|answered| answered.answer == Answer::Changed);
        done.map_or(u64::MAX, |answered| answered.at)
    }

    /// Whether what came of it cannot be known from its answer.
    pub fn is_open(&self) -> bool {
        matches!(self.answer(), None | Some(Answer::Unknown))
    }
}
