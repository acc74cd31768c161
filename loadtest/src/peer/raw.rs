//! Postgres alone: one connection writes the rows of the engine's commit, batch after batch.
//!
//! Keeps: the engine's own tables and statement, in a database made from its migrations; rows are
//! made and encoded on another thread while the statement before runs, so only Postgres is timed.

use std::{
    path::Path,
    sync::mpsc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow, ensure};
use chrono::{DateTime, Utc};
use sqlx::{
    Arguments as _, ConnectOptions as _, PgConnection, error::BoxDynError, migrate::Migrator,
    postgres::PgArguments,
};
use uuid::Uuid;

use super::pool;
use crate::schedule::Dice;

const DATABASE: &str = "raw_writer";
const BALANCES: usize = 1000;
const PRODUCTS: usize = 1000;
const FIRST_BALANCE: i64 = 1_000_000_000_000;
const PRICE: i64 = 849;
const OWNER: Uuid = Uuid::from_u128(1);

pub(crate) struct Writer {
    connection: PgConnection,
    source: mpsc::Receiver<Encoded>,
    demand: mpsc::Sender<usize>,
}

struct Encoded {
    arguments: PgArguments,
    rows: u64,
}

#[derive(Default)]
struct Batch {
    balance_ids: Vec<i64>,
    versions: Vec<i64>,
    channels: Vec<i16>,
    ids: Vec<Uuid>,
    amounts: Vec<i64>,
    balances_after: Vec<i64>,
    created_at: Vec<DateTime<Utc>>,
    key_ids: Vec<Uuid>,
    references: Vec<String>,
    fingerprints: Vec<Vec<u8>>,
    emails_sealed: Vec<Vec<u8>>,
    places: Vec<i32>,
    serial_ids: Vec<Uuid>,
    unit_prices: Vec<i64>,
    price_versions: Vec<i64>,
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
        sqlx::raw_sql("DELETE FROM lanes")
            .execute(&mut connection)
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
                    // A batch that cannot be encoded ends the thread, and with it the run.
                    let Ok(batch) = rows.encoded(size) else {
                        return;
                    };
                    if made.send(batch).is_err() {
                        return;
                    }
                }
            })?;
        Ok(Self {
            connection,
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
        let mut batch = self.source.recv()?;
        let started = Instant::now();
        let mut written = 0;
        loop {
            self.demand.send(size)?;
            let rows = batch.rows;
            self.commit(batch.arguments).await?;
            written += rows;
            let took = started.elapsed();
            batch = self.source.recv()?;
            if took >= time {
                // Its number is taken, so it must be written, but outside the time.
                self.commit(batch.arguments).await?;
                return Ok((written, took));
            }
        }
    }

    async fn commit(&mut self, arguments: PgArguments) -> anyhow::Result<()> {
        let seqs: Vec<i64> = sqlx::query_scalar_with(include_str!("raw.sql"), arguments)
            .fetch_all(&mut self.connection)
            .await?;
        ensure!(seqs.len() == 1, "the lane row did not match");
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
    seq: i64,
}

impl Rows {
    fn new() -> Self {
        Self {
            dice: Dice::new(11),
            versions: vec![0; BALANCES],
            balances: vec![FIRST_BALANCE; BALANCES],
            ordinals: vec![0; PRODUCTS],
            number: 0,
            seq: 0,
        }
    }

    fn encoded(&mut self, size: usize) -> anyhow::Result<Encoded> {
        self.seq += 1;
        let rows = u64::try_from(size)?;
        let arguments = encode(self.batch(size), self.seq).map_err(|error| anyhow!(error))?;
        Ok(Encoded { arguments, rows })
    }

    fn batch(&mut self, size: usize) -> Batch {
        let mut batch = Batch::default();
        for place in (1..).take(size) {
            let (balance, product) = (self.dice.below(BALANCES), self.dice.below(PRODUCTS));
            self.versions[balance] += 1;
            self.balances[balance] -= PRICE;
            self.ordinals[product] += 1;
            self.number += 1;
            let balance_id = i64::try_from(balance).expect("an index fits");
            let import = 0x0190_0000_0000_7000_8000_0000_0000_0000_u128
                + (u128::try_from(product).expect("an index fits") << 64);
            batch.balance_ids.push(balance_id);
            batch.versions.push(self.versions[balance]);
            batch.channels.push(1);
            batch.ids.push(Uuid::now_v7());
            batch.amounts.push(-PRICE);
            batch.balances_after.push(self.balances[balance]);
            batch.created_at.push(Utc::now());
            batch.key_ids.push(Uuid::from_u128(
                import ^ u128::from(balance_id.unsigned_abs()),
            ));
            batch
                .references
                .push(format!("c12345r1-{}-{}", balance % 64, self.number));
            batch.fingerprints.push(vec![7; 32]);
            batch.emails_sealed.push(vec![8; 24 + 16 + 24]);
            batch.places.push(place);
            batch
                .serial_ids
                .push(Uuid::from_u128(import + self.ordinals[product]));
            batch.unit_prices.push(PRICE);
            batch.price_versions.push(1);
        }
        batch
    }
}

/// In the order of the statement's parameters.
fn encode(batch: Batch, seq: i64) -> Result<PgArguments, BoxDynError> {
    let mut sent = PgArguments::default();
    let claimed = (batch.balance_ids.clone(), batch.versions.clone());
    sent.add(0_i16)?;
    sent.add(OWNER)?;
    sent.add(1_i64)?;
    sent.add(seq)?;
    sent.add(batch.balance_ids)?;
    sent.add(batch.versions)?;
    sent.add(batch.channels.clone())?;
    sent.add(batch.ids)?;
    sent.add(batch.amounts)?;
    sent.add(batch.balances_after)?;
    sent.add(batch.created_at)?;
    sent.add(batch.key_ids)?;
    sent.add(batch.references)?;
    sent.add(batch.fingerprints)?;
    sent.add(batch.emails_sealed)?;
    sent.add(Vec::<String>::new())?;
    sent.add(batch.places.clone())?;
    sent.add(batch.places)?;
    sent.add(batch.serial_ids)?;
    sent.add(batch.channels)?;
    sent.add(batch.unit_prices)?;
    sent.add(batch.price_versions)?;
    sent.add(claimed.0)?;
    sent.add(claimed.1)?;
    Ok(sent)
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
