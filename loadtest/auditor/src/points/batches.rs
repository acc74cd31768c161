//! C15: the order of commits.

use std::collections::HashMap;

use crate::{Batch, Before, Finding, Run, index::Index, verdict::Check};

pub(crate) fn gapless(index: &Index<'_>, run: &Run) -> Finding {
    let mut check = Check::new();
    let mut batches: Vec<&Batch> = index.store.batches.iter().collect();
    batches.sort_by_key(|batch| (batch.lane, batch.seq));
    let mut ends = HashMap::new();
    for lane in batches.chunk_by(|a, b| a.lane == b.lane) {
        one_lane(lane, &mut check);
        let last = lane[lane.len() - 1];
        ends.insert(last.lane, (last.seq, last.fence));
    }
    for lane in &index.store.lanes {
        let (seq, fence) = ends.remove(&lane.lane).unwrap_or_default();
        let what = "a lane is not where its last batch is";
        check.that(lane.seq == seq, what, || format!("lane {}", lane.lane));
        let what = "a lane's fence is below that of its last batch";
        check.that(lane.fence >= fence, what, || format!("lane {}", lane.lane));
    }
    for lane in ends.keys() {
        check.violated("batches of no lane", || format!("lane {lane}"));
    }
    entries(index, run, &batches, &mut check);
    check.finding()
}

fn one_lane(batches: &[&Batch], check: &mut Check) {
    let (mut seq, mut fence) = (0, 0);
    let mut versions = HashMap::new();
    for batch in batches {
        let names = || format!("batch {} of lane {}", batch.seq, batch.lane);
        check.that(
            batch.seq == seq + 1,
            "a batch is missing or there twice",
            names,
        );
        check.that(batch.fence >= fence, "a fence goes down", names);
        (seq, fence) = (batch.seq, batch.fence);
        for (balance, version) in &batch.entries {
            let before = versions.insert(*balance, *version);
            let rises = before.is_none_or(|before| before < *version);
            check.that(rises, "a ledger goes back from batch to batch", || {
                format!("balance {balance}, {}", names())
            });
        }
    }
}

/// Every entry is in one batch, and every batch says the truth.
fn entries(index: &Index<'_>, run: &Run, batches: &[&Batch], check: &mut Check) {
    let listed = batches.iter().flat_map(|batch| &batch.entries);
    let mut listed: Vec<(i64, i64)> = listed.copied().collect();
    listed.sort_unstable();
    for pair in listed.windows(2) {
        let what = "an entry is in two batches";
        check.that(pair[0] != pair[1], what, || names(pair[0]));
    }
    for place in &listed {
        let there = index.entry(place.0, place.1).is_some();
        check.that(there, "a batch lists an entry that is not there", || {
            names(*place)
        });
    }
    if matches!(run.before, Before::Unknown) {
        return;
    }
    for known in &index.entries {
        let place = (known.row.balance, known.row.version);
        let listed = listed.binary_search(&place).is_ok();
        let told = listed || !run.before.judges(place.0, place.1);
        check.that(told, "an entry is in no batch", || names(place));
    }
}

fn names((balance, version): (i64, i64)) -> String {
    format!("version {version} of balance {balance}")
}
