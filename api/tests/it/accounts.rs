//! People: signing in and out, sessions, passwords, one-time codes.

use std::time::Duration;

use engine::clock::{Clock as _, SystemClock};
use persistence::persons::bind;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret, Totp};

use crate::support::{PASSWORD, Reply, World, with_world};

const ANN: &str = "ann@example.com";

impl World {
    async fn me(&self, session: &str) -> Reply {
        let me = self.page("GET", "/me").header("cookie", session);
        me.send().await
    }

    async fn post_as(&self, path: &str, session: &str, body: &Value) -> Reply {
        let call = self.page("POST", path).header("cookie", session);
        call.json(body).send().await
    }

    async fn delete(&self, path: &str, session: &str) -> Reply {
        let call = self.page("DELETE", path).header("cookie", session);
        call.send().await
    }

    fn sessions(&self) -> String {
        self.scalar("SELECT COUNT(*) FROM sessions")
    }
}

fn wrong(email: &str) -> Value {
    json!({"email": email, "password": "lantern-orbit-8-quilt"})
}

fn right(email: &str) -> Value {
    json!({"email": email, "password": PASSWORD})
}

#[test]
fn person_signs_in_looks_and_signs_out() {
    with_world(async |world| {
        let id = world.person(ANN).await;
        let reply = world.sign_in(&right(" Ann@Example.com ")).await;
        let set = reply.header("set-cookie").unwrap().to_owned();
        assert!(set.starts_with("__Host-consign=") && set.contains("; HttpOnly"));
        assert_eq!(reply.data(200)["person"]["id"], id.to_string());
        let session = reply.cookie();

        let me = world.me(&session).await.data(200);
        assert_eq!(me["person"]["email"], ANN);
        assert_eq!(me["relationships_count"], 0);
        assert_eq!(me["merchants"], json!([]));
        let update = world.page("PATCH", "/me").header("cookie", &session);
        let updated = update.json(&json!({"name": " Ann B. "})).send().await;
        assert_eq!(updated.data(200)["person"]["name"], "Ann B.");

        let out = world.delete("/session", &session).await;
        assert_eq!(out.status, 204);
        assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
        world.me(&session).await.refused(401, "UNAUTHORIZED");
        assert_eq!(world.sessions(), "0");
    });
}

#[test]
fn failed_sign_ins_read_the_same_and_open_nothing() {
    with_world(async |world| {
        world.person(ANN).await;
        world.person("disabled@example.com").await;
        world.person("locked@example.com").await;
        world.sql("UPDATE persons SET status = 'DISABLED' WHERE email = 'disabled@example.com'");
        world.sql(
            "UPDATE persons SET locked_until = now() + interval '5 minutes'
             WHERE email = 'locked@example.com'",
        );
        let mut bodies = Vec::new();
        for body in [
            wrong(ANN),
            right("nobody@example.com"),
            right("disabled@example.com"),
            right("locked@example.com"),
            right("no address at all"),
        ] {
            let reply = world.sign_in(&body).await;
            reply.refused(401, "UNAUTHORIZED");
            assert!(reply.header("set-cookie").is_none());
            bodies.push(reply.text());
        }
        assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
        assert_eq!(world.sessions(), "0");
        let counted = "SELECT string_agg(failures::text, ' ' ORDER BY email) FROM persons";
        assert_eq!(world.scalar(counted), "1 1 0");
    });
}

#[test]
fn ten_failures_lock_and_the_right_password_helps_no_more() {
    with_world(async |world| {
        world.person(ANN).await;
        for _ in 0..10 {
            world.sign_in(&wrong(ANN)).await;
        }
        let locked = "SELECT COUNT(*) FROM persons WHERE locked_until > now()";
        assert_eq!(world.scalar(locked), "1");
        let reply = world.sign_in(&right(ANN)).await;
        assert!(
            matches!(reply.status.as_u16(), 401 | 429),
            "{}",
            reply.text()
        );
        assert_eq!(world.sessions(), "0");
    });
}

