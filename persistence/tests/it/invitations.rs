//! Invitations: made whole, opened by their token only, ended once.

use engine::{
    ids::{InvitationId, MailId, RelationshipId},
    invitations::{Invitation, Refusal, Status as InvitationStatus},
    money::Percent,
    relationships::{AccessChange, Change, Mode, Source as _, Status},
};
use persistence::{
    audit::{Filter, list, verify},
    invitations::{self, NewInvitation, NotInvited, Renewal, Revoked},
    mail::{Letter, Post},
    relationships::PgRelationships,
};

use crate::{
    audit::actor,
    stage::{Stage, at},
};

const TOKEN: [u8; 32] = [3; 32];

fn post(stage: &Stage) -> Post {
    Post {
        id: MailId::generate(at(0), &*stage.random),
        letter: Letter {
            to: "max@partner.example".to_owned(),
            subject: "Come".to_owned(),
            text: "A link".to_owned(),
        },
    }
}

fn offer(stage: &Stage, email: &str, code: &str) -> NewInvitation {
    NewInvitation {
        id: InvitationId::generate(at(0), &*stage.random),
        relationship: RelationshipId::generate(at(0), &*stage.random),
        token: TOKEN,
        email: email.to_owned(),
        code: code.to_owned(),
        terms: Change::default(),
        message: Some("Welcome".to_owned()),
        valid_days: 7,
        post: post(stage),
    }
}

async fn invite(stage: &Stage, new: NewInvitation) -> Result<Invitation, NotInvited> {
    let who = (stage.cast.merchant, actor("key_1"));
    let invited = invitations::invite(&stage.db, &stage.vault, who, new, at(1)).await;
    invited.unwrap()
}

async fn accept(stage: &Stage, second: i64) -> Option<Result<invitations::Accepted, Refusal>> {
    let mut tx = stage.db.begin().await.unwrap();
    let accepted = invitations::accept(&mut tx, &TOKEN, "Max", actor("usr_1"), at(second)).await;
    tx.commit().await.unwrap();
    accepted.unwrap()
}

/// Status of the relationship, and what the engine would judge its orders by.
async fn status(stage: &Stage, id: RelationshipId) -> Status {
    let source = PgRelationships::new(stage.db.clone());
    source.find(id).await.unwrap().unwrap().status
}

#[tokio::test]
async fn accepted_invitation_begins_the_relationship() {
    let stage = Stage::new().await;
    let mut new = offer(&stage, "max@partner.example", "max");
    new.terms.mode = Some(Mode::Stock);
    let discount = Percent::from_hundredths(2000).unwrap();
    new.terms.discount = engine::catalog::Edit::Set(discount);
    let product = stage.cast.products[0].id;
    new.terms.access = AccessChange {
        products: Some([product].into()),
        grants: None,
    };
    let id = new.relationship;
    let invited = invite(&stage, new).await.unwrap();
    assert_eq!(
        (invited.status, invited.expires_at),
        (InvitationStatus::Pending, at(1 + 7 * 86_400))
    );
    assert_eq!(status(&stage, id).await, Status::Invited);

    let found = invitations::find(&stage.db, TOKEN).await.unwrap().unwrap();
    assert_eq!(found.invitation, invited);
    assert_eq!((found.mode, found.discount), (Mode::Stock, Some(discount)));
    assert_eq!(found.message.as_deref(), Some("Welcome"));
    let unknown = invitations::find(&stage.db, [4; 32]).await.unwrap();
    assert_eq!(unknown, None);

    let accepted = accept(&stage, 2).await.unwrap().unwrap();
    assert_eq!(accepted.relationship.name, "Max");
    assert_eq!(accepted.relationship.accepted_at, Some(at(2)));
    assert_eq!(accepted.balances.len(), 1);
    let terms = PgRelationships::new(stage.db.clone());
    let terms = terms.find(id).await.unwrap().unwrap();
    assert_eq!((terms.status, terms.mode), (Status::Active, Mode::Stock));
    assert!(terms.access(product, None).is_some());

    let again = accept(&stage, 3).await.unwrap();
    assert_eq!(again, Err(Refusal::Ended(InvitationStatus::Accepted)));
    let entries = list(&stage.db, stage.cast.merchant, Filter::default(), None, 10).await;
    let entries = entries.unwrap().items;
    let actions: Vec<_> = entries.iter().map(|entry| &entry.deed.action[..]).collect();
    assert_eq!(actions, ["invitation.accept", "reseller.invite"]);
    assert_eq!(entries[0].deed.before, entries[1].deed.after);
    assert_ne!(entries[0].deed.after, entries[0].deed.before);
    let proof = verify(&stage.db, stage.cast.merchant).await.unwrap();
    assert_eq!(proof.first_bad, None);
}

