//! People, their sessions and what proves who they are.

use chrono::TimeDelta;
use engine::{
    fulfillments::Email,
    ids::{MailId, PersonId, SessionId},
    persons::Role,
};
use persistence::{
    mail::Letter,
    persons::{self, NewPerson, Reset},
    sessions::{self, NewSession},
};

use crate::stage::{Stage, at};

async fn person(stage: &Stage, email: &str) -> PersonId {
    let id = PersonId::generate(at(0), &*stage.random);
    let person = NewPerson {
        id,
        email: Email::parse(email).unwrap(),
        name: "Ann".to_owned(),
        password_hash: "first".to_owned(),
    };
    assert!(persons::insert(&stage.db, person, at(0)).await.unwrap());
    id
}

fn session(stage: &Stage, digest: u8) -> NewSession {
    NewSession {
        id: SessionId::generate(at(0), &*stage.random),
        digest: [digest; 32],
        address: "192.0.2.1".to_owned(),
        agent: "a browser".to_owned(),
    }
}

fn reset(stage: &Stage, digest: u8) -> Reset {
    Reset {
        digest: [digest; 32],
        expires_at: at(3600),
        mail: MailId::generate(at(0), &*stage.random),
        letter: Letter {
            to: "ann@example.com".to_owned(),
            subject: "Set a new password".to_owned(),
            text: "Here".to_owned(),
        },
    }
}

#[tokio::test]
async fn address_belongs_to_one_person() {
    let stage = Stage::new().await;
    let id = person(&stage, "ann@example.com").await;
    let again = NewPerson {
        id: PersonId::generate(at(1), &*stage.random),
        email: Email::parse("ANN@example.com").unwrap(),
        name: "Eve".to_owned(),
        password_hash: "other".to_owned(),
    };
    assert!(!persons::insert(&stage.db, again, at(1)).await.unwrap());
    let email = Email::parse("Ann@Example.com").unwrap();
    let found = persons::credentials(&stage.db, &email).await.unwrap();
    let found = found.unwrap();
    assert_eq!((found.person.id, found.person.name.as_str()), (id, "Ann"));
}

