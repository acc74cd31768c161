//! What this machine remembers of its lanes, so that a database that went back in time is noticed.
//!
//! Keeps: what is remembered was durable and acknowledged, so a lane that is found below it has lost
//! acknowledged batches, and nobody may sell on it. What is remembered is behind by a moment, never
//! ahead, and no commit waits for it.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::{Journal, LanePosition, Lanes, recovery};
use crate::{fulfillments::fulfiller::Fulfiller, metrics, supervise};

/// How often changed marks are remembered, and how long that may take.
const EVERY: Duration = Duration::from_secs(1);
const DEADLINE: Duration = Duration::from_secs(5);

/// A lane, and the number of its last batch that was acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    pub lane: u16,
    pub seq: i64,
}

/// Port: where marks are kept, outside of the database that they speak of.
pub trait Tripwire: Send + Sync + 'static {
    /// The marks of this installation; none if nothing was ever remembered of it.
    fn remembered(&self) -> BoxFuture<'_, Result<Vec<Mark>, TripwireFailure>>;

    /// Keeps these marks in place of those before, whole or not at all.
    fn remember<'a>(&'a self, marks: &'a [Mark]) -> BoxFuture<'a, Result<(), TripwireFailure>>;
}

/// Why marks could not be read or kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TripwireFailure(pub String);

/// The database that was taken over lacks what was acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "lane {lane} is at batch {found}, and this machine remembers that its batch {remembered} was acknowledged: \
     the database was restored to an older state, or failed over to a node that had fallen behind"
)]
pub struct Rewound {
    pub lane: u16,
    pub found: i64,
    pub remembered: i64,
}

/// Why an engine must not serve where it took over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Tripped {
    #[error(transparent)]
    Rewound(#[from] Rewound),
    #[error("what this machine remembers of its lanes cannot be read: {0}")]
    Unreadable(#[from] TripwireFailure),
}

fn rewound(remembered: &[Mark], positions: &[LanePosition]) -> Option<Rewound> {
    remembered.iter().find_map(|mark| {
        let lane = positions.iter().find(|found| found.lane == mark.lane);
        // A database from before there was such a lane.
        let found = lane.map_or(0, |lane| lane.seq);
        (found < mark.seq).then_some(Rewound {
            lane: mark.lane,
            found,
            remembered: mark.seq,
        })
    })
}

/// Compares the lanes, as they were just taken over, with what is remembered of them. A database that
/// went back in time is marked, so that nobody takes it over who remembers nothing.
pub(crate) async fn check(
    tripwire: Option<&Arc<dyn Tripwire>>,
    journal: &Arc<dyn Journal>,
    positions: &[LanePosition],
) -> Result<(), Tripped> {
    let Some(tripwire) = tripwire else {
        return Ok(());
    };
    let remembered = tripwire.remembered().await?;
    let Some(rewound) = rewound(&remembered, positions) else {
        return Ok(());
    };
    if crate::sabotage::breaks("tripwire_off") {
        return Ok(());
    }
    tracing::error!("HALT: {rewound}");
    recovery::mark(journal, &rewound.to_string()).await;
    Err(rewound.into())
}

/// Looks after the shard beside its heartbeat, until it is given up: remembers how far its lanes are, and
/// finds out how it was lost.
pub(crate) async fn guard(
    fulfiller: Arc<Fulfiller>,
    journal: Arc<dyn Journal>,
    tripwire: Option<Arc<dyn Tripwire>>,
    ended: watch::Receiver<bool>,
) {
    let ownership = Arc::clone(&fulfiller.lanes.ownership);
    let explaining = recovery::explain_loss(ownership, journal, ended.clone());
    let keeping = async {
        let Some(tripwire) = tripwire else { return };
        supervise::restarted("tripwire", || {
            keep(&*tripwire, &fulfiller.lanes, ended.clone())
        })
        .await;
    };
    tokio::join!(explaining, keeping);
}

/// Remembers the lanes' marks as they grow, for as long as this process owns them.
async fn keep(tripwire: &dyn Tripwire, lanes: &Lanes, mut ended: watch::Receiver<bool>) {
    let ownership = &lanes.ownership;
    let mut kept = Vec::new();
    loop {
        let last = *ended.borrow_and_update();
        let now = lanes.marks();
        // An owner that was replaced while it was frozen would forget what the next one remembers.
        let ours = ownership.is_fresh() || (last && !ownership.is_lost());
        if ours && now != kept {
            match timeout(DEADLINE, tripwire.remember(&now)).await {
                Ok(Ok(())) => kept = now,
                Ok(Err(failure)) => missed(&failure.to_string()),
                Err(_) => missed("no answer in time"),
            }
        }
        if last || ownership.is_lost() {
            return;
        }
        tokio::select! {
            biased;
            changed = ended.changed() => if changed.is_err() {
                return;
            },
            () = sleep(EVERY) => {}
        }
    }
}

fn missed(why: &str) {
    metrics::tripwire_missed();
    tracing::warn!("could not remember the lanes' numbers: {why}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(seqs: &[(u16, i64)]) -> Vec<Mark> {
        let mark = |&(lane, seq): &(u16, i64)| Mark { lane, seq };
        seqs.iter().map(mark).collect()
    }

    #[track_caller]
    fn check(remembered: &[(u16, i64)], found: &[(u16, i64)], trips: Option<u16>) {
        let position = |&(lane, seq): &(u16, i64)| LanePosition {
            lane,
            fence: 1,
            seq,
        };
        let positions: Vec<_> = found.iter().map(position).collect();
        let rewound = rewound(&marks(remembered), &positions);
        assert_eq!(rewound.map(|rewound| rewound.lane), trips, "{remembered:?}");
    }

    #[test]
    fn lane_below_what_is_remembered_trips() {
        check(&[], &[(0, 0)], None);
        check(&[(0, 5)], &[(0, 5)], None);
        check(&[(0, 5), (1, 9)], &[(0, 8), (1, 9)], None);
        check(&[(0, 5), (1, 9)], &[(0, 8), (1, 8)], Some(1));
        check(&[(0, 0), (3, 1)], &[(0, 0)], Some(3));
        check(&[(3, 0)], &[(0, 0)], None);
    }
}
