//! Withdrawals: what they claim, what they leave, and that each is made once.

use std::sync::Arc;

use super::{
    Subject,
    lanes::{Lanes, at},
};
use crate::{
    catalog::Sku,
    ids::{MerchantId, SerialId, VariantId, WithdrawalId},
    inventory::{Purpose, ShelvedSerial, Standing, Withdrawal},
    journal::{Failure, Rows},
    random::SeededRandom,
};

/// Withdrawn serials are claimed by a withdrawal that is found by its id, and are in no window.
///
/// # Panics
/// If the subject does otherwise, as everywhere here.
pub async fn withdrawals_claim_and_are_found(subject: &Subject) {
    let lanes = Lanes::take(subject, 14).await;
    let mut lane = lanes.fence(0).await;
    let source = &subject.inventory_source;
    let shelf = lanes.shelf(&mut lane, 0).await;
    let removal = withdrawal(subject, 1, Purpose::Removal, &shelf[..2]);
    let pull = withdrawal(subject, 2, Purpose::Pull, &shelf[2..3]);
    assert_eq!(source.withdrawal(pull.id).await, Ok(None));
    lane.commit(Rows::Withdrawals(vec![removal.clone(), pull.clone()]))
        .await
        .expect("two withdrawals");

    for made in [&removal, &pull] {
        assert_eq!(source.withdrawal(made.id).await, Ok(Some((**made).clone())));
    }
    let left = source.fetch(subject.sku, None, 100).await;
    assert_eq!(left, Ok(shelf[3..].to_vec()));
    assert_eq!(source.count(subject.sku, None).await, Ok(1));
    let asked = ids(&shelf);
    let standing = source
        .standing(removal.merchant, subject.sku, asked)
        .await
        .expect("readable");
    let free = Standing::Free(shelf[3].clone());
    let claimed = Standing::Claimed;
    assert_eq!(standing, [claimed.clone(), claimed.clone(), claimed, free]);
    lanes.release().await;
}

/// A withdrawal is made once, and no serial has a second claim, whoever has the first.
///
/// # Panics
/// If the subject does otherwise.
pub async fn withdrawals_are_made_once(subject: &Subject) {
    let lanes = Lanes::take(subject, 15).await;
    let mut lane = lanes.fence(0).await;
    let live = subject.balances[0];
    let shelf = lanes.shelf(&mut lane, 0).await;
    let credit = lanes.credit(live, 1, 1000, "PAY-1");
    lane.commit(Rows::Credits(vec![credit]))
        .await
        .expect("committed");
    let sold = lanes.order(live, (2, 750), "A-1", &shelf[..1]);
    lane.commit(Rows::Fulfillments(vec![sold]))
        .await
        .expect("committed");
    let made = withdrawal(subject, 1, Purpose::Pull, &shelf[1..2]);
    lane.commit(Rows::Withdrawals(vec![made.clone()]))
        .await
        .expect("made");

    let breach = Failure::Breach {
        constraint: "serial_claims_pkey",
    };
    let of = |number, serials| withdrawal(subject, number, Purpose::Removal, serials);
    let innocent = of(9, &shelf[3..4]);
    for (name, row, class) in [
        ("its id again", of(1, &shelf[2..3]), Failure::Duplicate),
        ("a sold serial", of(2, &shelf[..1]), breach),
        ("a withdrawn serial", of(3, &shelf[1..2]), breach),
        ("a serial twice", of(4, &shelf[3..4]), breach),
    ] {
        let rows = Rows::Withdrawals(vec![innocent.clone(), row]);
        assert_eq!(lane.commit(rows).await, Err(class), "{name}");
    }
    let order = lanes.order(live, (3, 500), "A-2", &shelf[1..2]);
    let sale = lane.commit(Rows::Fulfillments(vec![order])).await;
    assert_eq!(sale, Err(breach), "a withdrawn serial is never sold");
    let asked = Rows::Withdrawals(vec![innocent.clone(), made]);
    let existing = lane.session.writer.existing(&asked).await;
    assert_eq!(existing, Ok(vec![false, true]));
    lane.commit(Rows::Withdrawals(vec![innocent]))
        .await
        .expect("nothing of it was written before");
    lanes.release().await;
}

/// A serial stands where its import says, and another merchant is not told that it exists.
///
/// # Panics
/// If the subject does otherwise.
pub async fn serials_stand_where_their_import_says(subject: &Subject) {
    let lanes = Lanes::take(subject, 16).await;
    let mut lane = lanes.fence(0).await;
    let shelf = lanes.shelf(&mut lane, 0).await;
    let waiting = subject.imports[1].import.serial(0);
    let missing = subject.imports[0].import.serial(99);
    let merchant = subject.imports[0].merchant;
    let random = SeededRandom::new(3);
    let standing = async |merchant, sku, serial: SerialId| {
        let source = &subject.inventory_source;
        let found = source.standing(merchant, sku, vec![serial]).await;
        found.expect("readable").pop().expect("one was asked for")
    };
    let on_sale = shelf[0].position.serial;
    let free = Standing::Free(shelf[0].clone());
    assert_eq!(standing(merchant, subject.sku, on_sale).await, free);
    let not_yet = standing(merchant, subject.sku, waiting).await;
    assert_eq!(not_yet, Standing::NotOnSale);
    let unknown = standing(merchant, subject.sku, missing).await;
    assert_eq!(unknown, Standing::Unknown);
    let other = Sku {
        variant: Some(VariantId::generate(at(0), &random)),
        ..subject.sku
    };
    let elsewhere = standing(merchant, other, on_sale).await;
    assert_eq!(elsewhere, Standing::OtherProduct);
    let stranger = MerchantId::generate(at(0), &random);
    let hidden = standing(stranger, subject.sku, on_sale).await;
    assert_eq!(hidden, Standing::Unknown);
    lanes.release().await;
}

fn withdrawal(
    subject: &Subject,
    number: u128,
    purpose: Purpose,
    serials: &[ShelvedSerial],
) -> Arc<Withdrawal> {
    Arc::new(Withdrawal {
        id: WithdrawalId::from_uuid(uuid::Uuid::from_u128(number)),
        merchant: subject.imports[0].merchant,
        sku: subject.sku,
        purpose,
        serials: ids(serials),
        by: None,
    })
}

fn ids(serials: &[ShelvedSerial]) -> Vec<SerialId> {
    let serials = serials.iter();
    serials.map(|serial| serial.position.serial).collect()
}