#[tokio::test]
async fn declined_invitation_ends_the_relationship_once() {
    let stage = Stage::new().await;
    let new = offer(&stage, "max@partner.example", "max");
    let id = new.relationship;
    invite(&stage, new).await.unwrap();
    let decline = async |second| {
        let reason = Some("No time".to_owned());
        let actor = actor("usr_1");
        let declined = invitations::decline(&stage.db, TOKEN, reason, actor, at(second)).await;
        declined.unwrap()
    };
    let declined = decline(2).await.unwrap().unwrap();
    assert!(!declined.already);
    assert_eq!(status(&stage, id).await, Status::Terminated);
    let again = decline(3).await.unwrap().unwrap();
    assert!(again.already);
    assert_eq!(again.invitation, declined.invitation);
    let refused = accept(&stage, 4).await.unwrap();
    assert_eq!(refused, Err(Refusal::Ended(InvitationStatus::Declined)));
    let deeds = stage.count("SELECT COUNT(*) FROM audit_log").await;
    assert_eq!(deeds, 2);

    // Whoever declined may be invited again, into a new relationship.
    let mut new = offer(&stage, "max@partner.example", "max-2");
    new.token = [5; 32];
    assert!(invite(&stage, new).await.is_ok());
}

#[tokio::test]
async fn invitation_that_is_over_opens_nothing() {
    let stage = Stage::new().await;
    let new = offer(&stage, "max@partner.example", "max");
    let id = new.relationship;
    invite(&stage, new).await.unwrap();
    let late = accept(&stage, 1 + 7 * 86_400).await.unwrap();
    assert_eq!(late, Err(Refusal::Expired));
    assert_eq!(status(&stage, id).await, Status::Invited);
    assert!(accept(&stage, 7 * 86_400).await.unwrap().is_ok());
}

#[tokio::test]
async fn who_is_in_the_program_is_not_invited_and_nothing_is_stored() {
    let stage = Stage::new().await;
    let rows = "SELECT (SELECT COUNT(*) FROM invitations) + (SELECT COUNT(*) FROM audit_log)
                  + (SELECT COUNT(*) FROM relationships) + (SELECT COUNT(*) FROM balances)
                  + (SELECT COUNT(*) FROM mails)";
    let before = stage.count(rows).await;
    let taken = invite(&stage, offer(&stage, "load-1@reseller.example", "max")).await;
    assert_eq!(taken, Err(NotInvited::EmailTaken));
    let taken = invite(&stage, offer(&stage, "max@partner.example", "load-1")).await;
    assert_eq!(taken, Err(NotInvited::CodeTaken));
    let stranger = engine::ids::ProductId::generate(at(0), &*stage.random);
    let mut new = offer(&stage, "max@partner.example", "max");
    new.terms.access.products = Some([stranger].into());
    let unknown = invite(&stage, new).await;
    assert_eq!(unknown, Err(NotInvited::UnknownWare((stranger, None))));
    let mut tx = stage.db.begin().await.unwrap();
    let off = "UPDATE programs SET enabled = false";
    sqlx::query(off).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let disabled = invite(&stage, offer(&stage, "max@partner.example", "max")).await;
    assert_eq!(disabled, Err(NotInvited::ProgramDisabled));
    assert_eq!(stage.count(rows).await, before);
}

#[tokio::test]
async fn of_two_answers_at_the_same_moment_one_counts() {
    let stage = Stage::new().await;
    invite(&stage, offer(&stage, "max@partner.example", "max"))
        .await
        .unwrap();
    let decline = invitations::decline(&stage.db, TOKEN, None, actor("usr_1"), at(2));
    let (accepted, declined) = tokio::join!(accept(&stage, 2), decline);
    let (accepted, declined) = (accepted.unwrap(), declined.unwrap().unwrap());
    assert_ne!(accepted.is_ok(), declined.is_ok());
    let ended = stage
        .count("SELECT COUNT(*) FROM invitations WHERE status <> 'PENDING'")
        .await;
    assert_eq!(ended, 1);
}

