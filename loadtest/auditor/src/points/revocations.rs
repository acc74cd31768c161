//! C14: what was taken away stays away, and what was changed stays changed, from the moment that was
//! acknowledged.

use std::collections::HashMap;

use crate::{
    Change, EntryKind, Finding, Id, Invocation, Run, Sku,
    index::{Index, Known},
    verdict::Check,
};

use super::values::Values;

/// Something that may be switched off, and on again.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
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

/// By subject, of any variant of its product.
type Switches = HashMap<Subject, Vec<Switch>>;

pub(crate) fn kept(index: &Index<'_>, _: &Run) -> Finding {
    let mut check = Check::new();
    switched(index, &mut check);
    priced(index, &mut check);
    check.finding()
}

fn switched(index: &Index<'_>, check: &mut Check) {
    let mut switches = Switches::new();
    for switch in index.history.invocations.iter().filter_map(switch) {
        let same = switches.entry(switch.subject.wide()).or_default();
        same.push(switch);
    }
    switches.retain(|_, same| same.iter().any(|switch| !switch.on));
    if switches.is_empty() {
        return;
    }
    for known in sold(index) {
        let off = subjects(index, known)
            .into_iter()
            .find(|subject| is_off(&switches, *subject, known.caused_from, known.told_at));
        check.that(off.is_none(), "sold after it was taken away", || {
            names(known)
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
}

fn priced(index: &Index<'_>, check: &mut Check) {
    let mut changes = HashMap::<Sku, Vec<_>>::new();
    for call in &index.history.invocations {
        if let Some(Change::Price { sku, unit_price }) = call.change() {
            let change = (call.sent_at, call.changed_at(), *unit_price);
            changes.entry(*sku).or_default().push(change);
        }
    }
    let changes = changes.into_iter();
    let prices: HashMap<Sku, Values<i64>> = changes
        .map(|(sku, values)| (sku, Values::changed(values)))
        .collect();
    if prices.is_empty() {
        return;
    }
    for known in sold(index) {
        for claim in index.claims_of(known.row.balance, known.row.version) {
            let sku = index.import(claim.serial).map(|import| import.sku);
            if let Some(price) = sku.and_then(|sku| prices.get(&sku)) {
                let right = price.may(known, |value| value == claim.unit_price);
                check.that(right, "sold at a price of another time", || names(known));
            }
        }
    }
}

/// The deliveries that a call of the history is about.
fn sold<'a>(index: &'a Index<'a>) -> impl Iterator<Item = &'a Known<'a>> {
    let entries = index.entries.iter();
    entries.filter(|known| {
        known.asked && known.caused_from > 0 && known.row.kind == EntryKind::Fulfillment
    })
}

fn names(known: &Known<'_>) -> String {
    let row = known.row;
    format!(
        "`{}`, version {} of balance {}",
        row.reference, row.version, row.balance
    )
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
fn is_off(switches: &Switches, subject: Subject, from: u64, until: u64) -> bool {
    let same = switches.get(&subject.wide()).map_or(&[][..], Vec::as_slice);
    let own = || same.iter().filter(|switch| switch.subject.covers(subject));
    let mut offs = own().filter(|switch| !switch.on && switch.done_at < from);
    offs.any(|off| {
        !own().any(|other| other.on && other.done_at >= off.sent_at && other.sent_at <= until)
    })
}

impl Subject {
    /// The same of the whole product.
    const fn wide(self) -> Self {
        const fn whole(sku: Sku) -> Sku {
            Sku {
                product: sku.product,
                variant: None,
            }
        }
        match self {
            Self::Access(relationship, sku) => Self::Access(relationship, whole(sku)),
            Self::Offered(sku) => Self::Offered(whole(sku)),
            Self::Key(_) | Self::Relationship(_) | Self::Program(_) => self,
        }
    }

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
        Change::Price { .. } | Change::PurchaseLimits { .. } | Change::KeyCap { .. } => {
            return None;
        }
    };
    Some(Switch {
        subject,
        on,
        sent_at: call.sent_at,
        done_at: call.changed_at(),
    })
}