#[test]
fn changes_come_from_our_own_pages() {
    with_world(async |world| {
        world.person(ANN).await;
        let path = "/portal/v1/session";
        let naked = world.call("POST", path).json(&right(ANN)).send().await;
        naked.refused(403, "FORBIDDEN");
        assert_eq!(world.sessions(), "0");

        let session = world.session(ANN).await;
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("sec-fetch-site", "cross-site"),
            ("accept", "*/*"),
        ] {
            let call = world.call("PATCH", "/portal/v1/me").header(name, value);
            let call = call
                .header("cookie", &session)
                .json(&json!({"name": "Eve"}));
            call.send().await.refused(403, "FORBIDDEN");
        }
        assert_eq!(
            world.me(&session).await.data(200)["person"]["name"],
            "Ann Smith"
        );
        let fetched = world
            .call("PATCH", "/portal/v1/me")
            .header("cookie", &session);
        let fetched = fetched.header("sec-fetch-site", "same-origin");
        fetched
            .json(&json!({"locale": "en"}))
            .send()
            .await
            .data(200);
    });
}

#[test]
fn key_and_session_are_not_taken_together_or_for_each_other() {
    with_world(async |world| {
        world.person(ANN).await;
        let session = world.session(ANN).await;
        let both = world.page("GET", "/me").header("cookie", &session);
        let both = both.key(&world.merchant_key()).send().await;
        both.refused(400, "BAD_REQUEST");
        let key = world.page("GET", "/me").key(&world.merchant_key());
        key.send().await.refused(400, "BAD_REQUEST");
        let shop = world
            .call("GET", "/reseller/v1/me")
            .header("cookie", &session);
        shop.send().await.refused(401, "UNAUTHORIZED");
        for cookie in ["", "__Host-consign=short", "consign_session=short"] {
            world.me(cookie).await.refused(401, "UNAUTHORIZED");
        }
        world
            .me(&format!("{session}; {session}"))
            .await
            .refused(401, "UNAUTHORIZED");
    });
}

#[test]
fn session_ends_when_idle_when_old_and_when_its_person_is_disabled() {
    with_world(async |world| {
        world.person(ANN).await;
        for end in [
            "UPDATE sessions SET last_used_at = last_used_at - interval '30 minutes'",
            "UPDATE sessions SET created_at = created_at - interval '12 hours'",
            "UPDATE persons SET status = 'DISABLED'",
        ] {
            let session = world.session(ANN).await;
            world.me(&session).await.data(200);
            world.sql(end);
            world.me(&session).await.refused(401, "UNAUTHORIZED");
        }
    });
}

#[test]
fn own_sessions_are_listed_and_ended_and_others_are_not_found() {
    with_world(async |world| {
        world.person(ANN).await;
        world.person("bob@example.com").await;
        let (first, second) = (world.session(ANN).await, world.session(ANN).await);
        let bob = world.session("bob@example.com").await;
        let listed = world.page("GET", "/sessions").header("cookie", &first);
        let listed = listed.send().await.data(200);
        assert_eq!(listed.as_array().unwrap().len(), 2);
        let current = |one: &&Value| one["current"] == true;
        assert_eq!(listed.as_array().unwrap().iter().filter(current).count(), 1);
        let mine = listed.as_array().unwrap().iter().find(current).unwrap();
        let path = format!("/sessions/{}", mine["id"].as_str().unwrap());

        world.delete(&path, &bob).await.refused(404, "NOT_FOUND");
        world
            .delete("/sessions/ses_x", &first)
            .await
            .refused(404, "NOT_FOUND");
        assert_eq!(world.delete("/sessions", &second).await.status, 204);
        world.me(&first).await.refused(401, "UNAUTHORIZED");
        world.me(&second).await.data(200);
        world.me(&bob).await.data(200);
    });
}

