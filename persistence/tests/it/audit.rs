//! The audit log: one chain per merchant, and what was done to it is found.

use engine::{
    audit::{Actor, ActorKind, Deed},
    ids::MerchantId,
};
use persistence::audit::{Filter, append, list, verify};

use crate::stage::{Stage, at};

pub(crate) fn actor(id: &str) -> Actor {
    Actor {
        kind: ActorKind::ApiKey,
        id: Some(id.to_owned()),
        label: "Everything".to_owned(),
        ip: "203.0.113.7".parse().ok(),
    }
}

async fn told(stage: &Stage, action: &str, second: i64) {
    let deed = Deed {
        actor: actor("key_1"),
        action: action.to_owned(),
        target: format!("rel_{second}"),
        before: Some([1; 32]),
        after: None,
        at: at(second),
    };
    let mut tx = stage.db.begin().await.unwrap();
    append(&mut tx, stage.cast.merchant, deed).await.unwrap();
    tx.commit().await.unwrap();
}

async fn actions(stage: &Stage, filter: Filter) -> Vec<String> {
    let page = list(&stage.db, stage.cast.merchant, filter, None, 10).await;
    let entries = page.unwrap().items;
    entries.into_iter().map(|entry| entry.deed.action).collect()
}

/// What a look through the chain says: its length, and where it breaks.
async fn proof(stage: &Stage) -> (i64, Option<i64>) {
    let proof = verify(&stage.db, stage.cast.merchant).await.unwrap();
    (proof.head.seq, proof.first_bad)
}

#[tokio::test]
async fn entries_are_listed_newest_first_and_by_filter() {
    let stage = Stage::new().await;
    assert_eq!(proof(&stage).await, (0, None));
    for (action, second) in [("a.one", 1), ("a.two", 2), ("a.one", 3)] {
        told(&stage, action, second).await;
    }
    assert_eq!(proof(&stage).await, (3, None));
    let filter = Filter::default();
    assert_eq!(actions(&stage, filter).await, ["a.one", "a.two", "a.one"]);
    for (filter, count) in [
        (
            Filter {
                action: Some("a.one".to_owned()),
                ..Filter::default()
            },
            2,
        ),
        (
            Filter {
                target: Some("rel_2".to_owned()),
                ..Filter::default()
            },
            1,
        ),
        (
            Filter {
                actor: Some("key_1".to_owned()),
                ..Filter::default()
            },
            3,
        ),
        (
            Filter {
                actor: Some("key_2".to_owned()),
                ..Filter::default()
            },
            0,
        ),
        (
            Filter {
                from: Some(at(2)),
                to: Some(at(3)),
                ..Filter::default()
            },
            1,
        ),
    ] {
        assert_eq!(
            actions(&stage, filter.clone()).await.len(),
            count,
            "{filter:?}"
        );
    }
    let page = list(
        &stage.db,
        stage.cast.merchant,
        Filter::default(),
        Some(3),
        1,
    )
    .await;
    let page = page.unwrap();
    assert_eq!((page.items[0].seq, page.has_more), (2, true));
    let other = MerchantId::generate(at(0), &*stage.random);
    let foreign = list(&stage.db, other, Filter::default(), None, 10).await;
    assert!(foreign.unwrap().items.is_empty());
}

#[tokio::test]
async fn row_that_was_touched_is_found_by_its_number() {
    for (harm, found) in [
        ("UPDATE audit_log SET action = 'a.else' WHERE seq = 2", 2),
        ("UPDATE audit_log SET actor_id = 'key_2' WHERE seq = 3", 3),
        ("UPDATE audit_log SET ip = 'nowhere' WHERE seq = 1", 1),
        (
            "UPDATE audit_log SET created_at = created_at + interval '1 microsecond' WHERE seq = 2",
            2,
        ),
        ("DELETE FROM audit_log WHERE seq = 1", 1),
        ("DELETE FROM audit_log WHERE seq = 2", 2),
        ("DELETE FROM audit_log WHERE seq = 4", 4),
        ("DELETE FROM audit_log", 1),
        (
            "UPDATE audit_heads SET hash = decode(repeat('00', 32), 'hex')",
            4,
        ),
    ] {
        let stage = Stage::new().await;
        for second in 1..=4 {
            told(&stage, "a.deed", second).await;
        }
        let mut tx = stage.db.begin().await.unwrap();
        sqlx::query(harm).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(proof(&stage).await, (4, Some(found)), "{harm}");
    }
}

#[tokio::test]
async fn appends_at_the_same_moment_are_one_chain() {
    let stage = Stage::new().await;
    let appends = (1..=16).map(|second| told(&stage, "a.deed", second));
    futures_util::future::join_all(appends).await;
    assert_eq!(proof(&stage).await, (16, None));
}
