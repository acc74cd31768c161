//! What clients sent and heard, in the order in which it happened.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use engine::{
    catalog::Sku,
    engine::{Balance, Credited, Debited},
    fault::Fault,
    fulfillments::{Delivery, Error, Fulfillment, Outcome, Refusal},
    ids::{ImportId, KeyId, ProductId, SerialId, WithdrawalId},
    money::Money,
};

use crate::weather::Weather;

/// What an order asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Body {
    pub(crate) lines: Vec<(Sku, u32)>,
    pub(crate) email: Option<String>,
}

/// What a merchant changed.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    KeyRevoked(KeyId),
    Active(bool),
    /// To a product with all its variants; allowed at a price.
    Access(ProductId, bool),
    Limits(Option<Money>, Option<Money>),
    KeyCap(KeyId, Option<Money>),
}

#[derive(Debug, Clone)]
pub(crate) enum Asked {
    Order {
        id: String,
        body: Body,
    },
    LookUp {
        id: String,
    },
    /// A debit where the amount is below zero.
    Credit {
        reference: String,
        amount: Money,
    },
    Balance,
    Import {
        sku: Sku,
        import: ImportId,
        serials: u32,
    },
    Remove {
        id: WithdrawalId,
        sku: Sku,
        serials: Vec<SerialId>,
    },
    Pull {
        id: WithdrawalId,
        sku: Sku,
        quantity: u32,
    },
    Redeem {
        id: WithdrawalId,
        sku: Sku,
        quantity: u32,
    },
    Change(Change),
}

#[derive(Debug, Clone)]
pub(crate) enum Heard {
    Delivered {
        fulfillment: Arc<Fulfillment>,
        replayed: bool,
    },
    Absent,
    Credited(Credited),
    Balance(Balance),
    /// What left the shelf.
    Withdrawn(Vec<SerialId>),
    Done,
    /// Not executed, by its stable code.
    Refused(&'static str),
    Unknown,
}

/// One call and what came of it.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The number of the balance it is about.
    pub(crate) purse: Option<usize>,
    pub(crate) key: Option<KeyId>,
    pub(crate) asked: Asked,
    pub(crate) sent_at: u64,
    pub(crate) heard: Option<(u64, Heard)>,
}

/// All calls of a run.
#[derive(Default)]
pub(crate) struct History(Mutex<Calls>);

#[derive(Default)]
pub(crate) struct Calls {
    pub(crate) all: Vec<Call>,
    now: u64,
    /// Calls under way by balance and order id.
    under_way: BTreeMap<(usize, String), usize>,
}

impl Calls {
    /// A time that no other event has.
    fn tick(&mut self, weather: &Weather) -> u64 {
        self.now = (weather.micros() * 1000).max(self.now + 1);
        self.now
    }
}

impl History {
    pub(crate) fn calls(&self) -> MutexGuard<'_, Calls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call is sent; its number.
    pub(crate) fn sent(
        &self,
        weather: &Weather,
        (purse, key): (Option<usize>, Option<KeyId>),
        asked: Asked,
    ) -> usize {
        let mut calls = self.calls();
        let number = calls.all.len();
        weather.count("sent", number as u64, || {
            format!("#{number} balance {purse:?}: {asked:?}")
        });
        let sent_at = calls.tick(weather);
        calls.all.push(Call {
            purse,
            key,
            asked,
            sent_at,
            heard: None,
        });
        number
    }

    pub(crate) fn heard(&self, weather: &Weather, call: usize, heard: Heard) {
        weather.count("heard", call as u64, || {
            format!("#{call}: {}", brief(&heard))
        });
        let mut calls = self.calls();
        let now = calls.tick(weather);
        calls.all[call].heard = Some((now, heard));
    }

    /// One more caller of an order id is under way, or one less; how many there are now.
    pub(crate) fn under_way(&self, purse: usize, id: &str, begins: bool) -> usize {
        let mut calls = self.calls();
        let count = calls.under_way.entry((purse, id.to_owned())).or_default();
        if begins {
            *count += 1;
        } else {
            *count -= 1;
        }
        *count
    }

