//! Refunds: taken from what was paid before they are credited, and found again until they are.

use engine::{
    audit::Actor, fulfillments::Fulfillment, ids::SerialId, money::Money, refunds::Taken,
};
use futures_util::future::join_all;
use persistence::{
    fulfillments::get::find,
    refunds::{Wanted, credited, take, waiting},
};

use crate::{
    fulfillments::deliver,
    stage::{Stage, at},
};

fn money(minor: i64) -> Money {
    Money::from_minor(minor).unwrap()
}

/// One fulfillment of 1.00 of the first reseller.
async fn fulfillment(stage: &Stage) -> Fulfillment {
    let delivered = deliver(stage).await;
    find(&stage.db, stage.scopes[0], delivered[0])
        .await
        .unwrap()
        .unwrap()
}

async fn refund(stage: &Stage, of: &Fulfillment, minor: Option<i64>, reference: &str) -> Taken {
    refund_of(stage, of, (minor, Vec::new()), reference).await
}

async fn refund_of(
    stage: &Stage,
    of: &Fulfillment,
    (minor, items): (Option<i64>, Vec<SerialId>),
    reference: &str,
) -> Taken {
    let wanted = Wanted {
        amount: minor.map(money),
        items,
        reference: reference.to_owned(),
        description: "Late".to_owned(),
    };
    let by = (Actor::job("test"), at(100));
    take(&stage.db, stage.scopes[0], of, wanted, by)
        .await
        .unwrap()
}

fn fresh(minor: i64) -> Taken {
    Taken::Fresh(money(minor))
}

fn excess(minor: i64) -> Taken {
    Taken::Excess { rest: money(minor) }
}

#[tokio::test]
async fn refunds_give_back_no_more_than_was_paid() {
    let stage = Stage::new().await;
    let sold = fulfillment(&stage).await;
    assert_eq!(refund(&stage, &sold, Some(60), "a").await, fresh(60));
    assert_eq!(refund(&stage, &sold, Some(41), "b").await, excess(40));
    assert_eq!(refund(&stage, &sold, None, "b").await, fresh(40));
    assert_eq!(refund(&stage, &sold, None, "c").await, excess(0));
    assert_eq!(refund(&stage, &sold, Some(1), "c").await, excess(0));
}

#[tokio::test]
async fn item_that_is_named_is_refunded_once() {
    let stage = Stage::new().await;
    let sold = fulfillment(&stage).await;
    let items: Vec<SerialId> = sold.contents.serials().map(|serial| serial.id).collect();
    let named = (Some(10), items.clone());
    let taken = refund_of(&stage, &sold, named.clone(), "a").await;
    assert_eq!(taken, fresh(10));
    let again = refund_of(&stage, &sold, named.clone(), "a").await;
    assert_eq!(again, Taken::Again(money(10)));
    let other = refund_of(&stage, &sold, named, "b").await;
    assert_eq!(other, Taken::ItemAgain);
    // The reference was one of the item, so it means nothing else.
    assert_eq!(refund(&stage, &sold, Some(10), "a").await, Taken::Mismatch);
    let read = find(&stage.db, stage.scopes[0], sold.stamp.id.fulfillment()).await;
    let read = read.unwrap().unwrap();
    assert!(items.iter().all(|item| read.is_refunded(*item)));
}

#[tokio::test]
async fn reference_refunds_once() {
    let stage = Stage::new().await;
    let sold = fulfillment(&stage).await;
    assert_eq!(refund(&stage, &sold, Some(60), "a").await, fresh(60));
    let again = Taken::Again(money(60));
    assert_eq!(refund(&stage, &sold, Some(60), "a").await, again);
    assert_eq!(refund(&stage, &sold, None, "a").await, again);
    assert_eq!(refund(&stage, &sold, Some(1), "a").await, Taken::Mismatch);
    assert_eq!(stage.count("SELECT count(*) FROM refunds").await, 1);
}

#[tokio::test]
async fn refunds_that_race_take_the_cost_once() {
    let stage = Stage::new().await;
    let sold = fulfillment(&stage).await;
    let references: Vec<_> = (0..8).map(|each| each.to_string()).collect();
    let racing = references
        .iter()
        .map(|each| refund(&stage, &sold, Some(30), each));
    let taken = join_all(racing).await;
    let done = taken.iter().filter(|taken| **taken == fresh(30)).count();
    assert_eq!(done, 3);
    assert!(
        taken
            .iter()
            .all(|taken| [fresh(30), excess(10)].contains(taken))
    );
}

#[tokio::test]
async fn refund_waits_until_it_is_credited() {
    let stage = Stage::new().await;
    let sold = fulfillment(&stage).await;
    refund(&stage, &sold, Some(60), "a").await;
    refund(&stage, &sold, Some(40), "b").await;
    let references = async |before| {
        // Page by page, of one each.
        let (mut all, mut last) = (Vec::new(), None);
        while let Some(next) = waiting(&stage.db, at(before), last.as_ref(), 1)
            .await
            .unwrap()
            .pop()
        {
            all.push(next.clone());
            last = Some(next);
        }
        all.into_iter()
            .map(|refund| refund.reference)
            .collect::<Vec<_>>()
    };
    assert_eq!(references(100).await, Vec::<String>::new());
    assert_eq!(references(101).await, ["a", "b"]);
    let balance = stage.scopes[0].balance;
    credited(&stage.db, balance, "a", at(102)).await.unwrap();
    assert_eq!(references(101).await, ["b"]);
}
