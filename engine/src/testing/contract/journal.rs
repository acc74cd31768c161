//! Lanes: what commits, what does not and why, who may.

use super::{
    Subject,
    lanes::{Lane, Lanes, money, other_kind},
};
use crate::{
    fulfillments::Fulfillment,
    inventory::ShelvedSerial,
    journal::{Batch, Failure, FenceFailure, Owner, Rows},
};

/// A restock, a credit and an order commit one after the other, and are read as they were written.
///
/// # Panics
/// If the subject does otherwise, as everywhere here.
pub async fn every_kind_commits_and_is_found(subject: &Subject) {
    let lanes = Lanes::take(subject, 1).await;
    let mut lane = lanes.fence(0).await;
    let [live, test] = subject.balances;
    let serials = lanes.shelf(&mut lane, 0).await;
    let credit = lanes.credit(live, 1, 1000, "PAY-1");
    lane.commit(Rows::Credits(vec![credit.clone()]))
        .await
        .expect("committed");
    let order = lanes.order(live, (2, 500), "A-1", &serials[..2]);
    let next = lanes.order(live, (3, 250), "A-2", &serials[2..3]);
    let rows = vec![order.clone(), next.clone()];
    lane.commit(Rows::Fulfillments(rows))
        .await
        .expect("committed");

    assert_eq!(lane.find(live, "A-1").await, Some(order));
    assert_eq!(lane.find(live, "A-2").await, Some(next));
    assert_eq!(lane.find(test, "A-1").await, None);
    assert_eq!(
        lane.find(live, "PAY-1").await,
        None,
        "a credit is no fulfillment"
    );
    assert_eq!(lane.find_credit(live, "PAY-1").await, Some(credit));
    assert_eq!(lane.find_credit(live, "A-1").await, None);
    assert_eq!(lanes.fence(0).await.position().seq, 3);
    lanes.release().await;
}

/// The same reference is another one in another balance and under another kind.
pub async fn references_are_per_balance_and_kind(subject: &Subject) {
    let lanes = Lanes::take(subject, 2).await;
    let mut lane = lanes.fence(0).await;
    let [live, test] = subject.balances;
    let serials = lanes.shelf(&mut lane, 0).await;
    let rows = vec![
        lanes.credit(live, 1, 1000, "X"),
        lanes.credit(test, 1, 1000, "X"),
        other_kind(&lanes.credit(live, 2, 2000, "X")),
    ];
    lane.commit(Rows::Credits(rows))
        .await
        .expect("three references");
    let orders = vec![
        lanes.order(live, (3, 1750), "X", &serials[..1]),
        lanes.order(test, (2, 750), "X", &serials[1..2]),
    ];
    lane.commit(Rows::Fulfillments(orders))
        .await
        .expect("two references");
    lanes.release().await;
}

/// Each batch that must not commit says why, and leaves nothing behind: not even its innocent rows.
pub async fn refused_batches_have_their_class_and_write_nothing(subject: &Subject) {
    let lanes = Lanes::take(subject, 3).await;
    let mut lane = lanes.fence(0).await;
    let live = subject.balances[0];
    let serials = lanes.shelf(&mut lane, 0).await;
    let credit = lanes.credit(live, 1, 1000, "PAY-1");
    lane.commit(Rows::Credits(vec![credit]))
        .await
        .expect("committed");
    let bound = lanes.order(live, (2, 750), "A-1", &serials[..1]);
    lane.commit(Rows::Fulfillments(vec![bound]))
        .await
        .expect("committed");

    let innocent = lanes.order(live, (3, 500), "A-2", &serials[1..2]);
    for (name, batch, class) in refused(&lanes, &lane, &innocent, &serials) {
        assert_eq!(lane.send(&batch).await, Err(class), "{name}");
        assert_eq!(lane.find(live, "A-2").await, None, "{name}");
    }
    // Version, serial, reference and the lane's number are as free as they were.
    lane.commit(Rows::Fulfillments(vec![innocent]))
        .await
        .expect("committed");
    lanes.release().await;
}

