//! Bounds of the engine, and the relations between them.
//!
//! Every bound has a name here. [`Config::check`] runs at start: a configuration that could lose or
//! block work does not start.

use std::time::Duration;

use serde::Deserialize;

/// How often an owner says that it lives.
pub(crate) const HEARTBEAT_EVERY: Duration = Duration::from_secs(1);
/// After how long without a heartbeat another process may end an owner. Whoever owns tells nothing of
/// what it has in memory well before that.
pub const SILENCE_MAX: Duration = Duration::from_secs(6);

/// More at once than any database takes; each has a permit, a task and holds.
const IN_FLIGHT_MAX: usize = 65_536;
const QUEUE_ENTRIES_MAX: usize = 1 << 20;

/// Settings of the engine. Durations are in milliseconds in the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Threads for actors. One serves far more than one Postgres commits; more cost wake-ups.
    pub arbiters: usize,
    /// Lanes of the journal.
    pub lanes: u16,
    /// Requests between admission and settlement, in all.
    pub in_flight_max: usize,
    /// The same for one relationship.
    pub relationship_in_flight_max: usize,
    /// Callers that may wait for one order id that is running.
    pub joined_max: usize,
    /// Entries waiting for one lane.
    pub lane_queue_entries_max: usize,
    /// Entries of one batch.
    pub batch_entries_max: usize,
    /// Bytes of one batch, as far as they vary.
    pub batch_bytes_max: usize,
    /// How long admission waits for a permit before it sheds.
    pub admission_wait_ms: u64,
    /// How long a caller waits for a fulfillment.
    pub answer_deadline_ms: u64,
    /// How long a claim waits for the shelf to be read.
    pub claim_deadline_ms: u64,
    /// How long a first use waits for an actor to be loaded.
    pub hydration_deadline_ms: u64,
    /// Actors that may be loaded at once.
    pub hydrations_max: usize,
    /// How long a batch may be under way before its outcome counts as unknown.
    pub lane_deadline_ms: u64,
    /// How old an undecided batch may be and still be sent again.
    pub batch_age_max_ms: u64,
    /// How long new work waits for a lane that is being fenced.
    pub lane_ready_wait_ms: u64,
    /// Smallest window of a product.
    pub window_serials_min: usize,
    /// Largest window of a product.
    pub window_serials_max: usize,
    /// Bytes of the window of one product, and of all windows. Beyond them only what is claimed is read.
    pub window_bytes_max: usize,
    pub windows_bytes_max: usize,
    /// Settled fulfillments kept for replays, in all, and their bytes.
    pub settled_entries_max: usize,
    pub settled_bytes_max: usize,
    /// How long an actor is idle before it is put away.
    pub idle_ms: u64,
    /// How long a drain waits for what is running.
    pub drain_ms: u64,
    /// How long an owner may go without a heartbeat before it stops to answer.
    pub heartbeat_age_max_ms: u64,
    /// How often the verifier looks at a balance and a shelf; 0 for never.
    pub verify_every_ms: u64,
    /// Entries of a ledger that the verifier reads at a time.
    pub verify_entries_max: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            arbiters: 1,
            lanes: 1,
            in_flight_max: 4096,
            relationship_in_flight_max: 512,
            joined_max: 256,
            lane_queue_entries_max: 8192,
            batch_entries_max: 512,
            batch_bytes_max: 256 * 1024,
            admission_wait_ms: 250,
            answer_deadline_ms: 8000,
            claim_deadline_ms: 2000,
            hydration_deadline_ms: 2000,
            hydrations_max: 32,
            lane_deadline_ms: 5000,
            batch_age_max_ms: 10_000,
            lane_ready_wait_ms: 250,
            window_serials_min: 64,
            window_serials_max: 4096,
            window_bytes_max: 4 * 1024 * 1024,
            windows_bytes_max: 256 * 1024 * 1024,
            settled_entries_max: 8192,
            settled_bytes_max: 64 * 1024 * 1024,
            idle_ms: 60_000,
            drain_ms: 5000,
            heartbeat_age_max_ms: 3000,
            verify_every_ms: 1000,
            verify_entries_max: 256,
        }
    }
}

/// A setting that must not be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("engine.{setting} {rule}")]
pub struct ConfigError {
    pub setting: &'static str,
    pub rule: &'static str,
}

impl Config {
    /// Checks every bound and the relations between them.
    pub fn check(&self) -> Result<(), ConfigError> {
        let broken = self
            .sizes()
            .into_iter()
            .chain(self.relations())
            .find(|(holds, ..)| !holds);
        broken.map_or(Ok(()), |(_, setting, rule)| {
            Err(ConfigError { setting, rule })
        })
    }

