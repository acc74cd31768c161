//! C14: what was taken away stays away from the moment that was acknowledged.

use crate::{
    Change, EntryKind, Finding, Id, Invocation, Run, Sku,
    index::{Index, Known},
    verdict::Check,
};

/// Something that may be switched off, and on again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Subject {
    Key(Id),
    Relationship(Id),
    Program(Id),
    Access(Id, Sku),
    Offered(Sku),
}

/// A switch: it takes effect at some moment between both times.
#[derive(Clone, Copy)]
struct Switch {
    subject: Subject,
    on: bool,
    sent_at: u64,
    /// The end of time if it was never acknowledged.
    done_at: u64,
}

pub(crate) fn kept(index: &Index<'_>, _: &Run) -> Finding {
    let switches: Vec<Switch> = index
        .history
        .invocations
        .iter()
        .filter_map(switch)
        .collect();
    let mut check = Check::new();
    if switches.iter().all(|switch| switch.on) {
        return check.finding();
    }
    for known in index
        .entries
        .iter()
        .filter(|known| known.asked && known.caused_from > 0)
    {
        if known.row.kind != EntryKind::Fulfillment {
            continue;
        }
        let off = subjects(index, known)
            .into_iter()
            .find(|subject| is_off(&switches, *subject, known.caused_from, known.told_at));
        check.that(off.is_none(), "sold after it was taken away", || {
            let row = known.row;
            format!(
                "`{}`, version {} of balance {}",
                row.reference, row.version, row.balance
            )
        });
    }
    for call in index
        .history
        .invocations
        .iter()
        .filter(|call| call.delivery().is_some())
    {
        if let Some(key) = call.key {
            let until = call
                .answered
                .as_ref()
                .map_or(u64::MAX, |answered| answered.at);
            let off = is_off(&switches, Subject::Key(key), call.sent_at, until);
            check.that(!off, "a revoked key was served", || {
                format!("call {} of client {}", call.sequence, call.client)
            });
        }
    }
    check.finding()
}

/// Everything that must be on for an entry to be sold.
fn subjects(index: &Index<'_>, known: &Known<'_>) -> Vec<Subject> {
    let row = known.row;
    let mut subjects: Vec<Subject> = row.key.map(Subject::Key).into_iter().collect();
    let Some(balance) = index.balances.get(&row.balance) else {
        return subjects;
    };
    subjects.push(Subject::Relationship(balance.relationship));
    subjects.push(Subject::Program(balance.merchant));
    for claim in index.claims_of(row.balance, row.version) {
        if let Some(sku) = index.import(claim.serial).map(|import| import.sku) {
            subjects.push(Subject::Access(balance.relationship, sku));
            subjects.push(Subject::Offered(sku));
        }
    }
    subjects
}

/// Whether a subject was certainly off all the time between two moments.
fn is_off(switches: &[Switch], subject: Subject, from: u64, until: u64) -> bool {
    let own = || {
        switches
            .iter()
            .filter(|switch| switch.subject.covers(subject))
    };
    let mut offs = own().filter(|switch| !switch.on && switch.done_at < from);
    offs.any(|off| {
        !own().any(|other| other.on && other.done_at >= off.sent_at && other.sent_at <= until)
    })
}

impl Subject {
    /// Whether a switch of this subject is one of `other` too: a product's is one of its variants.
    fn covers(self, other: Self) -> bool {
        let wider = |a: Sku, b: Sku| {
            a.product == b.product && (a.variant.is_none() || a.variant == b.variant)
        };
        match (self, other) {
            (Self::Access(a, sku), Self::Access(b, asked)) => a == b && wider(sku, asked),
            (Self::Offered(sku), Self::Offered(asked)) => wider(sku, asked),
            _ => self == other,
        }
    }
}

fn switch(call: &Invocation) -> Option<Switch> {
    let (subject, on) = match call.change()? {
        Change::KeyRevoked { key } => (Subject::Key(*key), false),
        Change::Relationship {
            relationship,
            active,
        } => (Subject::Relationship(*relationship), *active),
        Change::Program { merchant, enabled } => (Subject::Program(*merchant), *enabled),
        Change::Access {
            relationship,
            sku,
            allowed,
        } => (Subject::Access(*relationship, *sku), *allowed),
        Change::Offered { sku, on } => (Subject::Offered(*sku), *on),
        Change::PurchaseLimits { .. } | Change::KeyCap { .. } => return None,
    };
    Some(Switch {
        subject,
        on,
        sent_at: call.sent_at,
        done_at: call.changed_at(),
    })
}
