//! C4: one serial, one delivery, over everything stored and everything anybody was ever told.

use crate::{
    Finding, Id, Run,
    index::{Index, Order},
    verdict::Check,
};

pub(crate) fn delivered_once(index: &Index<'_>, _: &Run) -> Finding {
    let mut check = Check::new();
    for pair in index.claimed.windows(2) {
        let twice = pair[0].serial == pair[1].serial;
        check.that(!twice, "a serial has two claims", || {
            format!("serial {}", pair[0].serial)
        });
    }
    let mut stored = Vec::new();
    for (at, known) in index.entries.iter().enumerate() {
        stored.extend(known.row.serials.iter().map(|serial| (*serial, at)));
    }
    for pair in sorted(&mut stored).windows(2) {
        let what = "a serial is in two entries, or twice in one";
        check.that(pair[0].0 != pair[1].0, what, || {
            format!("serial {}", pair[0].0)
        });
    }
    answers(index, &mut check);
    check.finding()
}

fn answers(index: &Index<'_>, check: &mut Check) {
    let (mut ids, mut secrets, mut pairs) = (Vec::new(), Vec::new(), Vec::new());
    for (at, order) in index.orders.iter().enumerate() {
        for (_, delivery) in order.deliveries() {
            for (unit, serial) in delivery.serials.iter().enumerate() {
                ids.push((serial.id, (at, unit)));
                secrets.push((serial.secret, (at, unit)));
                pairs.push((serial.id, serial.secret));
            }
        }
    }
    let what = "a serial was answered in two places";
    for list in [&mut ids, &mut secrets] {
        for pair in sorted(list).windows(2) {
            let ((a, place), (b, other)) = (pair[0], pair[1]);
            check.that(!known(a) || a != b || place == other, what, || {
                two(&index.orders[place.0], &index.orders[other.0])
            });
        }
    }
    pairs.retain(|(id, secret)| known(*id) && known(*secret));
    for pair in sorted(&mut pairs).windows(2) {
        let other_text = pair[0].0 == pair[1].0 && pair[0].1 != pair[1].1;
        check.that(!other_text, "a serial was answered with two texts", || {
            format!("serial {}", pair[0].0)
        });
    }
}

fn sorted<T: Ord>(list: &mut [T]) -> &[T] {
    list.sort_unstable();
    list
}

/// Zero stands for what a client did not see.
const fn known(id: Id) -> bool {
    id.0 != 0
}

fn two(a: &Order<'_>, b: &Order<'_>) -> String {
    format!("{} and {}", a.names(), b.names())
}
