//! Every metric of the engine: its whole name, unit, labels and description.
//!
//! What you grep here is what Prometheus shows. Labels are closed sets; nobody's id is one.

use std::{sync::LazyLock, time::Duration};

use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};

use crate::fault::Fault;

pub const FULFILLMENTS: &str = "consign_fulfillments_total";
pub const STAGE: &str = "consign_fulfillment_stage_duration_seconds";
pub const ACTORS_ACTIVE: &str = "consign_actors_active";
pub const ACTOR_REBUILDS: &str = "consign_actor_rebuilds_total";
pub const ACTORS_QUARANTINED: &str = "consign_actors_quarantined";
pub const IMPORTS_OFF_SALE: &str = "consign_imports_off_sale";
pub const PERMITS_IN_USE: &str = "consign_permits_in_use";
pub const BATCH_ENTRIES: &str = "consign_journal_batch_entries";
pub const COMMIT_DURATION: &str = "consign_journal_commit_duration_seconds";
pub const QUEUE_ENTRIES: &str = "consign_journal_queue_entries";
pub const QUEUE_AGE: &str = "consign_journal_queue_age_seconds";
pub const LANE_READY: &str = "consign_journal_lane_ready";
pub const UNKNOWN_OUTCOMES: &str = "consign_journal_unknown_outcomes_total";
pub const FENCES: &str = "consign_journal_fences_total";
pub const TRIPWIRE_MISSED: &str = "consign_tripwire_missed_total";
pub const PROOFS: &str = "consign_proofs_total";
pub const TASK_PANICS: &str = "consign_task_panics_total";
pub const VIOLATIONS: &str = "consign_invariant_violations_total";

/// Buckets, in seconds, of every duration.
pub const DURATION_BUCKETS: [f64; 14] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];
/// Buckets of the number of entries in a batch.
pub const BATCH_BUCKETS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// Gives every metric of the engine its description and unit. The recorder must be installed.
pub fn describe() {
    describe_counter!(FULFILLMENTS, "Calls for a fulfillment by outcome");
    describe_histogram!(
        STAGE,
        Unit::Seconds,
        "Time a fulfillment spent in each stage"
    );
    describe_gauge!(ACTORS_ACTIVE, "Actors in memory");
    describe_counter!(ACTOR_REBUILDS, "Actors that panicked and were rebuilt");
    describe_gauge!(
        ACTORS_QUARANTINED,
        "Actors that kept panicking or drifted from storage and serve no more"
    );
    describe_gauge!(
        IMPORTS_OFF_SALE,
        "Stored imports that could not be put on sale at the last look"
    );
    describe_gauge!(PERMITS_IN_USE, "Requests between admission and settlement");
    describe_histogram!(BATCH_ENTRIES, "Entries of a committed batch");
    describe_histogram!(
        COMMIT_DURATION,
        Unit::Seconds,
        "Time a commit took, flush included"
    );
    describe_gauge!(QUEUE_ENTRIES, "Entries waiting for a lane");
    describe_gauge!(
        QUEUE_AGE,
        Unit::Seconds,
        "How long the oldest entry of the last batch waited"
    );
    describe_gauge!(LANE_READY, "1 while the lane can commit");
    describe_counter!(
        UNKNOWN_OUTCOMES,
        "Batches whose outcome had to be looked up"
    );
    describe_counter!(FENCES, "Times a lane's fence was raised");
    describe_counter!(
        TRIPWIRE_MISSED,
        "Times the lanes' numbers could not be remembered on this machine"
    );
    describe_counter!(
        VIOLATIONS,
        "Promises that a constraint or an assertion found broken"
    );
    describe_counter!(
        TASK_PANICS,
        "Panics of work beside the requests, by its name"
    );
    describe_counter!(
        PROOFS,
        "Balances and shelves that were checked against storage, by result"
    );
    start();
}

/// What rarely happens is there from the beginning, so that whoever counts events from one scrape to
/// the next sees the first one.
fn start() {
    for actor in ["balance", "inventory"] {
        counter!(ACTOR_REBUILDS, "actor" => actor).increment(0);
        gauge!(ACTORS_QUARANTINED, "actor" => actor).set(0.0);
    }
    for invariant in ["lane_seq", "takeover_forgotten"] {
        counter!(VIOLATIONS, "invariant" => invariant).increment(0);
    }
    counter!(TRIPWIRE_MISSED).increment(0);
    for actor in ["balance", "inventory"] {
        for proof in [Proof::Same, Proof::Drift, Proof::Failed] {
            counter!(PROOFS, "actor" => actor, "result" => proof.name()).increment(0);
        }
    }
}

/// A stage of a fulfillment.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stage {
    Hold,
    Claim,
    Commit,
    Settle,
}

