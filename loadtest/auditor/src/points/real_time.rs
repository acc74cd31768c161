//! C11, C12: what one client was told before another asked.

use crate::{
    Answer, Balance, Before, Finding, Invocation, Run,
    index::{Index, Known},
    verdict::Check,
};

/// C11.
pub(crate) fn order(index: &Index<'_>, _: &Run) -> Finding {
    let mut check = Check::new();
    for (_, range) in &index.ledgers {
        let mut told_above: Option<&Known<'_>> = None;
        for known in index.entries[range.clone()].iter().rev() {
            if known.asked {
                let late = told_above.filter(|above| above.told_at < known.caused_from);
                let what = "told before the other was sent, and yet after it in the ledger";
                check.that(late.is_none(), what, || {
                    let above = late.map_or(0, |above| above.row.version);
                    let row = known.row;
                    format!(
                        "versions {above} and {} of balance {}",
                        row.version, row.balance
                    )
                });
            }
            if told_above.is_none_or(|above| known.told_at < above.told_at) {
                told_above = Some(known);
            }
        }
    }
    check.finding()
}

/// C12.
pub(crate) fn reads(index: &Index<'_>, run: &Run) -> Finding {
    if matches!(run.before, Before::Unknown) {
        return Finding::NotChecked {
            why: "what was stored before the run is not known",
        };
    }
    let mut reads: Vec<(&Balance, &Invocation)> = Vec::new();
    let mut check = Check::new();
    for call in &index.history.invocations {
        if !matches!(call.answer(), Some(Answer::Balance { .. })) {
            continue;
        }
        match index.balance_of(call) {
            Some(balance) => reads.push((balance, call)),
            None => check.violated("a balance was read that is not stored", || names(call)),
        }
    }
    reads.sort_by_key(|(balance, _)| balance.balance);
    for group in reads.chunk_by(|a, b| a.0.balance == b.0.balance) {
        let moves = Moves::of(index.ledger(group[0].0.balance), run);
        for (_, call) in group {
            judge(&moves, call, &mut check);
        }
    }
    check.finding()
}

fn judge(moves: &Moves, call: &Invocation, check: &mut Check) {
    let Some(answered) = &call.answered else {
        return;
    };
    let Answer::Balance {
        posted,
        available,
        version,
    } = &answered.answer
    else {
        return;
    };
    let (least, most) = moves.bounds(call.sent_at, answered.at);
    let within = (least..=most).contains(&i128::from(*posted));
    check.that(within, "a balance that never was at that moment", || {
        format!("{posted}, not within {least} and {most}: {}", names(call))
    });
    let last = moves.last_version(answered.at);
    check.that(
        version.is_none_or(|version| version <= last),
        "a version from the future",
        || names(call),
    );
    check.that(
        (0..=*posted).contains(available),
        "more available than there is",
        || names(call),
    );
}

/// Sums of one ledger up to a moment, ins and outs apart.
struct Moves {
    /// By the moment they were told: certain from then on.
    told: Vec<(u64, i128, i128)>,
    /// By the moment they can have been caused: possible from then on.
    caused: Vec<(u64, i128, i128)>,
    /// By the moment of their cause, the highest version so far.
    versions: Vec<(u64, i64)>,
}

impl Moves {
    fn of(ledger: &[Known<'_>], run: &Run) -> Self {
        let before = |known: &Known<'_>| !run.before.judges(known.row.balance, known.row.version);
        let told = |known: &Known<'_>| if before(known) { 0 } else { known.told_at };
        let mut versions: Vec<(u64, i64)> = ledger
            .iter()
            .map(|known| (known.caused_from, known.row.version))
            .collect();
        versions.sort_unstable();
        let mut highest = 0;
        for (_, version) in &mut versions {
            highest = highest.max(*version);
            *version = highest;
        }
        Self {
            told: sums(ledger.iter().map(|known| (told(known), known.row.amount))),
            caused: sums(
                ledger
                    .iter()
                    .map(|known| (known.caused_from, known.row.amount)),
            ),
            versions,
        }
    }

    /// The least and the most that a read may show that was sent and answered then.
    fn bounds(&self, sent: u64, answered: u64) -> (i128, i128) {
        let (certain_in, certain_out) = until(&self.told, |at| at < sent);
        let (possible_in, possible_out) = until(&self.caused, |at| at <= answered);
        (certain_in + possible_out, possible_in + certain_out)
    }

    fn last_version(&self, answered: u64) -> i64 {
        let count = self.versions.partition_point(|(at, _)| *at <= answered);
        count.checked_sub(1).map_or(0, |at| self.versions[at].1)
    }
}

fn sums(moves: impl Iterator<Item = (u64, i64)>) -> Vec<(u64, i128, i128)> {
    let mut moves: Vec<(u64, i64)> = moves.collect();
    moves.sort_unstable_by_key(|(at, _)| *at);
    let (mut ins, mut outs) = (0_i128, 0_i128);
    let add = |(at, amount)| {
        ins += i128::from(i64::max(amount, 0));
        outs += i128::from(i64::min(amount, 0));
        (at, ins, outs)
    };
    moves.into_iter().map(add).collect()
}

fn until(sums: &[(u64, i128, i128)], within: impl Fn(u64) -> bool) -> (i128, i128) {
    let count = sums.partition_point(|(at, _, _)| within(*at));
    count
        .checked_sub(1)
        .map_or((0, 0), |at| (sums[at].1, sums[at].2))
}

fn names(call: &Invocation) -> String {
    format!("call {} of client {}", call.sequence, call.client)
}
