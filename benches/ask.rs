//! One question to an actor on another thread and its reply: the balance as its actor tells it.

use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::future::join_all;

fn ask(c: &mut Criterion) {
    let bench = benches::engine(1);
    let scope = bench.world.scope();
    let read = async || bench.engine.balance(scope).await.expect("a balance");
    let mut group = c.benchmark_group("ask");
    group
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    group.sample_size(20);
    for at_once in [1_u64, 64] {
        group.throughput(Throughput::Elements(at_once));
        group.bench_function(format!("balance/{at_once}"), |b| {
            b.iter(|| {
                bench
                    .runtime
                    .block_on(join_all((0..at_once).map(|_| read())))
            });
        });
    }
    group.finish();
}

criterion_group!(asks, ask);
criterion_main!(asks);
