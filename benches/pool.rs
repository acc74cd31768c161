//! The window of a shelf: claim and release.

use std::{hint::black_box, time::Duration};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use engine::testing::Window;

fn claim_and_release(c: &mut Criterion) {
    let mut group = c.benchmark_group("pool");
    group
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    for quantity in [1_usize, 10, 100] {
        let mut window = Window::new(4096);
        group.throughput(Throughput::Elements(quantity as u64));
        group.bench_function(BenchmarkId::new("claim_and_release", quantity), |b| {
            b.iter(|| assert!(window.claim_and_release(black_box(quantity))));
        });
    }
    group.finish();
}

criterion_group!(pool, claim_and_release);
criterion_main!(pool);
