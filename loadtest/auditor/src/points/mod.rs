//! The points, each judged from the same index.

mod answers;
mod batches;
mod defects;
mod deliveries;
mod events;
mod fate;
mod ledgers;
mod limits;
mod real_time;
mod revocations;
mod serials;
mod stock;
mod tenants;
mod values;
mod withdrawals;

use crate::{Finding, Point, Run, index::Index};

/// What a point is judged by.
type Judge = fn(&Index<'_>, &Run) -> Finding;

const JUDGES: [(Point, Judge); 20] = [
    (Point::C1, answers::stored),
    (Point::C2, fate::refused),
    (Point::C3, fate::unknown),
    (Point::C4, serials::delivered_once),
    (Point::C5, answers::equal),
    (Point::C6, answers::bound),
    (Point::C7, ledgers::add_up),
    (Point::C8, ledgers::are_what_was_asked),
    (Point::C9, deliveries::whole),
    (Point::C10, stock::accounted_for),
    (Point::C11, real_time::order),
    (Point::C12, real_time::reads),
    (Point::C13, tenants::apart),
    (Point::C14, revocations::kept),
    (Point::C15, batches::gapless),
    (Point::C16, events::told_once),
    (Point::C17, defects::memory),
    (Point::C18, limits::kept),
    (Point::C19, defects::alarms),
    (Point::C20, defects::deadlines),
];

pub(crate) fn judge(index: &Index<'_>, run: &Run) -> Vec<(Point, Finding)> {
    let judged = JUDGES.iter().map(|(point, judge)| {
        let skipped = run.skip.iter().find(|(skipped, _)| skipped == point);
        let finding = match skipped {
            Some((_, why)) => Finding::NotChecked { why },
            None => judge(index, run),
        };
        (*point, finding)
    });
    judged.collect()
}
