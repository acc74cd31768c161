//! The peers of a comparison: their databases, their pools, their start.
//!
//! Keeps: each peer runs with the pool it was fastest with, tried for each kind of load, because a
//! badly tuned peer proves nothing.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;

use super::{
    bench::Bench,
    run::{self, Name, Shape, Window},
    subject::{self, PeerSettings, Side, Subject},
};
use crate::{
    peer,
    report::{comparison::Pool, say},
};

const POOLS_TRIED: [u32; 4] = [8, 16, 32, 64];
const POOL_UNTRIED: u32 = 32;

impl Bench<'_> {
    pub(super) async fn seed_peers(&mut self) -> anyhow::Result<()> {
        say("filling the peers' databases ...");
        let size = peer::seed::Size {
            products: 1000,
            resellers: 1000,
            access: 50,
            serials_per_product: if self.arguments.quick { 300 } else { 900 },
            hot_serials: if self.arguments.quick {
                100_000
            } else {
                250_000
            },
        };
        let cast =
            peer::seed::create(&self.database_url, database(Side::Transaction), &size).await?;
        self.peer_cast = Some(Arc::new(cast));
        let (from, to) = (database(Side::Transaction), database(Side::Procedure));
        peer::pool::recreate(&self.database_url, to, Some(from)).await
    }

    /// Finds the pool each peer is fastest with, for both kinds of load.
    pub(super) async fn tune(&mut self) -> anyhow::Result<()> {
        for side in [Side::Transaction, Side::Procedure] {
            for hot in [false, true] {
                let mut tried = Vec::new();
                let trials: &[u32] = if self.arguments.quick || self.arguments.pool.is_some() {
                    &[]
                } else {
                    &POOLS_TRIED
                };
                for &size in trials {
                    tried.push((size, self.trial(side, hot, size).await?));
                }
                let best = tried.iter().max_by(|one, other| one.1.total_cmp(&other.1));
                let untried = self.arguments.pool.unwrap_or(POOL_UNTRIED);
                let size = best.map_or(untried, |(size, _)| *size);
                say(&format!(
                    "{} {}: pool of {size}",
                    side.name(),
                    if hot { "hot" } else { "uniform" }
                ));
                self.found.pools.push(Pool {
                    side,
                    hot,
                    size,
                    tried,
                });
            }
        }
        Ok(())
    }

    async fn trial(&mut self, side: Side, hot: bool, pool: u32) -> anyhow::Result<f64> {
        let mut peer = self.peer(side, pool).await?;
        let shape = Shape {
            hot,
            connections: 64,
            rows: 1,
        };
        let window = Window {
            warm_up: Duration::from_millis(500),
            measured: Duration::from_secs(2),
        };
        let run = self.next_run();
        let name = Name {
            stage: "tuning",
            turn: 0,
            run,
        };
        Ok(run::once(&mut peer, shape, window, name)
            .await?
            .0
            .per_second)
    }

    pub(super) async fn peer(&self, side: Side, pool: u32) -> anyhow::Result<Subject> {
        let settings = PeerSettings {
            database_url: &self.database_url,
            database: database(side),
            pool,
            directory: &self.directory,
        };
        let cast = self
            .peer_cast
            .as_ref()
            .context("the peers are not seeded")?;
        subject::peer(side, &settings, cast).await
    }

    pub(super) fn pool(&self, side: Side, hot: bool) -> u32 {
        let tuned = self
            .found
            .pools
            .iter()
            .find(|pool| pool.side == side && pool.hot == hot);
        tuned.map_or(POOL_UNTRIED, |pool| pool.size)
    }
}

fn database(side: Side) -> &'static str {
    if side == Side::Procedure {
        "peer_procedure"
    } else {
        "peer_transaction"
    }
}
