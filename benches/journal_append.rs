//! One commit of a lane on Postgres, flush included, by the size of the batch.
//!
//! Runs on the test server of the embedded Postgres (`fsync` on). The statement writes no foreign keys, so
//! the rows need no cast.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use engine::{
    catalog::Sku,
    clock::{self, EPOCH},
    fulfillments::{
        Channel, ClaimedSerial, Contents, Fingerprint, FulfilledLine, Fulfillment, OrderId, Stamp,
    },
    ids::{BalanceId, EntryId, ImportId, KeyId, ProductId},
    journal::{Batch, Journal, Lease, Owner, Rows, Session},
    money::Money,
    random::SeededRandom,
    testing::usd,
    vault::Sealed,
};
use persistence::{
    MIGRATOR,
    embedded::{TestDatabase, test_cluster},
    journal::PgJournal,
    settings::Durability,
};

/// How many balances take turns.
const BALANCES: i64 = 64;

/// A lane on a database of its own, and the rows it has written.
struct Appended {
    owner: Owner,
    session: Session,
    random: SeededRandom,
    import: ImportId,
    product: ProductId,
    rows: u32,
    _lease: Box<dyn Lease>,
    _database: TestDatabase,
}

impl Appended {
    async fn new() -> Self {
        let digest = MIGRATOR.iter().flat_map(|one| one.checksum.iter());
        let digest = digest.fold(0_u64, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(u64::from(*byte))
        });
        let cluster = test_cluster().await.expect("a Postgres");
        let migrate = |options| async move { persistence::database::migrate(&options).await };
        let database = cluster.database(&format!("{digest:016x}"), migrate).await;
        let database = database.expect("a database");
        let journal = PgJournal::new(&database.connect_options(), Durability::Local);
        let owner = Owner(uuid::Uuid::from_u128(1));
        let lease = journal.take_over(owner, 1).await.expect("the shard");
        let session = journal.fence(owner, 0).await;
        let random = SeededRandom::new(1);
        Self {
            owner,
            session: session.expect("the lane"),
            import: ImportId::for_import(EPOCH, &random),
            product: ProductId::generate(EPOCH, &random),
            random,
            rows: 0,
            _lease: lease,
            _database: database,
        }
    }

    fn batch(&mut self, entries: u32) -> Batch {
        let position = self.session.position;
        Batch {
            lane: 0,
            owner: self.owner,
            fence: position.fence,
            seq: position.seq + 1,
            rows: Rows::Fulfillments((0..entries).map(|_| self.row()).collect()),
        }
    }

    fn row(&mut self) -> Fulfillment {
        let (balance, version) = (
            BalanceId(1 + i64::from(self.rows) % BALANCES),
            1 + i64::from(self.rows) / BALANCES,
        );
        let serial = ClaimedSerial {
            id: self.import.serial(self.rows),
            sealed: Sealed::from_bytes([0; 60]),
        };
        let order_id = OrderId::from_stored(&format!("ORDER-{}", self.rows));
        self.rows += 1;
        let stamp = Stamp {
            id: EntryId::for_version(EPOCH, &self.random, version),
            version,
            balance_after: Money::ZERO,
            created_at: EPOCH,
        };
        let line = FulfilledLine {
            sku: Sku {
                product: self.product,
                variant: None,
            },
            unit_price: usd("2.50"),
            price_version: 1,
            serials: vec![serial],
        };
        let contents = Contents {
            balance,
            order_id,
            fingerprint: Fingerprint::from_bytes([9; 16]),
            channel: Channel::Api,
            key: KeyId::generate(EPOCH, &self.random),
            total: line.total(),
            lines: vec![line],
            email: None,
            details: None,
        };
        Fulfillment {
            stamp,
            contents: Arc::new(contents),
            refunded: Money::ZERO,
            revealed: std::collections::BTreeMap::new(),
            replaced: Vec::new(),
            refunded_items: std::collections::BTreeSet::new(),
        }
    }

    /// How long the commits alone took.
    async fn append(&mut self, commits: u64, entries: u32) -> Duration {
        let mut took = Duration::ZERO;
        for _ in 0..commits {
            let batch = self.batch(entries);
            let started = clock::instant().into_std();
            let committed = self.session.writer.commit(&batch).await;
            took += elapsed(started);
            committed.expect("committed");
            self.session.position.seq += 1;
        }
        took
    }
}

fn elapsed(since: Instant) -> Duration {
    clock::instant().into_std() - since
}

fn journal_append(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let mut appended = runtime.block_on(Appended::new());
    let mut group = c.benchmark_group("journal_append");
    group
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    group.sample_size(10);
    for entries in [1_u32, 16, 64, 256, 512] {
        group.throughput(Throughput::Elements(u64::from(entries)));
        group.bench_function(BenchmarkId::from_parameter(entries), |b| {
            b.iter_custom(|commits| runtime.block_on(appended.append(commits, entries)));
        });
    }
    group.finish();
}

criterion_group!(journal, journal_append);
criterion_main!(journal);
