//! The money of a balance: hold, capture, credit.

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, criterion_group, criterion_main};
use engine::testing::{Purse, usd};

fn hold_capture_credit(c: &mut Criterion) {
    let mut group = c.benchmark_group("ledger");
    group
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    let mut purse = Purse::new(usd("100.00"));
    let cost = usd("2.50");
    group.bench_function("hold_capture_credit", |b| {
        b.iter(|| assert!(purse.hold_capture_credit(black_box(cost))));
    });
    group.finish();
}

criterion_group!(ledger, hold_capture_credit);
criterion_main!(ledger);