#[tokio::test]
async fn invitation_that_is_over_is_ended_by_the_job_once() {
    let stage = Stage::new().await;
    let new = offer(&stage, "max@partner.example", "max");
    let id = new.relationship;
    invite(&stage, new).await.unwrap();
    let over = 1 + 7 * 86_400;
    let expire = async |second| {
        invitations::expire(&stage.db, 10, at(second))
            .await
            .unwrap()
    };
    assert_eq!(expire(over - 1).await, 0);
    assert_eq!(expire(over).await, 1);
    assert_eq!(expire(over).await, 0);
    assert_eq!(status(&stage, id).await, Status::Terminated);
    let ended = accept(&stage, over + 1).await.unwrap();
    assert_eq!(ended, Err(Refusal::Expired));
    let told = "SELECT COUNT(*) FROM audit_log
                WHERE action = 'invitation.expire' AND actor_type = 'JOB'";
    assert_eq!(stage.count(told).await, 1);
}

#[tokio::test]
async fn invitation_that_is_over_is_in_nobodys_way() {
    let stage = Stage::new().await;
    invite(&stage, offer(&stage, "max@partner.example", "max"))
        .await
        .unwrap();
    let later = at(1 + 7 * 86_400);
    let mut new = offer(&stage, "max@partner.example", "max-2");
    new.token = [5; 32];
    let who = (stage.cast.merchant, actor("key_1"));
    let again = invitations::invite(&stage.db, &stage.vault, who, new, later).await;
    assert!(again.unwrap().is_ok());
    let merchant = stage.cast.merchant;
    let of = async |status, at| {
        let wanted = (vec![status], at);
        let found = invitations::list(&stage.db, merchant, wanted, None, 10).await;
        found.unwrap().items.len()
    };
    assert_eq!(of(InvitationStatus::Expired, later).await, 1);
    assert_eq!(of(InvitationStatus::Pending, later).await, 1);
    let much_later = at(1 + 14 * 86_400);
    assert_eq!(of(InvitationStatus::Expired, much_later).await, 2);
}

#[tokio::test]
async fn invitation_that_is_sent_again_has_another_link_and_a_new_term() {
    let stage = Stage::new().await;
    let invited = invite(&stage, offer(&stage, "max@partner.example", "max")).await;
    let (id, merchant) = (invited.unwrap().id, stage.cast.merchant);
    let resend = async |merchant, second| {
        let renewal = Renewal {
            token: [5; 32],
            post: post(&stage),
        };
        let what = (merchant, id, actor("key_1"));
        let sent = invitations::resend(&stage.db, &stage.vault, what, renewal, at(second)).await;
        sent.unwrap()
    };
    let stranger = engine::ids::MerchantId::generate(at(0), &*stage.random);
    assert_eq!(resend(stranger, 2).await, None);
    assert!(invitations::find(&stage.db, TOKEN).await.unwrap().is_some());
    let again = resend(merchant, 86_400).await.unwrap().unwrap();
    assert_eq!(again.expires_at, at(8 * 86_400));
    assert_eq!(invitations::find(&stage.db, TOKEN).await.unwrap(), None);
    let found = invitations::find(&stage.db, [5; 32]).await.unwrap();
    assert_eq!(found.unwrap().invitation, again);
    let mails = stage.count("SELECT COUNT(*) FROM mails").await;
    assert_eq!(mails, 2);
    let late = resend(merchant, 9 * 86_400).await.unwrap();
    assert_eq!(late, Err(Refusal::Expired));
}

#[tokio::test]
async fn invitation_is_taken_back_once_and_by_its_merchant_only() {
    let stage = Stage::new().await;
    let new = offer(&stage, "max@partner.example", "max");
    let relationship = new.relationship;
    let id = invite(&stage, new).await.unwrap().id;
    let revoke = async |merchant, second| {
        let of = (merchant, id);
        let revoked = invitations::revoke(&stage.db, of, actor("key_1"), at(second)).await;
        revoked.unwrap()
    };
    let stranger = engine::ids::MerchantId::generate(at(0), &*stage.random);
    assert_eq!(revoke(stranger, 2).await, None);
    assert_eq!(status(&stage, relationship).await, Status::Invited);
    let revoked = revoke(stage.cast.merchant, 2).await.unwrap().unwrap();
    assert!(!revoked.already);
    assert_eq!(status(&stage, relationship).await, Status::Terminated);
    let again = revoke(stage.cast.merchant, 3).await.unwrap();
    let invitation = revoked.invitation;
    let already = true;
    assert_eq!(
        again,
        Ok(Revoked {
            invitation,
            already
        })
    );
    let refused = accept(&stage, 4).await.unwrap();
    assert_eq!(refused, Err(Refusal::Ended(InvitationStatus::Revoked)));
    assert_eq!(stage.count("SELECT COUNT(*) FROM audit_log").await, 2);
}
