//! Postgres alone: one connection writes the rows of the engine's commit, batch after batch.
//!
//! Keeps: the engine's own tables, loaded from its migrations, in a database of its own; rows are
//! made ready on another thread, so that only the statement is timed.

use std::{
    path::Path,
    sync::mpsc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use sqlx::{ConnectOptions as _, PgConnection, migrate::Migrator};
use uuid::Uuid;

use super::pool;
use crate::schedule::Dice;

const DATABASE: &str = "raw_writer";
const BALANCES: usize = 1000;
const PRODUCTS: usize = 1000;
const FIRST_BALANCE: i64 = 1_000_000_000_000;
const OWNER: Uuid = Uuid::from_u128(1);

pub(crate) struct Writer {
    connection: PgConnection,
    seq: i64,
    source: mpsc::Receiver<Batch>,
    demand: mpsc::Sender<usize>,
}

#[derive(Default)]
struct Batch {
    balance_ids: Vec<i64>,
    versions: Vec<i64>,
    serial_ids: Vec<Uuid>,
    unit_prices: Vec<i64>,
    ids: Vec<Uuid>,
    balances_after: Vec<i64>,
    key_ids: Vec<Uuid>,
    references: Vec<String>,
    fingerprints: Vec<Vec<u8>>,
    emails_sealed: Vec<Vec<u8>>,
}

impl Writer {
    /// Makes the database anew from the migrations.
    pub(crate) async fn create(url: &str, migrations: &Path) -> anyhow::Result<Self> {
        pool::recreate(url, DATABASE, None).await?;
        let mut connection = pool::options(url, DATABASE)?.connect().await?;
        Migrator::new(migrations)
            .await
            .with_context(|| format!("reading {}", migrations.display()))?
            .run(&mut connection)
            .await?;
        sqlx::query("INSERT INTO lanes (lane, shard, owner, fence, seq) VALUES (0, 0, $1, 1, 0)")
            .bind(OWNER)
            .execute(&mut connection)
            .await?;
        let (demand, asked) = mpsc::channel();
        let (made, source) = mpsc::channel();
        std::thread::Builder::new()
            .name("rows".to_owned())
            .spawn(move || {
                let mut rows = Rows::new();
                while let Ok(size) = asked.recv() {
                    if made.send(rows.batch(size)).is_err() {
                        return;
                    }
                }
            })?;
        Ok(Self {
            connection,
            seq: 0,
            source,
            demand,
        })
    }

    /// Writes batches of `size` for `time`; returns rows written and the time it took.
    pub(crate) async fn write(
        &mut self,
        size: usize,
        time: Duration,
    ) -> anyhow::Result<(u64, Duration)> {
        self.demand.send(size)?;
        let started = Instant::now();
        let mut written = 0;
        while started.elapsed() < time {
            let batch = self.source.recv()?;
            self.demand.send(size)?;
            self.commit(&batch).await?;
            written += u64::try_from(batch.ids.len())?;
        }
        let took = started.elapsed();
        self.source.recv()?;
        Ok((written, took))
    }

    async fn commit(&mut self, batch: &Batch) -> anyhow::Result<()> {
        self.seq += 1;
        let seqs: Vec<i64> = sqlx::query_scalar(include_str!("raw.sql"))
            .bind(0_i16)
            .bind(OWNER)
            .bind(1_i64)
            .bind(self.seq)
            .bind(&batch.balance_ids)
            .bind(&batch.versions)
            .bind(&batch.serial_ids)
            .bind(&batch.unit_prices)
            .bind(&batch.ids)
            .bind(&batch.balances_after)
            .bind(&batch.key_ids)
            .bind(&batch.references)
            .bind(&batch.fingerprints)
            .bind(&batch.emails_sealed)
            .fetch_all(&mut self.connection)
            .await?;
        ensure!(seqs == [self.seq], "the lane row did not match");
        Ok(())
    }
}

/// Rows as the engine makes them: serials of a product in their order, versions without a gap.
struct Rows {
    dice: Dice,
    versions: Vec<i64>,
    balances: Vec<i64>,
    ordinals: Vec<u128>,
    number: u64,
}

impl Rows {
    fn new() -> Self {
        Self {
            dice: Dice::new(11),
            versions: vec![0; BALANCES],
            balances: vec![FIRST_BALANCE; BALANCES],
            ordinals: vec![0; PRODUCTS],
            number: 0,
        }
    }

    fn batch(&mut self, size: usize) -> Batch {
        let mut batch = Batch::default();
        for _ in 0..size {
            let (balance, product) = (self.dice.below(BALANCES), self.dice.below(PRODUCTS));
            self.versions[balance] += 1;
            self.balances[balance] -= 849;
            self.ordinals[product] += 1;
            self.number += 1;
            let version = self.versions[balance];
            let import = 0x0190_0000_0000_7000_8000_0000_0000_0000_u128
                + (u128::try_from(product).expect("an index fits") << 64);
            batch
                .balance_ids
                .push(i64::try_from(balance).expect("an index fits"));
            batch.versions.push(version);
            batch
                .serial_ids
                .push(Uuid::from_u128(import + self.ordinals[product]));
            batch.unit_prices.push(849);
            batch.ids.push(Uuid::now_v7());
            batch.balances_after.push(self.balances[balance]);
            batch
                .key_ids
                .push(Uuid::from_u128(import ^ u128::from(version.unsigned_abs())));
            batch
                .references
                .push(format!("c12345t1-{}-{}", balance % 64, self.number));
            batch.fingerprints.push(vec![7; 32]);
            batch.emails_sealed.push(vec![8; 24 + 16 + 24]);
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_versions_gapless_and_serials_unique() {
        let mut rows = Rows::new();
        let batches = [rows.batch(512), rows.batch(512)];
        let mut serials: Vec<Uuid> = batches
            .iter()
            .flat_map(|batch| batch.serial_ids.clone())
            .collect();
        serials.sort_unstable();
        serials.dedup();
        assert_eq!(serials.len(), 1024);
        let mut last = vec![0; BALANCES];
        for batch in &batches {
            for (balance, version) in batch.balance_ids.iter().zip(&batch.versions) {
                let last = &mut last[usize::try_from(*balance).unwrap()];
                assert_eq!(*version, *last + 1);
                *last = *version;
            }
        }
    }
}