    /// How many callers of all order ids are under way.
    pub(crate) fn all_under_way(&self) -> usize {
        self.calls().under_way.values().sum()
    }
}

fn brief(heard: &Heard) -> String {
    match heard {
        Heard::Delivered {
            fulfillment,
            replayed,
        } => {
            let stamp = fulfillment.stamp;
            let serials: Vec<_> = fulfillment
                .contents
                .serials()
                .map(|serial| serial.id)
                .collect();
            let how = if *replayed { "replayed" } else { "delivered" };
            format!(
                "{how} version {} after {:?} {serials:?}",
                stamp.version, stamp.balance_after
            )
        }
        other => format!("{other:?}"),
    }
}

/// An outcome as a client hears it.
pub(crate) fn outcome(outcome: Outcome) -> Heard {
    match outcome {
        Ok(Delivery::Fresh(fulfillment)) => Heard::Delivered {
            fulfillment,
            replayed: false,
        },
        Ok(Delivery::Replayed(fulfillment)) => Heard::Delivered {
            fulfillment,
            replayed: true,
        },
        Err(error) => failure(error),
    }
}

pub(crate) fn failure(error: Error) -> Heard {
    match error {
        Error::Refused(refusal) => Heard::Refused(code(&refusal)),
        Error::Faulted(fault) => faulted(&fault),
    }
}

pub(crate) fn debited(debited: Result<Debited, Fault>) -> Heard {
    match debited {
        Ok(Debited::Fresh(entry)) => Heard::Credited(Credited::Fresh(entry)),
        Ok(Debited::Replayed(entry)) => Heard::Credited(Credited::Replayed(entry)),
        Ok(Debited::Short { .. }) => Heard::Refused("INSUFFICIENT_BALANCE"),
        Ok(Debited::Running) => Heard::Refused("REQUEST_IN_PROGRESS"),
        Err(fault) => faulted(&fault),
    }
}

pub(crate) fn faulted(fault: &Fault) -> Heard {
    match fault {
        Fault::OutcomeUnknown => Heard::Unknown,
        Fault::Overloaded { .. } => Heard::Refused("OVERLOADED"),
        Fault::Aborted { .. } | Fault::Excess => Heard::Refused("NOT_EXECUTED"),
        Fault::Unavailable => Heard::Refused("SERVICE_UNAVAILABLE"),
    }
}

const fn code(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::KeyRevoked => "KEY_REVOKED",
        Refusal::OrderMismatch { .. } => "ORDER_MISMATCH",
        Refusal::OrderInProgress => "ORDER_IN_PROGRESS",
        Refusal::ProgramDisabled => "PROGRAM_DISABLED",
        Refusal::DynamicUrlNotAllowed { .. } => "DYNAMIC_URL_NOT_ALLOWED",
        Refusal::RelationshipInactive { .. } => "RELATIONSHIP_INACTIVE",
        Refusal::ModeNotAllowed => "MODE_NOT_ALLOWED",
        Refusal::ProductNotFound { .. } => "PRODUCT_NOT_FOUND",
        Refusal::Invalid { .. } => "INVALID",
        Refusal::ProductNotAllowed { .. } => "PRODUCT_NOT_ALLOWED",
        Refusal::ProductNotEligible { .. } => "PRODUCT_NOT_ELIGIBLE",
        Refusal::QuantityOutOfRange { .. } => "QUANTITY_OUT_OF_RANGE",
        Refusal::PriceChanged { .. } => "PRICE_CHANGED",
        Refusal::PurchaseLimitExceeded { .. } => "PURCHASE_LIMIT_EXCEEDED",
        Refusal::SpendCapExceeded { .. } => "SPEND_CAP_EXCEEDED",
        Refusal::InsufficientBalance { .. } => "INSUFFICIENT_BALANCE",
        Refusal::OutOfStock { .. } => "OUT_OF_STOCK",
    }
}
