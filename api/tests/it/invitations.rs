//! A merchant invites, lists, sends again and takes back; the invited person answers by the link.

use engine::persons::Role;
use serde_json::{Value, json};

use crate::support::{PASSWORD, Reply, World, with_world};

const MAX: &str = "max@partner.example";
const INVITE: &str = "/dev/v1/resellers/invite";
const LIST: &str = "/dev/v1/resellers/invitations";

impl World {
    async fn invite(&self, body: &Value) -> Reply {
        let call = self.call("POST", INVITE).key(&self.merchant_key());
        call.json(body).send().await
    }

    async fn invite_to(&self, email: &str) -> Value {
        let invited = self.invite(&json!({"email": email})).await;
        invited.data(201)["invitation"].clone()
    }

    async fn on_invitation(&self, invitation: &Value, verb: &str) -> Reply {
        let path = format!("{LIST}/{}/{verb}", invitation["id"].as_str().unwrap());
        let call = self.call("POST", &path).key(&self.merchant_key());
        call.send().await
    }

    async fn invitations(&self, query: &str) -> Value {
        let call = self.call("GET", &format!("{LIST}?{query}"));
        call.key(&self.merchant_key()).send().await.json()
    }

    async fn offer_of(&self, token: &str) -> Reply {
        self.page("GET", &format!("/invitations/{token}"))
            .send()
            .await
    }

    /// Everything that an invitation changes.
    fn program_rows(&self) -> String {
        self.scalar(
            "SELECT (SELECT COUNT(*) FROM invitations) || ' ' || (SELECT COUNT(*) FROM mails) || ' '
               || (SELECT COUNT(*) FROM relationships) || ' ' || (SELECT COUNT(*) FROM balances)
               || ' ' || (SELECT COUNT(*) FROM audit_log WHERE action <> 'session.open')",
        )
    }
}

fn token(invitation: &Value) -> &str {
    invitation["token"].as_str().unwrap()
}

#[test]
fn invited_person_joins_by_the_mailed_link_under_the_agreed_terms() {
    with_world(async |world| {
        let product = world.product("Antivirus").id.to_string();
        let body = json!({
            "email": " Max@Partner.example ",
            "mode": "WHOLESALE",
            "name": "Max",
            "message": "Welcome\naboard",
            "custom_wholesale_discount_percent": 12.5,
            "purchase_limit_daily": 500,
            "product_ids": [product],
            "expires_in_days": 30,
        });
        let answer = world.invite(&body).await.data(201);
        assert_eq!(answer["email_delivery"]["status"], "queued");
        let invitation = &answer["invitation"];
        assert_eq!(invitation["email"], MAX);
        assert_eq!(invitation["status"], "PENDING");
        let url = invitation["accept_url"].as_str().unwrap();
        assert_eq!(
            url,
            format!("https://consign.example/invite/{}", token(invitation))
        );
        let letters = world.letters().await;
        assert_eq!((letters.len(), &letters[0].to[..]), (1, MAX));
        assert!(letters[0].text.contains(url) && letters[0].text.contains("> aboard"));

        let offer = world.offer_of(token(invitation)).await.data(200);
        assert_eq!(
            (&offer["mode"], &offer["wholesale_discount_percent"]),
            (&json!("STOCK"), &json!(12.5))
        );
        let path = format!("/invitations/{}/accept", token(invitation));
        let accept = world.page("POST", &path);
        let body = json!({"accept_terms": true, "name": "Max M.", "password": PASSWORD});
        let joined = accept.json(&body).send().await.data(200);
        assert_eq!(joined["relationship_id"], invitation["relationship_id"]);
        let listed = world.invitations("").await;
        assert_eq!(listed["data"][0]["status"], "ACCEPTED");
        let reseller = format!(
            "/dev/v1/resellers/{}",
            invitation["relationship_id"].as_str().unwrap()
        );
        let reseller = world.call("GET", &reseller).key(&world.merchant_key());
        let reseller = reseller.send().await.data(200);
        assert_eq!(
            (
                &reseller["status"],
                &reseller["name"],
                &reseller["product_access"][0]["product_id"]
            ),
            (&json!("ACTIVE"), &json!("Max"), &json!(product))
        );
    });
}

#[test]
fn link_is_told_once_and_stored_nowhere() {
    with_world(async |world| {
        let send = async || {
            let call = world.call("POST", INVITE).key(&world.merchant_key());
            let call = call.header("idempotency-key", "k-1");
            call.json(&json!({"email": MAX})).send().await
        };
        let first = send().await.data(201)["invitation"].clone();
        let again = send().await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        let again = again.data(201)["invitation"].clone();
        assert_eq!(again["id"], first["id"]);
        assert_eq!(
            (&again["token"], &again["accept_url"]),
            (&Value::Null, &Value::Null)
        );
        assert_eq!(world.invitations("").await["data"][0]["token"], Value::Null);
        let kept =
            world.scalar("SELECT string_agg(convert_from(body, 'UTF8'), '') FROM idempotency_keys");
        assert!(kept.contains(first["id"].as_str().unwrap()));
        assert!(!kept.contains(token(&first)));
        let rows = world.scalar("SELECT string_agg(i::text, '') FROM invitations AS i");
        assert!(!rows.contains(token(&first)));
        assert_eq!(world.letters().await.len(), 1);
    });
}

#[test]
fn invitation_sent_again_opens_by_the_new_link_only() {
    with_world(async |world| {
        let first = world.invite_to(MAX).await;
        let again = world.on_invitation(&first, "resend").await.data(200)["invitation"].clone();
        assert_eq!(again["id"], first["id"]);
        world
            .offer_of(token(&first))
            .await
            .refused(404, "NOT_FOUND");
        world.offer_of(token(&again)).await.data(200);
        assert_eq!(world.letters().await.len(), 2);
        world.on_invitation(&first, "revoke").await.data(200);
        let rows = world.program_rows();
        let refused = world.on_invitation(&first, "resend").await;
        let error = refused.refused(409, "INVALID_STATE");
        assert_eq!(error["details"][0]["message"], "REVOKED");
        assert_eq!(world.program_rows(), rows);
    });
}