    fn sizes(&self) -> [Rule; 12] {
        [
            (self.arbiters >= 1, "arbiters", "must be at least 1"),
            ((1..=64).contains(&self.lanes), "lanes", "must be 1 to 64"),
            (
                (1..=IN_FLIGHT_MAX).contains(&self.in_flight_max),
                "in_flight_max",
                "must be 1 to 65536: each takes memory until it is settled",
            ),
            (
                self.lane_queue_entries_max <= QUEUE_ENTRIES_MAX,
                "lane_queue_entries_max",
                "must be at most 1048576",
            ),
            (
                self.lane_deadline_ms >= 100,
                "lane_deadline_ms",
                "must be at least 100",
            ),
            (self.idle_ms >= 50, "idle_ms", "must be at least 50"),
            (
                self.drain_ms >= 100,
                "drain_ms",
                "must be at least 100, or accepted orders are cut off",
            ),
            (
                self.hydrations_max >= 1,
                "hydrations_max",
                "must be at least 1",
            ),
            (
                self.batch_entries_max >= 1,
                "batch_entries_max",
                "must be at least 1",
            ),
            (
                self.batch_bytes_max >= 64 * 1024,
                "batch_bytes_max",
                "must be at least 65536",
            ),
            (
                self.window_serials_max >= 100,
                "window_serials_max",
                "must hold a line of 100 units",
            ),
            (
                self.verify_entries_max >= 1,
                "verify_entries_max",
                "must be at least 1",
            ),
        ]
    }

    fn relations(&self) -> [Rule; 11] {
        let answer = self.answer_deadline_ms;
        let below_answer = "must be below answer_deadline_ms";
        let (beat, silence) = (ms(self.heartbeat_age_max_ms), SILENCE_MAX);
        [
            (
                (1..=self.in_flight_max).contains(&self.relationship_in_flight_max),
                "relationship_in_flight_max",
                "must be 1 to in_flight_max",
            ),
            (
                self.lane_queue_entries_max >= self.in_flight_max,
                "lane_queue_entries_max",
                "must be at least in_flight_max, so that an admitted request always finds room",
            ),
            (
                self.claim_deadline_ms < answer,
                "claim_deadline_ms",
                below_answer,
            ),
            (
                self.hydration_deadline_ms < answer,
                "hydration_deadline_ms",
                below_answer,
            ),
            (
                self.lane_deadline_ms < answer,
                "lane_deadline_ms",
                below_answer,
            ),
            (
                self.admission_wait_ms < answer,
                "admission_wait_ms",
                below_answer,
            ),
            (
                self.lane_ready_wait_ms < answer,
                "lane_ready_wait_ms",
                below_answer,
            ),
            (
                self.batch_age_max_ms >= self.lane_deadline_ms,
                "batch_age_max_ms",
                "must be at least lane_deadline_ms, or a batch without an answer is never sent again",
            ),
            (
                beat >= 2 * HEARTBEAT_EVERY && beat + HEARTBEAT_EVERY <= silence,
                "heartbeat_age_max_ms",
                "must be 2000 to 5000: two heartbeats, and well before the 6 s of silence after which another process takes over",
            ),
            (
                (1..=self.windows_bytes_max).contains(&self.window_bytes_max),
                "window_bytes_max",
                "must be 1 to windows_bytes_max",
            ),
            (
                (1..=self.window_serials_max).contains(&self.window_serials_min),
                "window_serials_min",
                "must be 1 to window_serials_max",
            ),
        ]
    }
}

/// Whether it holds, the setting, and the rule in words.
type Rule = (bool, &'static str, &'static str);

/// A setting in milliseconds as a duration.
pub(crate) const fn ms(setting: u64) -> Duration {
    Duration::from_millis(setting)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_valid() {
        assert_eq!(Config::default().check(), Ok(()));
    }

    #[test]
    fn bounds_that_would_block_admitted_work_do_not_start() {
        for (config, setting) in [
            (
                Config {
                    lane_queue_entries_max: 4095,
                    ..Config::default()
                },
                "lane_queue_entries_max",
            ),
            (
                Config {
                    lane_deadline_ms: 8000,
                    ..Config::default()
                },
                "lane_deadline_ms",
            ),
            (
                Config {
                    batch_entries_max: 0,
                    ..Config::default()
                },
                "batch_entries_max",
            ),
            (
                Config {
                    heartbeat_age_max_ms: 6000,
                    ..Config::default()
                },
                "heartbeat_age_max_ms",
            ),
            (
                Config {
                    in_flight_max: usize::MAX,
                    ..Config::default()
                },
                "in_flight_max",
            ),
            (
                Config {
                    batch_age_max_ms: 4999,
                    ..Config::default()
                },
                "batch_age_max_ms",
            ),
            (
                Config {
                    lanes: 0,
                    ..Config::default()
                },
                "lanes",
            ),
        ] {
            assert_eq!(config.check().expect_err("refused").setting, setting);
        }
    }
}
