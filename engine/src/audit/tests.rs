//! The chain finds what was done to it.

use super::{Actor, ActorKind, Deed, Entry, Head};
use crate::{clock, ids::MerchantId};

fn merchant() -> MerchantId {
    MerchantId::from_uuid(uuid::Uuid::from_u128(7))
}

fn deed(action: &str) -> Deed {
    Deed {
        actor: Actor {
            kind: ActorKind::ApiKey,
            id: Some("key_1".to_owned()),
            label: "Everything".to_owned(),
            ip: "127.0.0.1".parse().ok(),
        },
        action: action.to_owned(),
        target: "rel_1".to_owned(),
        before: Some([1; 32]),
        after: None,
        at: clock::EPOCH,
    }
}

fn chain() -> Vec<Entry> {
    let mut head = Head::EMPTY;
    let actions = ["reseller.invite", "reseller.suspend", "reseller.terminate"];
    let entries = actions.map(|action| {
        let entry = head.next(merchant(), deed(action));
        head = entry.head();
        entry
    });
    entries.into()
}

/// The number of the first entry that does not follow.
fn broken_at(entries: &[Entry]) -> Option<i64> {
    let mut head = Head::EMPTY;
    for entry in entries {
        match head.follow(merchant(), entry) {
            Some(next) => head = next,
            None => return Some(head.seq + 1),
        }
    }
    None
}

#[test]
fn untouched_chain_is_whole() {
    assert_eq!(broken_at(&chain()), None);
    assert_ne!(chain()[0].id(), chain()[1].id());
}

#[test]
fn every_changed_field_breaks_the_chain_at_its_entry() {
    let changes: [fn(&mut Entry); 10] = [
        |entry| entry.deed.actor.kind = ActorKind::Person,
        |entry| entry.deed.actor.id = None,
        |entry| entry.deed.actor.label.push('x'),
        |entry| entry.deed.actor.ip = None,
        |entry| entry.deed.action.push('x'),
        |entry| entry.deed.target.clear(),
        |entry| entry.deed.before = None,
        |entry| entry.deed.after = Some([0; 32]),
        |entry| entry.deed.at += chrono::TimeDelta::microseconds(1),
        |entry| entry.prev_hash = [9; 32],
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let mut entries = chain();
        change(&mut entries[1]);
        assert_eq!(broken_at(&entries), Some(2), "change {at}");
    }
}

#[test]
fn entry_that_is_missing_or_made_up_breaks_the_chain() {
    let mut entries = chain();
    entries.remove(1);
    assert_eq!(broken_at(&entries), Some(2));
    let mut entries = chain();
    let forged = entries[0].head().next(merchant(), deed("reseller.forgive"));
    entries[1] = forged;
    assert_eq!(broken_at(&entries), Some(3));
    assert_eq!(broken_at(&chain()[1..]), Some(1));
}