#[test]
fn another_password_ends_all_other_sessions() {
    with_world(async |world| {
        world.person(ANN).await;
        let (first, second) = (world.session(ANN).await, world.session(ANN).await);
        let change =
            |current: &str, new: &str| json!({"current_password": current, "new_password": new});
        for (body, field) in [
            (
                change("not it at all", "marble-7-window-tea"),
                "current_password",
            ),
            (change(PASSWORD, "short"), "new_password"),
            (change(PASSWORD, "password12345"), "new_password"),
        ] {
            let refused = world.post_as("/me/password", &first, &body).await;
            let error = refused.refused(422, "VALIDATION_ERROR");
            assert_eq!(error["details"][0]["field"], field);
        }
        world.me(&second).await.data(200);

        let body = change(PASSWORD, "marble-7-window-tea");
        assert_eq!(
            world.post_as("/me/password", &first, &body).await.status,
            204
        );
        world.me(&first).await.data(200);
        world.me(&second).await.refused(401, "UNAUTHORIZED");
        world
            .sign_in(&right(ANN))
            .await
            .refused(401, "UNAUTHORIZED");
        let new = json!({"email": ANN, "password": "marble-7-window-tea"});
        world.sign_in(&new).await.data(200);
    });
}

#[test]
fn link_to_a_new_password_works_once_and_ends_every_session() {
    with_world(async |world| {
        world.person(ANN).await;
        let session = world.session(ANN).await;
        for email in ["nobody@example.com", ANN] {
            let offer = world
                .page("POST", "/password-reset")
                .json(&json!({"email": email}));
            assert_eq!(offer.send().await.status, 204);
        }
        let letters = async {
            loop {
                let letters = world.letters().await;
                if !letters.is_empty() {
                    return letters;
                }
            }
        };
        let letters = tokio::time::timeout(Duration::from_secs(30), letters)
            .await
            .unwrap();
        assert_eq!(letters.len(), 1);
        assert_eq!(letters[0].to, ANN);
        let token = letters[0].text.split("/reset/").nth(1).unwrap();
        let token = token.split_whitespace().next().unwrap();

        let confirm = async |token: &str, new: &str| {
            let body = json!({"token": token, "new_password": new});
            let call = world.page("POST", "/password-reset/confirm");
            call.json(&body).send().await
        };
        confirm("nonsense", "marble-7-window-tea")
            .await
            .refused(410, "EXPIRED");
        confirm(token, "short")
            .await
            .refused(422, "VALIDATION_ERROR");
        world.me(&session).await.data(200);
        assert_eq!(confirm(token, "marble-7-window-tea").await.status, 204);
        world.me(&session).await.refused(401, "UNAUTHORIZED");
        confirm(token, "another-7-window-tea")
            .await
            .refused(410, "EXPIRED");
        let new = json!({"email": ANN, "password": "marble-7-window-tea"});
        world.sign_in(&new).await.data(200);
    });
}

#[test]
fn another_address_is_in_force_once_its_owner_confirmed_it() {
    with_world(async |world| {
        let id = world.person(ANN).await;
        world.person("bob@example.com").await;
        let (db, reseller) = (&world.server.app().database, world.reseller("demo-both").id);
        bind(db, id, reseller).await.unwrap();
        let session = world.session(ANN).await;
        let want = async |session: &str, email: &str| {
            let call = world.page("PATCH", "/me").header("cookie", session);
            call.json(&json!({"email": email})).send().await
        };
        let refused = want(&session, "new@example.com").await;
        refused.refused(403, "STEP_UP_REQUIRED");
        let session = world.stepped_up(ANN).await;
        want(&session, "no address")
            .await
            .refused(422, "VALIDATION_ERROR");
        // Whether an address is somebody's is not told.
        let taken = want(&session, "bob@example.com").await.data(200);
        assert_eq!(taken["person"]["email"], ANN);
        assert!(world.letters().await.is_empty());
        let wanted = want(&session, " New@Example.com ").await.data(200);
        assert_eq!(wanted["person"]["email"], ANN);

        let letters = world.letters().await;
        assert_eq!((letters.len(), &letters[0].to[..]), (1, "new@example.com"));
        let token = letters[0].text.split("/email/").nth(1).unwrap();
        let token = token.split_whitespace().next().unwrap().to_owned();
        let confirm = async |token: &str| {
            let call = world.page("POST", "/me/email/confirm");
            call.json(&json!({"token": token})).send().await
        };
        confirm("nonsense").await.refused(410, "EXPIRED");
        assert_eq!(confirm(&token).await.status, 204);
        confirm(&token).await.refused(410, "EXPIRED");
        assert_eq!(
            world.me(&session).await.data(200)["person"]["email"],
            "new@example.com"
        );
        world
            .sign_in(&right(ANN))
            .await
            .refused(401, "UNAUTHORIZED");
        world.sign_in(&right("new@example.com")).await.data(200);
        let told = world.letters().await;
        assert_eq!((told.len(), &told[0].to[..]), (1, ANN));
        let relationship = "SELECT email FROM relationships WHERE code = 'demo-both'";
        assert_eq!(world.scalar(relationship), "new@example.com");
        let log = "SELECT string_agg(action, ' ') FROM audit_log";
        assert_eq!(world.scalar(log), "reseller.email");
    });
}

