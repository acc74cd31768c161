//! What the engine says of itself, per thread: violations by their invariant, and the looks of its verifier.

use std::{cell::RefCell, collections::BTreeMap, sync::Arc, thread::LocalKey};

use engine::metrics::{PROOFS, VIOLATIONS};
use metrics::{
    Counter, CounterFn, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

/// Counts by the labels of a metric.
type Told = BTreeMap<String, u64>;

thread_local! {
    static VIOLATED: RefCell<Told> = const { RefCell::new(Told::new()) };
    static PROVED: RefCell<Told> = const { RefCell::new(Told::new()) };
}

/// The defects that the engine noticed since it was last forgotten.
pub(crate) fn violated() -> BTreeMap<String, u64> {
    VIOLATED.with_borrow(Clone::clone)
}

/// How often the verifier looked with this result, and at what.
pub(crate) fn proved(result: &str) -> u64 {
    let of = |(labels, count): (&String, &u64)| labels.ends_with(result).then_some(*count);
    PROVED.with_borrow(|proved| proved.iter().filter_map(of).sum())
}

pub(crate) fn forget() {
    VIOLATED.take();
    PROVED.take();
}

/// Hears the engine's metrics on one thread.
pub(crate) struct Ear;

/// Counts what is told under these labels.
struct Count(&'static LocalKey<RefCell<Told>>, String);

impl CounterFn for Count {
    fn increment(&self, value: u64) {
        self.0
            .with_borrow_mut(|told| *told.entry(self.1.clone()).or_default() += value);
    }

    fn absolute(&self, _: u64) {}
}

impl Recorder for Ear {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let told = match key.name() {
            VIOLATIONS => &VIOLATED,
            PROOFS => &PROVED,
            _ => return Counter::noop(),
        };
        let labels: Vec<_> = key.labels().map(|label| label.value().to_owned()).collect();
        Counter::from_arc(Arc::new(Count(told, labels.join(" "))))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}