#[tokio::test]
async fn session_opens_by_the_password_that_was_checked_only() {
    let stage = Stage::new().await;
    let id = person(&stage, "ann@example.com").await;
    let (db, kept) = (&stage.db, session(&stage, 1));
    assert!(
        !sessions::open(db, id, "guessed", session(&stage, 9), at(1))
            .await
            .unwrap()
    );
    assert!(
        sessions::open(db, id, "first", kept.clone(), at(1))
            .await
            .unwrap()
    );
    assert!(
        sessions::open(db, id, "first", session(&stage, 2), at(1))
            .await
            .unwrap()
    );
    let whose = (id, kept.id);
    let changed = persons::change_password(db, whose, "guessed", "second".to_owned(), at(2));
    assert!(!changed.await.unwrap());
    let changed = persons::change_password(db, whose, "first", "second".to_owned(), at(2));
    assert!(changed.await.unwrap());
    let open = sessions::list(db, id, at(3)).await.unwrap();
    assert_eq!(open.iter().map(|one| one.id).collect::<Vec<_>>(), [kept.id]);
    assert!(
        !sessions::open(db, id, "first", session(&stage, 3), at(3))
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn ended_sessions_are_swept_and_one_person_has_fifty_at_most() {
    let stage = Stage::new().await;
    let id = person(&stage, "ann@example.com").await;
    for number in 0..52 {
        let opened = sessions::open(
            &stage.db,
            id,
            "first",
            session(&stage, number),
            at(number.into()),
        );
        assert!(opened.await.unwrap());
    }
    assert_eq!(stage.count("SELECT COUNT(*) FROM sessions").await, 50);
    assert!(sessions::find(&stage.db, [0; 32]).await.unwrap().is_none());
    let later = at(0) + TimeDelta::hours(13);
    assert!(
        sessions::open(&stage.db, id, "first", session(&stage, 99), later)
            .await
            .unwrap()
    );
    assert_eq!(stage.count("SELECT COUNT(*) FROM sessions").await, 1);
}

#[tokio::test]
async fn stepped_up_session_has_another_value_once() {
    let stage = Stage::new().await;
    let id = person(&stage, "ann@example.com").await;
    let new = session(&stage, 1);
    let session = new.id;
    sessions::open(&stage.db, id, "first", new, at(0))
        .await
        .unwrap();
    let step =
        |old: u8, new: u8| sessions::step_up(&stage.db, session, ([old; 32], [new; 32]), at(5));
    assert!(step(1, 2).await.unwrap());
    assert!(!step(1, 3).await.unwrap());
    assert!(sessions::find(&stage.db, [1; 32]).await.unwrap().is_none());
    let (found, _) = sessions::find(&stage.db, [2; 32]).await.unwrap().unwrap();
    assert_eq!(found.times.stepped_up_at, Some(at(5)));
}

#[tokio::test]
async fn code_is_accepted_once_however_many_send_it() {
    let stage = Stage::new().await;
    let id = person(&stage, "ann@example.com").await;
    let secret = stage.vault.seal_totp(id, b"secret");
    assert!(
        persons::offer_totp(&stage.db, id, secret.clone())
            .await
            .unwrap()
    );
    let codes = vec![[1; 32], [2; 32]];
    let other = stage.vault.seal_totp(id, b"secret");
    let confirm = |secret| persons::confirm_totp(&stage.db, id, (secret, 10), codes.clone(), at(0));
    assert!(!confirm(other).await.unwrap());
    assert!(confirm(secret.clone()).await.unwrap());
    assert!(!confirm(secret).await.unwrap());
    assert!(!persons::accept_step(&stage.db, id, 10).await.unwrap());
    let many = (0..8).map(|_| persons::accept_step(&stage.db, id, 11));
    let accepted = futures_util::future::join_all(many).await;
    assert_eq!(
        accepted
            .into_iter()
            .filter(|one| *one.as_ref().unwrap())
            .count(),
        1
    );
    let many = (0..8).map(|_| persons::use_recovery_code(&stage.db, id, [1; 32]));
    let used = futures_util::future::join_all(many).await;
    assert_eq!(
        used.into_iter()
            .filter(|one| *one.as_ref().unwrap())
            .count(),
        1
    );
    persons::remove_totp(&stage.db, id, at(1)).await.unwrap();
    assert!(
        !persons::use_recovery_code(&stage.db, id, [2; 32])
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn later_link_replaces_the_earlier_one_and_works_once() {
    let stage = Stage::new().await;
    let id = person(&stage, "ann@example.com").await;
    let (db, email) = (&stage.db, Email::parse("ann@example.com").unwrap());
    let nobody = Email::parse("nobody@example.com").unwrap();
    let offer =
        |email, digest| persons::offer_reset(db, &stage.vault, email, reset(&stage, digest), at(0));
    assert!(!offer(&nobody, 9).await.unwrap());
    assert_eq!(stage.count("SELECT COUNT(*) FROM mails").await, 0);
    assert!(offer(&email, 1).await.unwrap());
    assert!(offer(&email, 2).await.unwrap());
    assert!(
        persons::find_reset(db, [1; 32], at(1))
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(
        persons::find_reset(db, [2; 32], at(1))
            .await
            .unwrap()
            .unwrap()
            .id,
        id
    );
    assert!(
        persons::find_reset(db, [2; 32], at(3600))
            .await
            .unwrap()
            .is_none()
    );
    let use_it = |second| persons::reset_password(db, [2; 32], "second".to_owned(), at(second));
    assert!(!use_it(3600).await.unwrap());
    assert!(use_it(1).await.unwrap());
    assert!(!use_it(1).await.unwrap());
    let found = persons::find(db, id).await.unwrap().unwrap();
    assert_eq!(found.password_hash, "second");
}

#[tokio::test]
async fn members_and_relationships_are_a_persons_own() {
    let stage = Stage::new().await;
    let (ann, bob) = (
        person(&stage, "ann@example.com").await,
        person(&stage, "bob@example.com").await,
    );
    let merchant = stage.cast.merchant;
    persons::insert_member(&stage.db, merchant, ann, Role::Viewer, at(0))
        .await
        .unwrap();
    persons::insert_member(&stage.db, merchant, ann, Role::Owner, at(0))
        .await
        .unwrap();
    let roles = persons::memberships(&stage.db, ann).await.unwrap();
    assert_eq!(
        roles.iter().map(|one| one.role).collect::<Vec<_>>(),
        [Role::Owner]
    );
    assert!(
        persons::membership(&stage.db, bob, merchant)
            .await
            .unwrap()
            .is_none()
    );

    let own = stage.cast.resellers[0].id;
    let mut tx = stage.db.begin().await.unwrap();
    sqlx::query("UPDATE relationships SET person_id = $1 WHERE relationship_id = $2")
        .bind(ann.uuid())
        .bind(own.uuid())
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        persons::relationships_count(&stage.db, ann).await.unwrap(),
        1
    );
    let found = persons::relationship_of(&stage.db, ann, own).await.unwrap();
    assert_eq!(found.unwrap().merchant, merchant);
    assert!(
        persons::relationship_of(&stage.db, bob, own)
            .await
            .unwrap()
            .is_none()
    );
}
