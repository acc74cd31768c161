//! Violations that the engine notices in itself, counted per thread by their invariant.

use std::{cell::RefCell, collections::BTreeMap, sync::Arc};

use metrics::{
    Counter, CounterFn, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

/// What the engine counts when it finds a defect.
const VIOLATIONS: &str = "consign_invariant_violations_total";

thread_local! {
    static TOLD: RefCell<BTreeMap<String, u64>> = const { RefCell::new(BTreeMap::new()) };
}

/// What was told since it was last forgotten.
pub(crate) fn told() -> BTreeMap<String, u64> {
    TOLD.with_borrow(Clone::clone)
}

pub(crate) fn forget() {
    TOLD.take();
}

/// Hears the engine's metrics on one thread.
pub(crate) struct Ear;

struct Violation(String);

impl CounterFn for Violation {
    fn increment(&self, value: u64) {
        TOLD.with_borrow_mut(|told| *told.entry(self.0.clone()).or_default() += value);
    }

    fn absolute(&self, _: u64) {}
}

impl Recorder for Ear {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        if key.name() != VIOLATIONS {
            return Counter::noop();
        }
        let labels: Vec<_> = key.labels().map(|label| label.value().to_owned()).collect();
        Counter::from_arc(Arc::new(Violation(labels.join(" "))))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}