#[test]
fn invitation_taken_back_is_over_for_everybody() {
    with_world(async |world| {
        let invitation = world.invite_to(MAX).await;
        let revoked = world.on_invitation(&invitation, "revoke").await.data(200);
        assert_eq!(revoked["status"], "REVOKED");
        let again = world.on_invitation(&invitation, "revoke").await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        world
            .offer_of(token(&invitation))
            .await
            .refused(410, "EXPIRED");
        let path = format!("/invitations/{}/accept", token(&invitation));
        let body = json!({"accept_terms": true, "name": "Max", "password": PASSWORD});
        let refused = world.page("POST", &path).json(&body).send().await;
        refused.refused(409, "INVALID_STATE");
        assert_eq!(world.scalar("SELECT COUNT(*) FROM persons"), "0");
        // Who was not wanted may be invited again.
        let again = world.invite_to(MAX).await;
        assert_ne!(again["relationship_id"], invitation["relationship_id"]);
    });
}

#[test]
fn accepted_and_expired_invitations_stay_as_they_ended() {
    with_world(async |world| {
        let accepted = world.invite_to(MAX).await;
        let path = format!("/invitations/{}/accept", token(&accepted));
        let body = json!({"accept_terms": true, "name": "Max", "password": PASSWORD});
        world.page("POST", &path).json(&body).send().await.data(200);
        let expired = world.invite_to("eve@partner.example").await;
        world.sql(
            "UPDATE invitations SET expires_at = now() - interval '1 second'
             WHERE status = 'PENDING'",
        );
        for (invitation, status) in [(&accepted, "ACCEPTED"), (&expired, "EXPIRED")] {
            for verb in ["resend", "revoke"] {
                let refused = world.on_invitation(invitation, verb).await;
                let error = refused.refused(409, "INVALID_STATE");
                assert_eq!(error["details"][0]["message"], status);
            }
        }
        world
            .offer_of(token(&expired))
            .await
            .refused(410, "EXPIRED");
        let again = world.page("POST", &path).json(&body).send().await;
        assert_ne!(again.status, 200);
        let listed = world.invitations("status=expired").await;
        assert_eq!(listed["data"][0]["id"], expired["id"]);
        assert_eq!(listed["data"].as_array().unwrap().len(), 1);
        assert_eq!(
            world.invitations("limit=1").await["pagination"]["has_more"],
            true
        );
    });
}

#[test]
fn refused_invitations_change_nothing() {
    with_world(async |world| {
        world.member("team@merchant.example", Role::Viewer).await;
        world.invite_to(MAX).await;
        let rows = world.program_rows();
        let both = world.scalar("SELECT email FROM relationships WHERE code = 'demo-both'");
        for email in [MAX, "MAX@partner.example", &both] {
            let refused = world.invite(&json!({"email": email})).await;
            refused.refused(409, "ALREADY_EXISTS");
        }
        let stranger = "prd_00000000000000000000000000";
        for (body, field) in [
            (json!({}), "email"),
            (json!({"email": "nobody"}), "email"),
            (json!({"email": "team@merchant.example"}), "email"),
            (
                json!({"email": "a@b.example", "expires_in_days": 0}),
                "expires_in_days",
            ),
            (
                json!({"email": "a@b.example", "expires_in_days": 91}),
                "expires_in_days",
            ),
            (json!({"email": "a@b.example", "mode": "NONE"}), "mode"),
            (json!({"email": "a@b.example", "name": " "}), "name"),
            (
                json!({"email": "a@b.example", "message": "x".repeat(1001)}),
                "message",
            ),
            (
                json!({"email": "a@b.example", "custom_commission_percent": 101}),
                "custom_commission_percent",
            ),
            (
                json!({"email": "a@b.example", "purchase_limit_daily": -1}),
                "purchase_limit_daily",
            ),
            (
                json!({"email": "a@b.example", "product_ids": [stranger]}),
                "product_access",
            ),
            (
                json!({"email": "a@b.example", "status": "ACTIVE"}),
                "status",
            ),
        ] {
            let refused = world.invite(&body).await;
            let error = refused.refused(422, "VALIDATION_ERROR");
            assert_eq!(error["details"][0]["field"], field, "{body}");
        }
        for id in ["ivt_00000000000000000000000000", "ivt_x", "rel_1"] {
            for verb in ["resend", "revoke"] {
                let refused = world.on_invitation(&json!({"id": id}), verb).await;
                refused.refused(404, "NOT_FOUND");
            }
        }
        world.sql("UPDATE programs SET enabled = false");
        let refused = world.invite(&json!({"email": "a@b.example"})).await;
        refused.refused(403, "PROGRAM_DISABLED");
        assert_eq!(world.program_rows(), rows);
    });
}

#[test]
fn one_address_gets_ten_mails_in_a_quarter_of_an_hour() {
    with_world(async |world| {
        let invitation = world.invite_to(MAX).await;
        let mut sent = 1;
        loop {
            let reply = world.on_invitation(&invitation, "resend").await;
            if reply.status != 200 {
                reply.refused(429, "RATE_LIMITED");
                break;
            }
            sent += 1;
            assert!(sent <= 20, "there is no bound");
        }
        // The quarter of an hour may have turned meanwhile.
        assert!(sent >= 10, "{sent}");
        assert_eq!(world.scalar("SELECT COUNT(*) FROM mails"), sent.to_string());
    });
}
