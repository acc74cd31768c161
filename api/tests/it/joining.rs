//! An invited person reads the offer, joins or declines, and sees the programs it is in.

use engine::{
    audit::{Actor, ActorKind},
    clock::{Clock as _, SystemClock},
    ids::{InvitationId, MailId, RelationshipId},
    random::SystemRandom,
    relationships::{Change, Mode},
};
use persistence::{
    invitations::{self, NewInvitation},
    mail::{Letter, Post},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::{PASSWORD, Reply, World, with_world};

const ANN: &str = "ann@example.com";
const TOKEN: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";

impl World {
    async fn invited(&self, email: &str) -> RelationshipId {
        let now = SystemClock.now();
        let relationship = RelationshipId::generate(now, &SystemRandom);
        let new = NewInvitation {
            id: InvitationId::generate(now, &SystemRandom),
            relationship,
            token: Sha256::digest(TOKEN).into(),
            email: email.to_owned(),
            code: "ann-code".to_owned(),
            terms: Change {
                mode: Some(Mode::Both),
                ..Change::default()
            },
            message: Some("Welcome".to_owned()),
            valid_days: 7,
            post: Post {
                id: MailId::generate(now, &SystemRandom),
                letter: Letter {
                    to: email.to_owned(),
                    subject: "Come".to_owned(),
                    text: "A link".to_owned(),
                },
            },
        };
        let actor = Actor {
            kind: ActorKind::Job,
            id: None,
            label: "test".to_owned(),
            ip: None,
        };
        let (app, who) = (self.server.app(), (self.cast.merchant, actor));
        let vault = app.engine.vault();
        let invited = invitations::invite(&app.database, vault, who, new, now).await;
        invited.unwrap().unwrap();
        relationship
    }

    async fn offer(&self) -> Reply {
        let path = format!("/invitations/{TOKEN}");
        self.page("GET", &path).send().await
    }

    async fn answer(&self, verb: &str, session: &str, body: &Value) -> Reply {
        let path = format!("/invitations/{TOKEN}/{verb}");
        let call = self.page("POST", &path).header("cookie", session);
        call.json(body).send().await
    }

    fn joined(&self) -> String {
        self.scalar(
            "SELECT (SELECT COUNT(*) FROM persons) || ' persons, '
               || (SELECT COUNT(*) FROM sessions) || ' sessions, '
               || (SELECT COUNT(*) FROM relationships WHERE person_id IS NOT NULL) || ' bound, '
               || (SELECT string_agg(status, ' ') FROM invitations)",
        )
    }
}

fn joining() -> Value {
    json!({"accept_terms": true, "name": "Ann", "password": PASSWORD})
}

#[test]
fn invited_person_gets_a_log_in_and_sees_its_program() {
    with_world(async |world| {
        let relationship = world.invited(ANN).await;
        let offer = world.offer().await.data(200);
        assert_eq!(
            (&offer["email"], &offer["mode"]),
            (&json!("a***@example.com"), &json!("BOTH"))
        );
        assert_eq!(offer["account_exists"], false);

        let joined = world.answer("accept", "", &joining()).await;
        let session = joined.cookie();
        let program = joined.data(200);
        assert_eq!(program["relationship_id"], relationship.to_string());
        assert_eq!(
            (&program["status"], &program["mode"]),
            (&json!("ACTIVE"), &json!("BOTH"))
        );
        assert_eq!(world.joined(), "1 persons, 1 sessions, 1 bound, ACCEPTED");

        let listed = world.page("GET", "/programs").header("cookie", &session);
        assert_eq!(listed.send().await.data(200), json!([program]));
        let path = format!("/programs/{relationship}");
        let one = world.page("GET", &path).header("cookie", &session);
        assert_eq!(one.send().await.data(200), program);
        let body = json!({"email": ANN, "password": PASSWORD});
        world.sign_in(&body).await.data(200);
        world.offer().await.refused(410, "EXPIRED");
        let again = world.answer("accept", &session, &joining()).await;
        again.refused(409, "INVALID_STATE");
    });
}

#[test]
fn refused_answers_change_nothing() {
    with_world(async |world| {
        world.invited(ANN).await;
        world.person("bob@example.com").await;
        let bob = world.session("bob@example.com").await;
        let before = world.joined();
        let without = |field: &str| {
            let mut body = joining();
            body.as_object_mut().unwrap().remove(field);
            body
        };
        for body in [
            json!({"accept_terms": false}),
            without("name"),
            without("password"),
            json!({"accept_terms": true, "name": "Ann", "password": "password12345"}),
        ] {
            let refused = world.answer("accept", "", &body).await;
            refused.refused(422, "VALIDATION_ERROR");
        }
        let foreign = world.answer("accept", &bob, &joining()).await;
        foreign.refused(403, "FORBIDDEN");
        let nobody = world.page("POST", "/invitations/nonsense/accept");
        nobody
            .json(&joining())
            .send()
            .await
            .refused(404, "NOT_FOUND");
        let naked = format!("/portal/v1/invitations/{TOKEN}/accept");
        let naked = world.call("POST", &naked).json(&joining());
        naked.send().await.refused(403, "FORBIDDEN");
        assert_eq!(world.joined(), before);

        world.sql("UPDATE invitations SET expires_at = now() - interval '1 day'");
        let late = world.answer("accept", "", &joining()).await;
        late.refused(410, "EXPIRED");
        world.offer().await.refused(410, "EXPIRED");
        assert_eq!(world.joined(), before);
    });
}

#[test]
fn person_with_a_log_in_signs_in_first_and_joins_as_itself() {
    with_world(async |world| {
        world.invited(ANN).await;
        world.person(ANN).await;
        assert_eq!(world.offer().await.data(200)["account_exists"], true);
        let unknown = world.answer("accept", "", &joining()).await;
        unknown.refused(403, "FORBIDDEN");
        let session = world.session(ANN).await;
        let joined = world
            .answer("accept", &session, &json!({"accept_terms": true}))
            .await;
        assert_eq!(joined.data(200)["status"], "ACTIVE");
        assert_eq!(world.joined(), "1 persons, 1 sessions, 1 bound, ACCEPTED");
    });
}

#[test]
fn declined_invitation_stays_declined() {
    with_world(async |world| {
        world.invited(ANN).await;
        let long = json!({"reason": "x".repeat(501)});
        let refused = world.answer("decline", "", &long).await;
        refused.refused(422, "VALIDATION_ERROR");
        let declined = world
            .answer("decline", "", &json!({"reason": "no time"}))
            .await;
        assert_eq!(declined.data(200)["status"], "DECLINED");
        let again = world.answer("decline", "", &json!({})).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        let late = world.answer("accept", "", &joining()).await;
        late.refused(409, "INVALID_STATE");
        assert_eq!(world.joined(), "0 persons, 0 sessions, 0 bound, DECLINED");
    });
}

#[test]
fn programs_of_others_are_not_found() {
    with_world(async |world| {
        world.invited(ANN).await;
        let ann = world.answer("accept", "", &joining()).await.cookie();
        world.person("bob@example.com").await;
        let bob = world.session("bob@example.com").await;
        let foreign = world.reseller("demo-both").id;
        let own = world.page("GET", "/programs").header("cookie", &ann);
        let own = own.send().await.data(200)[0]["relationship_id"].clone();
        for (session, id) in [
            (&ann, foreign.to_string()),
            (&bob, own.as_str().unwrap().to_owned()),
            (&bob, "rel_x".to_owned()),
        ] {
            let call = world.page("GET", &format!("/programs/{id}"));
            let reply = call.header("cookie", session).send().await;
            reply.refused(404, "NOT_FOUND");
        }
        let none = world.page("GET", "/programs").header("cookie", &bob);
        assert_eq!(none.send().await.data(200), json!([]));
    });
}