#[test]
fn address_that_is_taken_meanwhile_is_not_put_in_force() {
    with_world(async |world| {
        world.person(ANN).await;
        let session = world.stepped_up(ANN).await;
        let call = world.page("PATCH", "/me").header("cookie", &session);
        let wanted = call.json(&json!({"email": "new@example.com"})).send().await;
        wanted.data(200);
        let letters = world.letters().await;
        let token = letters[0].text.split("/email/").nth(1).unwrap();
        let token = token.split_whitespace().next().unwrap();
        world.person("new@example.com").await;
        let confirm = world.page("POST", "/me/email/confirm");
        let refused = confirm.json(&json!({"token": token})).send().await;
        refused.refused(409, "ALREADY_EXISTS");
        assert_eq!(world.me(&session).await.data(200)["person"]["email"], ANN);
    });
}

/// What an authenticator makes of the URL.
fn authenticator(url: &str) -> Totp {
    let secret = url
        .split("secret=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap();
    let secret = Secret::try_from_base32(secret).unwrap();
    Builder::new().with_secret(secret).build().unwrap()
}

#[test]
fn one_time_codes_are_demanded_accepted_once_and_switched_off_after_a_step_up() {
    with_world(async |world| {
        world.person(ANN).await;
        let session = world.session(ANN).await;
        let offered = world.post_as("/totp", &session, &json!({})).await.data(200);
        let totp = authenticator(offered["otpauth_url"].as_str().unwrap());
        let seconds = u64::try_from(SystemClock.now().timestamp()).unwrap();
        let code = |steps: u64| totp.generate(seconds + steps * 30).to_string();
        let off = json!({"code": "000000"});
        world
            .post_as("/totp/confirm", &session, &off)
            .await
            .refused(422, "VALIDATION_ERROR");
        world.sign_in(&right(ANN)).await.data(200);
        let body = json!({"code": code(0)});
        let confirmed = world
            .post_as("/totp/confirm", &session, &body)
            .await
            .data(200);
        let recovery = confirmed["recovery_codes"].as_array().unwrap().clone();
        assert_eq!(recovery.len(), 10);
        world
            .post_as("/totp", &session, &json!({}))
            .await
            .refused(409, "INVALID_STATE");

        let asked = world.sign_in(&right(ANN)).await;
        assert!(asked.header("set-cookie").is_none());
        assert_eq!(asked.data(200)["status"], "TOTP_REQUIRED");
        let with = |code: &str| json!({"email": ANN, "password": PASSWORD, "totp_code": code});
        for (code, status) in [
            (code(0), 401),
            (code(1), 200),
            (code(1), 401),
            (recovery[0].as_str().unwrap().to_owned(), 200),
            (recovery[0].as_str().unwrap().to_owned(), 401),
        ] {
            assert_eq!(world.sign_in(&with(&code)).await.status, status);
        }

        let refused = world.delete("/totp", &session).await;
        refused.refused(403, "STEP_UP_REQUIRED");
        let no = world
            .post_as("/step-up", &session, &json!({"password": "no"}))
            .await;
        no.refused(401, "UNAUTHORIZED");
        let both = json!({"password": PASSWORD, "totp_code": code(2)});
        world
            .post_as("/step-up", &session, &both)
            .await
            .refused(422, "VALIDATION_ERROR");
        let stepped = world
            .post_as("/step-up", &session, &json!({"password": PASSWORD}))
            .await;
        stepped.data(200);
        world.me(&session).await.refused(401, "UNAUTHORIZED");
        assert_eq!(world.delete("/totp", &stepped.cookie()).await.status, 204);
        assert_eq!(
            world.sign_in(&right(ANN)).await.data(200)["status"],
            "SIGNED_IN"
        );
    });
}
