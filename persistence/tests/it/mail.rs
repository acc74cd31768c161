//! The outbox of mails.

use chrono::TimeDelta;
use engine::{
    ids::MailId,
    vault::{RootKey, Vault},
};
use persistence::mail::{self, Letter};

use crate::stage::{Stage, at};

fn letter(to: &str) -> Letter {
    Letter {
        to: to.to_owned(),
        subject: "Welcome".to_owned(),
        text: "Open https://consign.example/i/secret-token\n".to_owned(),
    }
}

async fn queued(stage: &Stage, to: &str) -> MailId {
    let id = MailId::generate(at(0), &*stage.random);
    let mut tx = stage.db.begin().await.unwrap();
    mail::queue(
        &mut tx,
        &stage.vault,
        (id, "invitation"),
        &letter(to),
        at(0),
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    id
}

#[tokio::test]
async fn mail_leaves_only_with_its_cause() {
    let stage = Stage::new().await;
    let id = MailId::generate(at(0), &*stage.random);
    let mut tx = stage.db.begin().await.unwrap();
    mail::queue(
        &mut tx,
        &stage.vault,
        (id, "invitation"),
        &letter("a@b.c"),
        at(0),
    )
    .await
    .unwrap();
    tx.rollback().await.unwrap();
    let due = mail::claim(&stage.db, &stage.vault, 10, at(1))
        .await
        .unwrap();
    assert_eq!(due.len(), 0);
}

#[tokio::test]
async fn unsent_mail_comes_again_later_and_later() {
    let stage = Stage::new().await;
    let id = queued(&stage, "ann@example.com").await;
    let mut now = at(0);
    for (attempt, wait_minutes) in [
        (1, 1),
        (2, 2),
        (3, 4),
        (4, 8),
        (5, 16),
        (6, 32),
        (7, 60),
        (8, 60),
    ] {
        let due = mail::claim(&stage.db, &stage.vault, 10, now).await.unwrap();
        assert_eq!(due.len(), 1, "attempt {attempt}");
        assert_eq!((due[0].id, due[0].attempt), (id, attempt));
        assert!(due[0].letter == Some(letter("ann@example.com")));
        let early = now + TimeDelta::minutes(wait_minutes) - TimeDelta::seconds(1);
        assert!(
            mail::claim(&stage.db, &stage.vault, 10, early)
                .await
                .unwrap()
                .is_empty()
        );
        now += TimeDelta::minutes(wait_minutes);
    }
}

#[tokio::test]
async fn sent_and_given_up_mails_are_forgotten() {
    let stage = Stage::new().await;
    let (first, second) = (
        queued(&stage, "a@example.com").await,
        queued(&stage, "b@example.com").await,
    );
    assert_eq!(
        mail::claim(&stage.db, &stage.vault, 10, at(0))
            .await
            .unwrap()
            .len(),
        2
    );
    mail::sent(&stage.db, first, at(1)).await.unwrap();
    mail::give_up(&stage.db, second, at(1)).await.unwrap();
    let later = at(0) + TimeDelta::hours(2);
    assert!(
        mail::claim(&stage.db, &stage.vault, 10, later)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        stage
            .count("SELECT COUNT(*) FROM mails WHERE letter IS NULL")
            .await,
        2
    );
    let month = at(0) + TimeDelta::days(31);
    mail::claim(&stage.db, &stage.vault, 10, month)
        .await
        .unwrap();
    assert_eq!(stage.count("SELECT COUNT(*) FROM mails").await, 0);
}

#[tokio::test]
async fn letter_is_sealed_and_opens_under_its_own_id_and_key_only() {
    let stage = Stage::new().await;
    queued(&stage, "ann@example.com").await;
    queued(&stage, "bob@example.com").await;
    let plain = "SELECT COUNT(*) FROM mails
                 WHERE position('example'::bytea IN letter) > 0 OR position('secret'::bytea IN letter) > 0";
    assert_eq!(stage.count(plain).await, 0);
    let mut tx = stage.db.begin().await.unwrap();
    sqlx::query(
        "UPDATE mails AS m SET letter = o.letter FROM mails AS o WHERE m.mail_id <> o.mail_id",
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    let due = mail::claim(&stage.db, &stage.vault, 10, at(0))
        .await
        .unwrap();
    assert_eq!(due.len(), 2);
    assert!(due.iter().all(|due| due.letter.is_none()));
    let other = Vault::new(&RootKey::new([6; 32]), stage.random.clone());
    let later = at(0) + TimeDelta::hours(2);
    let due = mail::claim(&stage.db, &other, 10, later).await.unwrap();
    assert!(due.iter().all(|due| due.letter.is_none()));
}
