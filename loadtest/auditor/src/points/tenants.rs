//! C13: whose things were shown to whom.

use std::{
    cell::OnceCell,
    collections::{HashMap, hash_map::Entry},
};

use super::answers::names;
use crate::{
    Answer, Call, Delivered, Finding, Id, Invocation, Run,
    index::{Index, Order},
    verdict::Check,
};

pub(crate) fn apart(index: &Index<'_>, _: &Run) -> Finding {
    let mut check = Check::new();
    let uploaded = uploaded(index);
    let owners = OnceCell::new();
    for order in &index.orders {
        let Some(balance) = order.balance else {
            if order.deliveries().next().is_some() {
                check.violated("served from a balance that is not stored", || order.names());
            }
            continue;
        };
        for (call, delivery) in order.deliveries() {
            let own_entry = order
                .entry
                .is_some_and(|at| index.entries[at].row.id == delivery.id);
            let foreign = !own_entry
                && owners
                    .get_or_init(|| owners_of(index))
                    .get(&delivery.id)
                    .is_some_and(|owner| *owner != balance.balance);
            check.that(!foreign, "another balance's delivery was shown", || {
                names(order, call)
            });
            for serial in &delivery.serials {
                let right = |owner: Option<Id>| owner.is_none_or(|owner| owner == balance.merchant);
                let stored = index.serial(serial.id).map(|row| row.merchant);
                let text = uploaded.get(&serial.secret).copied().flatten();
                let own = right(stored) && right(text) && !claimed_elsewhere(index, order, serial);
                check.that(own, "another's serial was shown", || names(order, call));
            }
        }
    }
    credits(index, &owners, &mut check);
    check.finding()
}

fn credits(index: &Index<'_>, owners: &OnceCell<HashMap<Id, i64>>, check: &mut Check) {
    for credit in &index.credits {
        let Some(Answer::Credited { id, .. }) = credit.call.answer() else {
            continue;
        };
        let owner = owners.get_or_init(|| owners_of(index)).get(id);
        let own = index.balance_of(credit.call).map(|row| row.balance);
        check.that(
            owner.is_none_or(|owner| Some(*owner) == own),
            "another's credit",
            || format!("`{}`", credit.reference),
        );
    }
}

/// Whether another balance than the caller's has the serial for good.
fn claimed_elsewhere(index: &Index<'_>, order: &Order<'_>, serial: &Delivered) -> bool {
    let claim = index.claim(serial.id);
    let own = order.balance.map(|row| row.balance);
    claim.is_some_and(|claim| claim.version != 0 && Some(claim.balance) != own)
}

fn owners_of(index: &Index<'_>) -> HashMap<Id, i64> {
    let entries = index.entries.iter();
    entries
        .map(|known| (known.row.id, known.row.balance))
        .collect()
}

/// Whose text it is, by the uploads; none if several merchants uploaded it.
fn uploaded(index: &Index<'_>) -> HashMap<Id, Option<Id>> {
    let products = index.store.products.iter();
    let merchants: HashMap<Id, Id> = products.map(|row| (row.product, row.merchant)).collect();
    let mut owners = HashMap::new();
    let is_upload = |call: &&Invocation| !matches!(call.answer(), Some(Answer::Refused(_)));
    for call in index.history.invocations.iter().filter(is_upload) {
        let Call::Import { sku, secrets } = &call.call else {
            continue;
        };
        let merchant = merchants.get(&sku.product).copied();
        for secret in secrets {
            match owners.entry(*secret) {
                Entry::Vacant(place) => {
                    place.insert(merchant);
                }
                Entry::Occupied(mut place) if *place.get() != merchant => {
                    place.insert(None);
                }
                Entry::Occupied(_) => {}
            }
        }
    }
    owners
}
