//! Fulfillments through the whole engine on a journal that keeps nothing: the engine's own cost.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::future::join_all;

/// More than the runs below can sell.
const SERIALS: u32 = 600_000;

fn fulfill(c: &mut Criterion) {
    let bench = benches::engine(SERIALS);
    let next = AtomicU64::new(0);
    let order = async || {
        let id = format!("ORDER-{}", next.fetch_add(1, Ordering::Relaxed));
        let request = bench.world.request(&id, &[("key", 1)]);
        bench.engine.fulfill(request).await.expect("delivered");
    };
    let mut group = c.benchmark_group("fulfill_memory");
    group
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    group.sample_size(10);
    for at_once in [1_u64, 64] {
        group.throughput(Throughput::Elements(at_once));
        group.bench_function(at_once.to_string(), |b| {
            b.iter(|| {
                bench
                    .runtime
                    .block_on(join_all((0..at_once).map(|_| order())))
            });
        });
    }
    group.finish();
}

criterion_group!(fulfillments, fulfill);
criterion_main!(fulfillments);
