//! One execution per idempotency key, also of work that takes long.

use chrono::TimeDelta;
use engine::{clock::EPOCH, ids::KeyId};
use persistence::idempotency::{Begun, Name, Stored, begin, finish, renew};

use crate::ground::Ground;

fn name(ground: &Ground) -> Name {
    Name {
        merchant: ground.merchant,
        caller: KeyId::generate(EPOCH, &ground.random).uuid(),
        route: "POST /".to_owned(),
        key: "k-1".to_owned(),
        digest: [1; 32],
    }
}

#[tokio::test]
async fn attempt_that_is_renewed_is_executed_by_nobody_else() {
    let ground = Ground::new().await;
    let (db, name) = (&ground.db, name(&ground));
    let at = |seconds| EPOCH + TimeDelta::seconds(seconds);
    let Begun::Fresh(attempt) = begin(db, &name, at(0)).await.unwrap() else {
        panic!("nobody had the key");
    };
    let renewed = renew(db, &name, attempt, at(50)).await.unwrap();
    assert_eq!(begin(db, &name, at(100)).await.unwrap(), Begun::Running);
    let answer = Stored {
        status: 201,
        body: b"{}".to_vec(),
    };
    finish(db, &name, renewed, answer.clone()).await.unwrap();
    let again = begin(db, &name, at(101)).await.unwrap();
    assert_eq!(again, Begun::Done(answer));
}

#[tokio::test]
async fn attempt_that_was_given_up_renews_nothing() {
    let ground = Ground::new().await;
    let (db, name) = (&ground.db, name(&ground));
    let at = |seconds| EPOCH + TimeDelta::seconds(seconds);
    let Begun::Fresh(first) = begin(db, &name, at(0)).await.unwrap() else {
        panic!("nobody had the key");
    };
    let Begun::Fresh(second) = begin(db, &name, at(61)).await.unwrap() else {
        panic!("the first attempt was given up");
    };
    assert_eq!(renew(db, &name, first, at(62)).await.unwrap(), first);
    let answer = Stored {
        status: 200,
        body: b"{}".to_vec(),
    };
    finish(db, &name, second, answer.clone()).await.unwrap();
    let again = begin(db, &name, at(63)).await.unwrap();
    assert_eq!(again, Begun::Done(answer));
}
