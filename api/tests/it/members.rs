//! Members of a merchant, signed in, where its keys call too.

use engine::{
    clock::{Clock as _, SystemClock},
    persons::Role,
};
use persistence::persons::insert_member;
use serde_json::{Value, json};

use crate::support::{Reply, World, with_world};

const OWNER: &str = "owner@merchant.example";
const VIEWER: &str = "viewer@merchant.example";
const PROGRAM: &str = "/dev/v1/reseller-program";

impl World {
    async fn rename(&self, session: &str, url: &str) -> Reply {
        let call = self.as_member(session, "PATCH", PROGRAM);
        call.json(&json!({"terms_url": url})).send().await
    }

    fn terms_url(&self) -> String {
        self.scalar("SELECT COALESCE(terms_url, '') FROM programs")
    }
}

#[test]
fn member_reads_and_changes_what_the_role_allows_and_the_log_says_who() {
    with_world(async |world| {
        let owner = world.member(OWNER, Role::Owner).await;
        world.member(VIEWER, Role::Viewer).await;
        let session = world.session(OWNER).await;
        let me = world.as_member(&session, "GET", "/dev/v1/me").send().await;
        let me = me.data(200);
        assert_eq!(
            (&me["role"], &me["scopes"]),
            (&json!("OWNER"), &json!(["*"]))
        );
        let url = "https://merchant.example/terms";
        world.rename(&session, url).await.data(200);
        assert_eq!(world.terms_url(), url);
        let log = world.as_member(&session, "GET", "/dev/v1/audit-log?limit=3");
        let log = log.send().await.json();
        let told = |n: usize| log["data"][n]["action"].clone();
        assert_eq!(
            (told(0), told(1)),
            (json!("program.update"), json!("session.open"))
        );
        for entry in &log["data"].as_array().unwrap()[..2] {
            assert_eq!(entry["actor"]["id"], owner.to_string());
            assert_eq!(entry["actor"]["type"], "PERSON");
        }

        let viewer = world.session(VIEWER).await;
        let me = world.as_member(&viewer, "GET", "/dev/v1/me").send().await;
        let me = me.data(200);
        assert!(
            me["scopes"]
                .as_array()
                .unwrap()
                .contains(&json!("resellers.read"))
        );
        world
            .as_member(&viewer, "GET", "/dev/v1/resellers")
            .send()
            .await
            .data(200);
        let refused = world.rename(&viewer, "https://evil.example").await;
        let error = refused.refused(403, "FORBIDDEN");
        assert_eq!(error["details"][0]["message"], "VIEWER");
        let log = world.as_member(&viewer, "GET", "/dev/v1/audit-log");
        log.send().await.refused(403, "FORBIDDEN");
        assert_eq!(world.terms_url(), url);
    });
}

#[test]
fn session_on_the_merchants_surface_needs_our_pages_and_no_key_beside_it() {
    with_world(async |world| {
        world.member(OWNER, Role::Owner).await;
        let session = world.session(OWNER).await;
        let before = world.terms_url();
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("sec-fetch-site", "cross-site"),
            ("accept", "*/*"),
        ] {
            let call = world.call("PATCH", PROGRAM).header("cookie", &session);
            let call = call.header(name, value);
            let call = call.json(&json!({"terms_url": "https://evil.example"}));
            call.send().await.refused(403, "FORBIDDEN");
        }
        let both = world
            .as_member(&session, "GET", PROGRAM)
            .key(&world.merchant_key());
        both.send().await.refused(400, "BAD_REQUEST");
        let ended = world.page("DELETE", "/session").header("cookie", &session);
        assert_eq!(ended.send().await.status, 204);
        let gone = world.rename(&session, "https://evil.example").await;
        gone.refused(401, "UNAUTHORIZED");
        assert_eq!(world.terms_url(), before);
    });
}

#[test]
fn who_leaves_the_team_is_out_at_the_next_call() {
    with_world(async |world| {
        world.member(OWNER, Role::Manager).await;
        world.person("ann@example.com").await;
        let session = world.session(OWNER).await;
        world
            .as_member(&session, "GET", PROGRAM)
            .send()
            .await
            .data(200);
        world.sql("UPDATE members SET role = 'VIEWER'");
        let url = "https://merchant.example/terms";
        world.rename(&session, url).await.refused(403, "FORBIDDEN");
        world.sql("DELETE FROM members");
        let stranger = world.session("ann@example.com").await;
        for session in [session, stranger] {
            let call = world.as_member(&session, "GET", PROGRAM);
            call.send().await.refused(403, "FORBIDDEN");
        }
    });
}

#[test]
fn who_acts_for_several_merchants_says_for_which() {
    with_world(async |world| {
        let owner = world.member(OWNER, Role::Owner).await;
        let cast = world.another_merchant().await;
        let (db, now) = (&world.server.app().database, SystemClock.now());
        insert_member(db, cast.merchant, owner, Role::Owner, now)
            .await
            .unwrap();
        let other = cast.merchant.to_string();
        let own = world.cast.merchant.to_string();
        let session = world.session(OWNER).await;
        let me = async |merchant: &str| {
            let call = world.as_member(&session, "GET", "/dev/v1/me");
            call.header("consign-merchant", merchant).send().await
        };
        assert_eq!(me(&own).await.data(200)["shop"]["id"], own);
        assert_eq!(me(&other).await.data(200)["shop"]["name"], cast.name);
        let silent = world.as_member(&session, "GET", "/dev/v1/me").send().await;
        silent.refused(400, "BAD_REQUEST");
        for stranger in ["mer_00000000000000000000000000", "mer_x", "prg_1"] {
            me(stranger).await.refused(403, "FORBIDDEN");
        }
        let twice = world.as_member(&session, "GET", "/dev/v1/me");
        let twice = twice.header("consign-merchant", &own);
        let twice = twice.header("consign-merchant", &other).send().await;
        twice.refused(400, "BAD_REQUEST");

        // An answer that one merchant's member was given is not given for another.
        let patch = async |merchant: &str| {
            let call = world.as_member(&session, "PATCH", PROGRAM);
            let call = call.header("consign-merchant", merchant);
            let call = call.header("idempotency-key", "k-1");
            call.json(&json!({"is_enabled": true})).send().await
        };
        let first: Value = patch(&own).await.data(200);
        assert_eq!(patch(&own).await.data(200), first);
        patch(&other).await.refused(422, "IDEMPOTENCY_MISMATCH");
    });
}

#[test]
fn refused_step_up_of_a_member_is_in_the_log() {
    with_world(async |world| {
        world.member(OWNER, Role::Owner).await;
        let session = world.session(OWNER).await;
        let call = world.page("POST", "/step-up").header("cookie", &session);
        let no = call
            .json(&json!({"password": "not the password"}))
            .send()
            .await;
        no.refused(401, "UNAUTHORIZED");
        let told = "SELECT string_agg(action, ' ' ORDER BY seq) FROM audit_log";
        assert_eq!(world.scalar(told), "session.open step_up.refuse");
    });
}