/// Batches that come from the wrong place, and batches that a constraint refuses.
fn refused(
    lanes: &Lanes<'_>,
    lane: &Lane,
    innocent: &Fulfillment,
    serials: &[ShelvedSerial],
) -> Vec<(&'static str, Batch, Failure)> {
    let good = lane.batch(Rows::Fulfillments(vec![innocent.clone()]));
    let mut refused: Vec<_> = misplaced(&good).into();
    let refuse = |(name, row, class)| {
        let rows = Rows::Fulfillments(vec![innocent.clone(), row]);
        (name, lane.batch(rows), class)
    };
    refused.extend(contradicting(lanes, innocent, serials).map(refuse));
    let live = innocent.contents.balance;
    let credits = [
        lanes.credit(live, 3, 1750, "PAY-2"),
        lanes.credit(live, 4, 2750, "PAY-2"),
    ];
    refused.push((
        "one reference twice in one batch",
        lane.batch(Rows::Credits(credits.to_vec())),
        Failure::Duplicate,
    ));
    refused
}

fn misplaced(good: &Batch) -> [(&'static str, Batch, Failure); 6] {
    let owner = Owner(uuid::Uuid::from_u128(7));
    let (fence, seq) = (good.fence, good.seq);
    [
        (
            "another owner",
            Batch {
                owner,
                ..good.clone()
            },
        ),
        (
            "an older fence",
            Batch {
                fence: fence - 1,
                ..good.clone()
            },
        ),
        (
            "a later fence",
            Batch {
                fence: fence + 1,
                ..good.clone()
            },
        ),
        (
            "the last number",
            Batch {
                seq: seq - 1,
                ..good.clone()
            },
        ),
        (
            "a later number",
            Batch {
                seq: seq + 1,
                ..good.clone()
            },
        ),
        (
            "another lane's fence",
            Batch {
                lane: 1,
                ..good.clone()
            },
        ),
    ]
    .map(|(name, batch)| (name, batch, Failure::Fenced))
}

/// Rows that contradict what is stored, or the innocent row beside them.
fn contradicting(
    lanes: &Lanes<'_>,
    innocent: &Fulfillment,
    serials: &[ShelvedSerial],
) -> [(&'static str, Fulfillment, Failure); 5] {
    let order = |place, id, serials| lanes.order(innocent.contents.balance, place, id, serials);
    let breach = |constraint| Failure::Breach { constraint };
    let mut below = order((4, 0), "A-3", &serials[2..3]);
    below.stamp.balance_after = money(-1);
    let negative = breach("ledger_entries_balance_after_check");
    let version_twice = order((2, 250), "A-3", &serials[2..3]);
    let claimed = order((4, 250), "A-3", &serials[..1]);
    let claimed_twice = order((4, 250), "A-3", &serials[1..2]);
    let bound = order((4, 250), "A-1", &serials[2..3]);
    [
        (
            "a version twice",
            version_twice,
            breach("ledger_entries_pkey"),
        ),
        ("a claimed serial", claimed, breach("serial_claims_pkey")),
        (
            "a serial twice in one batch",
            claimed_twice,
            breach("serial_claims_pkey"),
        ),
        ("below zero", below, negative),
        ("a bound order id", bound, Failure::Duplicate),
    ]
}

/// A lane is told which of its references have an entry, in the order in which it asks.
pub async fn existing_references_are_told_in_order(subject: &Subject) {
    let lanes = Lanes::take(subject, 4).await;
    let mut lane = lanes.fence(0).await;
    let [live, test] = subject.balances;
    let serials = lanes.shelf(&mut lane, 0).await;
    let credits = vec![
        lanes.credit(live, 1, 1000, "PAY-1"),
        lanes.credit(live, 2, 2000, "PAY-2"),
    ];
    lane.commit(Rows::Credits(credits))
        .await
        .expect("committed");
    let bound = lanes.order(live, (3, 1750), "A-1", &serials[..1]);
    lane.commit(Rows::Fulfillments(vec![bound]))
        .await
        .expect("committed");

    let order = |balance, id| lanes.order(balance, (9, 0), id, &[]);
    let orders = vec![
        order(live, "A-0"),
        order(live, "A-1"),
        order(test, "A-1"),
        order(live, "a-1"),
    ];
    let orders = Rows::Fulfillments(orders);
    let credit = |balance, reference| lanes.credit(balance, 9, 0, reference);
    let credits = vec![
        credit(live, "PAY-2"),
        credit(test, "PAY-2"),
        other_kind(&credit(live, "PAY-2")),
        credit(live, "PAY-1"),
    ];
    let restocks = Rows::Restocks(vec![subject.imports[1], subject.imports[0]]);
    let credits = Rows::Credits(credits);
    for (rows, expected) in [
        (orders, vec![false, true, false, false]),
        (credits, vec![true, false, false, true]),
        (restocks, vec![false, true]),
    ] {
        assert_eq!(lane.session.writer.existing(&rows).await, Ok(expected));
    }
    lanes.release().await;
}

/// Raising a lane's fence ends its earlier session: what that one still sends changes nothing.
pub async fn fence_ends_sessions(subject: &Subject) {
    let lanes = Lanes::take(subject, 5).await;
    let mut old = lanes.fence(0).await;
    let live = subject.balances[0];
    let first = lanes.credit(live, 1, 1000, "PAY-1");
    old.commit(Rows::Credits(vec![first]))
        .await
        .expect("committed");
    let late = lanes.credit(live, 2, 2000, "PAY-2");
    let mut new = lanes.fence(0).await;
    assert!(new.position().fence > old.position().fence);
    assert_eq!(new.position().seq, 1, "what was committed is seen");

    assert_eq!(
        old.commit(Rows::Credits(vec![late.clone()])).await,
        Err(Failure::Fenced)
    );
    assert_eq!(new.find_credit(live, "PAY-2").await, None);
    new.commit(Rows::Credits(vec![late])).await.expect("free");
    assert_eq!(lanes.fence(0).await.position().seq, 2);
    lanes.release().await;
}

/// A takeover ends the owner before it, over every lane, and sees all that one committed.
pub async fn takeover_ends_owners(subject: &Subject) {
    let first = Lanes::take(subject, 6).await;
    let mut lane = first.fence(1).await;
    let live = subject.balances[0];
    let credit = first.credit(live, 1, 1000, "PAY-1");
    lane.commit(Rows::Credits(vec![credit.clone()]))
        .await
        .expect("committed");
    let late = first.credit(live, 2, 2000, "PAY-2");
    let before = first.owner;
    first.release().await;

    let second = Lanes::take(subject, 7).await;
    let positions = second.lease.positions().to_vec();
    assert_eq!(
        positions
            .iter()
            .map(|position| position.lane)
            .collect::<Vec<_>>(),
        [0, 1]
    );
    assert_eq!(
        positions
            .iter()
            .map(|position| position.seq)
            .collect::<Vec<_>>(),
        [0, 1]
    );
    assert!(positions[1].fence > lane.position().fence);
    assert_eq!(
        lane.commit(Rows::Credits(vec![late])).await,
        Err(Failure::Fenced)
    );
    let fenced = subject.journal.fence(before, 1).await;
    assert_eq!(fenced.map(drop).err(), Some(FenceFailure::Disowned));
    let now = second.fence(1).await;
    assert_eq!(now.find_credit(live, "PAY-1").await, Some(credit));
    assert_eq!(now.find_credit(live, "PAY-2").await, None);
    second.release().await;
}

/// Lanes number their batches on their own, and share ledgers' constraints.
pub async fn lanes_are_independent(subject: &Subject) {
    let lanes = Lanes::take(subject, 8).await;
    let (mut zero, mut one) = (lanes.fence(0).await, lanes.fence(1).await);
    let [live, test] = subject.balances;
    zero.commit(Rows::Credits(vec![lanes.credit(live, 1, 1000, "PAY-1")]))
        .await
        .expect("free");
    one.commit(Rows::Credits(vec![lanes.credit(test, 1, 1000, "PAY-1")]))
        .await
        .expect("free");
    let again = vec![lanes.credit(live, 2, 2000, "PAY-1")];
    assert_eq!(
        one.commit(Rows::Credits(again)).await,
        Err(Failure::Duplicate)
    );
    zero.commit(Rows::Credits(vec![lanes.credit(live, 2, 2000, "PAY-2")]))
        .await
        .expect("free");
    let ends = (
        lanes.fence(0).await.position().seq,
        lanes.fence(1).await.position().seq,
    );
    assert_eq!(ends, (2, 1));
    lanes.release().await;
}