// Looking a metric up by name costs more than recording it, so the hot ones are looked up once.
static STAGES: LazyLock<[Histogram; 4]> = LazyLock::new(|| {
    ["hold", "claim", "commit", "settle"].map(|stage| histogram!(STAGE, "stage" => stage))
});
static OUTCOMES: LazyLock<[Counter; 6]> = LazyLock::new(|| {
    [
        "delivered",
        "replayed",
        "refused",
        "shed",
        "unknown",
        "failed",
    ]
    .map(|outcome| counter!(FULFILLMENTS, "outcome" => outcome))
});
static BATCHES: LazyLock<Histogram> = LazyLock::new(|| histogram!(BATCH_ENTRIES));
static COMMITS: LazyLock<Histogram> = LazyLock::new(|| histogram!(COMMIT_DURATION));

pub(crate) fn stage(stage: Stage, took: Duration) {
    STAGES[stage as usize].record(took.as_secs_f64());
}

/// How a call for a fulfillment ended.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ending {
    Delivered,
    Replayed,
    Refused,
    /// Not executed, because there was no room or storage was away.
    Shed,
    /// Nobody knows yet.
    Unknown,
    /// Undone for certain, because of a defect.
    Failed,
}

impl From<&Fault> for Ending {
    fn from(fault: &Fault) -> Self {
        match fault {
            Fault::Overloaded { .. } | Fault::Unavailable => Self::Shed,
            Fault::OutcomeUnknown => Self::Unknown,
            Fault::Aborted { .. } | Fault::Excess => Self::Failed,
        }
    }
}

pub(crate) fn fulfillment(ending: Ending) {
    OUTCOMES[ending as usize].increment(1);
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a batch has at most some hundred entries"
)]
pub(crate) fn committed(entries: usize, took: Duration) {
    BATCHES.record(entries as f64);
    COMMITS.record(took.as_secs_f64());
}

pub(crate) fn actor_rebuilt(actor: &'static str) {
    counter!(ACTOR_REBUILDS, "actor" => actor).increment(1);
}

pub(crate) fn actor_quarantined(actor: &'static str) {
    gauge!(ACTORS_QUARANTINED, "actor" => actor).increment(1);
}

#[expect(
    clippy::cast_precision_loss,
    reason = "there are far fewer than 2^52 imports"
)]
pub(crate) fn imports_off_sale(count: usize) {
    gauge!(IMPORTS_OFF_SALE).set(count as f64);
}

#[expect(
    clippy::cast_precision_loss,
    reason = "there are far fewer than 2^52 actors"
)]
pub(crate) fn actors_active(actor: &'static str, count: usize) {
    gauge!(ACTORS_ACTIVE, "actor" => actor).set(count as f64);
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the configuration bounds permits"
)]
pub(crate) fn permits_in_use(count: usize) {
    gauge!(PERMITS_IN_USE, "scope" => "all").set(count as f64);
}

/// Work beside the requests begins.
pub(crate) fn task(task: &'static str) {
    counter!(TASK_PANICS, "task" => task).increment(0);
}

pub(crate) fn task_panicked(task: &'static str) {
    counter!(TASK_PANICS, "task" => task).increment(1);
}

pub(crate) fn tripwire_missed() {
    counter!(TRIPWIRE_MISSED).increment(1);
}

pub(crate) fn violation(invariant: &'static str) {
    counter!(VIOLATIONS, "invariant" => invariant).increment(1);
}

/// What a look of the verifier found.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Proof {
    Same,
    Drift,
    /// Storage could not be read.
    Failed,
}

impl Proof {
    const fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Drift => "drift",
            Self::Failed => "failed",
        }
    }
}

pub(crate) fn proved(actor: &'static str, proof: Proof) {
    counter!(PROOFS, "actor" => actor, "result" => proof.name()).increment(1);
}

/// The metrics of one lane.
pub(crate) struct LaneMetrics {
    entries: Gauge,
    age: Gauge,
    ready: Gauge,
    unknown: Counter,
    fences: Counter,
}

impl LaneMetrics {
    pub(crate) fn new(lane: u16) -> Self {
        let lane = lane.to_string();
        Self {
            entries: gauge!(QUEUE_ENTRIES, "lane" => lane.clone()),
            age: gauge!(QUEUE_AGE, "lane" => lane.clone()),
            ready: gauge!(LANE_READY, "lane" => lane),
            unknown: counter!(UNKNOWN_OUTCOMES),
            fences: counter!(FENCES),
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "the configuration bounds the queue"
    )]
    pub(crate) fn queue(&self, entries: usize, oldest: Duration) {
        self.entries.set(entries as f64);
        self.age.set(oldest.as_secs_f64());
    }

    pub(crate) fn ready(&self, ready: bool) {
        self.ready.set(f64::from(u8::from(ready)));
    }

    pub(crate) fn unknown(&self) {
        self.unknown.increment(1);
    }

    pub(crate) fn fenced(&self) {
        self.fences.increment(1);
    }
}
