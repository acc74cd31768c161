//! Takes an outcome apart, and says what it was if it is another one.

use std::sync::Arc;

use crate::{
    fault::Fault,
    fulfillments::{Delivery, Error, Fulfillment, Outcome, Refusal},
};

pub(crate) fn fresh(outcome: Outcome) -> Arc<Fulfillment> {
    match outcome {
        Ok(Delivery::Fresh(fulfillment)) => fulfillment,
        other => panic!("not fresh: {other:?}"),
    }
}

pub(crate) fn replayed(outcome: Outcome) -> Arc<Fulfillment> {
    match outcome {
        Ok(Delivery::Replayed(fulfillment)) => fulfillment,
        other => panic!("not replayed: {other:?}"),
    }
}

pub(crate) fn refusal(outcome: Outcome) -> Refusal {
    match outcome {
        Err(Error::Refused(refusal)) => *refusal,
        other => panic!("not refused: {other:?}"),
    }
}

pub(crate) fn fault(outcome: Outcome) -> Fault {
    match outcome {
        Err(Error::Faulted(fault)) => fault,
        other => panic!("no fault: {other:?}"),
    }
}
