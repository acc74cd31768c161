//! What became of a batch whose answer was lost: committed, never, or halt.
//!
//! The fence is raised first. Then the old session either has committed, and the lane's number says
//! so, or it never can: its statement depends on the lane row under the old fence.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use super::{
    Batch, FenceFailure, Journal, Ownership, Session, WithdrawalIntent,
    intent::{CreditIntent, Intent, Verdict},
    lane::{Lane, abort_all},
    queue::Pending,
};
use crate::{clock, fault::Fault, fulfillments::Stamp, metrics};

const BACK_OFF_MIN: Duration = Duration::from_millis(20);
const BACK_OFF_MAX: Duration = Duration::from_secs(1);
/// The process ends meanwhile, and waits for its lanes only so long.
const MARK_ATTEMPTS: u32 = 3;
const MARK_DEADLINE: Duration = Duration::from_secs(1);

/// A batch that was sent and is not decided.
pub(super) struct InFlight {
    pub(super) batch: Batch,
    pub(super) stamps: Vec<Stamp>,
    pub(super) pending: Vec<Pending>,
    /// When it was first sent.
    pub(super) since: Instant,
}

/// Raises the fence until that succeeds, and decides what was in flight. None: the shard is lost.
pub(super) async fn fence(lane: &mut Lane, in_flight: Option<InFlight>) -> Option<Session> {
    let mut back_off = BACK_OFF_MIN;
    loop {
        let failure = match lane.journal.fence(lane.ownership.owner, lane.number).await {
            Ok(session) => {
                lane.metrics.fenced();
                return match decide(lane, in_flight, session) {
                    Ok(session) => Some(session),
                    Err(unexplained) => {
                        halt(lane, unexplained).await;
                        None
                    }
                };
            }
            Err(failure) => failure,
        };
        if failure == FenceFailure::Disowned || lane.ownership.is_lost() {
            disown(in_flight);
            return None;
        }
        tracing::warn!(lane = lane.number, %failure, "the lane waits for its journal");
        sleep(back_off).await;
        back_off = (back_off * 2).min(BACK_OFF_MAX);
    }
}

/// The number that a lane was found at, and cannot be.
struct Unexplained {
    found: i64,
}

fn decide(
    lane: &mut Lane,
    in_flight: Option<InFlight>,
    session: Session,
) -> Result<Session, Unexplained> {
    let seq = session.position.seq;
    match in_flight {
        None if seq == lane.seq => {}
        Some(sent) if seq == sent.batch.seq || crate::sabotage::breaks("no_seq_check") => {
            lane.committed(sent);
        }
        // It can never commit: its rows are numbered anew and go first, unless it is too old.
        Some(sent) if seq == lane.seq => {
            if clock::instant() - sent.since < lane.batch_age_max() {
                lane.put_back_since(sent.pending, Some(sent.since));
            } else {
                abort_all(sent.pending, &Fault::overloaded());
            }
        }
        in_flight => {
            disown(in_flight);
            return Err(Unexplained { found: seq });
        }
    }
    Ok(session)
}

/// Nothing is told from here on, and nobody is to take over: the shard is marked for the next start.
async fn halt(lane: &Lane, Unexplained { found }: Unexplained) {
    metrics::violation("lane_seq");
    let (number, expected) = (lane.number, lane.seq);
    tracing::error!(
        lane = number,
        expected,
        found,
        "HALT: acknowledged batches are gone, or someone writes beside this process"
    );
    lane.ownership.halt();
    let because = format!("lane {number} was to be at batch {expected} and is at {found}");
    mark(&lane.journal, &because).await;
}

/// Once the shard is lost: whether another owner has it, or storage has gone back to before this one.
/// The second is for nobody to take over.
pub(crate) async fn explain_loss(
    ownership: Arc<Ownership>,
    journal: Arc<dyn Journal>,
    mut ended: watch::Receiver<bool>,
) {
    tokio::select! {
        biased;
        () = ownership.lost() => {}
        _ = ended.wait_for(|ended| *ended) => {}
    }
    if !ownership.is_lost() || ownership.is_halted() {
        return;
    }
    for _ in 0..MARK_ATTEMPTS {
        match timeout(MARK_DEADLINE, journal.knows(ownership.owner)).await {
            Ok(Ok(true)) => return,
            Ok(Ok(false)) => {
                metrics::violation("takeover_forgotten");
                let because = "the takeover of the last owner is not on record any more";
                tracing::error!("HALT: {because}: the database went back to before it");
                ownership.halt();
                return mark(&journal, because).await;
            }
            Ok(Err(failure)) => tracing::warn!(%failure, "could not ask who has the shard"),
            Err(_) => tracing::warn!("could not ask who has the shard: no answer"),
        }
        sleep(BACK_OFF_MIN).await;
    }
}

/// Marks the shard, as well as that can be done.
pub(super) async fn mark(journal: &Arc<dyn Journal>, because: &str) {
    for _ in 0..MARK_ATTEMPTS {
        match timeout(MARK_DEADLINE, journal.halt(because)).await {
            Ok(Ok(())) => return,
            Ok(Err(failure)) => tracing::error!(%failure, "could not mark the shard as halted"),
            Err(_) => tracing::error!("could not mark the shard as halted: no answer"),
        }
        sleep(BACK_OFF_MIN).await;
    }
}

fn disown(in_flight: Option<InFlight>) {
    for pending in in_flight.into_iter().flat_map(|sent| sent.pending) {
        pending.disown();
    }
}

/// Decides a fulfillment: its ledger now ends with it.
pub(super) fn committed(mut intent: Intent, stamp: Stamp) -> Verdict<Intent, Stamp> {
    intent.account().end.set(stamp.version, stamp.balance_after);
    intent.decide_committed(stamp);
    Verdict::Committed(intent, stamp)
}

/// Decides a credit: its ledger now ends with it.
pub(super) fn credited(mut intent: CreditIntent, stamp: Stamp) -> Verdict<CreditIntent, Stamp> {
    intent.account().end.set(stamp.version, stamp.balance_after);
    intent.decide_committed(stamp);
    Verdict::Committed(intent, stamp)
}

/// Decides a withdrawal: its serials are gone.
pub(super) fn withdrawn(mut intent: WithdrawalIntent) -> Verdict<WithdrawalIntent, ()> {
    intent.decide_committed();
    Verdict::Committed(intent, ())
}
