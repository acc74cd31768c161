//! Owners say who acts for their merchant, and the first of them is named at the console.

use std::path::PathBuf;

use engine::persons::Role;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::{ORIGIN, PASSWORD, Reply, World, with_world};

const MEMBERS: &str = "/dev/v1/members";
const OWNER: &str = "owner@merchant.example";
const NEW: &str = "new@merchant.example";

impl World {
    async fn team(&self, session: &str, method: &'static str, body: &Value) -> Reply {
        self.as_member(session, method, MEMBERS)
            .json(body)
            .send()
            .await
    }

    /// Who is in the team, and in which role.
    fn roles(&self) -> String {
        self.scalar(
            "SELECT string_agg(email || ' ' || role, ', ' ORDER BY email)
             FROM members JOIN persons USING (person_id)",
        )
    }

    /// Sets a password by a link that was told or mailed.
    async fn first_password(&self, text: &str) {
        let (_, rest) = text.split_once("/reset/").unwrap();
        let token = rest.split_whitespace().next().unwrap();
        let body = json!({"token": token, "new_password": PASSWORD});
        let set = self
            .page("POST", "/password-reset/confirm")
            .json(&body)
            .send()
            .await;
        assert_eq!(set.status, 204, "{}", set.text());
    }
}

#[test]
fn owner_invites_somebody_who_sets_a_password_changes_the_role_and_ends_it() {
    with_world(async |world| {
        world.member(OWNER, Role::Owner).await;
        let session = world.session(OWNER).await;
        let wanted = json!({"email": NEW, "role": "viewer", "name": "Eve"});
        let team = world.team(&session, "POST", &wanted).await.data(201);
        assert_eq!(
            (&team[0]["email"], &team[0]["role"]),
            (&json!(NEW), &json!("VIEWER"))
        );
        world
            .team(&session, "POST", &wanted)
            .await
            .refused(409, "ALREADY_EXISTS");
        let body = json!({"email": NEW, "password": PASSWORD});
        world.sign_in(&body).await.refused(401, "UNAUTHORIZED");
        let letters = world.letters().await;
        let [letter] = letters.as_slice() else {
            panic!("one letter is due, not {}", letters.len());
        };
        assert_eq!(letter.to, NEW);
        world.first_password(&letter.text).await;
        let theirs = world.session(NEW).await;
        let me = world.as_member(&theirs, "GET", "/dev/v1/me").send().await;
        assert_eq!(me.data(200)["role"], "VIEWER");
        world
            .team(&theirs, "GET", &json!({}))
            .await
            .refused(403, "FORBIDDEN");

        let manager = json!({"email": NEW, "role": "MANAGER"});
        let team = world.team(&session, "PATCH", &manager).await.data(200);
        assert_eq!(team[0]["role"], "MANAGER");
        let me = world.as_member(&theirs, "GET", "/dev/v1/me").send().await;
        assert_eq!(me.data(200)["role"], "MANAGER", "the next call knows");
        let removed = world.team(&session, "DELETE", &json!({"email": NEW})).await;
        assert_eq!(removed.status, 204);
        let gone = world.as_member(&theirs, "GET", "/dev/v1/me").send().await;
        gone.refused(403, "FORBIDDEN");
        let log = "SELECT string_agg(action, ' ' ORDER BY seq) FROM audit_log
                   WHERE action LIKE 'member.%'";
        assert_eq!(world.scalar(log), "member.add member.update member.remove");
    });
}

#[test]
fn last_owner_stays_and_nothing_wrong_changes_the_team() {
    with_world(async |world| {
        world.member(OWNER, Role::Owner).await;
        world.member("viewer@merchant.example", Role::Viewer).await;
        let session = world.session(OWNER).await;
        let before = world.roles();
        for (method, body, status, code) in [
            ("DELETE", json!({"email": OWNER}), 409, "INVALID_STATE"),
            (
                "PATCH",
                json!({"email": OWNER, "role": "VIEWER"}),
                409,
                "INVALID_STATE",
            ),
            (
                "PATCH",
                json!({"email": NEW, "role": "VIEWER"}),
                404,
                "NOT_FOUND",
            ),
            ("DELETE", json!({"email": NEW}), 404, "NOT_FOUND"),
            (
                "POST",
                json!({"email": NEW, "role": "KING"}),
                422,
                "VALIDATION_ERROR",
            ),
            (
                "POST",
                json!({"email": "new", "role": "VIEWER"}),
                422,
                "VALIDATION_ERROR",
            ),
            ("PATCH", json!({"email": NEW}), 422, "VALIDATION_ERROR"),
        ] {
            let refused = world.team(&session, method, &body).await;
            refused.refused(status, code);
            assert_eq!(world.roles(), before);
        }
        let key = world.call("GET", MEMBERS).key(&world.merchant_key());
        key.send().await.refused(403, "FORBIDDEN");
        let second = json!({"email": "viewer@merchant.example", "role": "OWNER"});
        world.team(&session, "PATCH", &second).await.data(200);
        let leaves = world
            .team(&session, "DELETE", &json!({"email": OWNER}))
            .await;
        assert_eq!(leaves.status, 204, "there is another owner");
    });
}

#[test]
fn merchant_is_made_at_the_console_and_its_owner_begins_with_the_link() {
    with_world(async |world| {
        let root_key = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let root_key = root_key.join(format!("root-{}.key", std::process::id()));
        std::fs::write(&root_key, "07".repeat(32)).unwrap();
        let consign = async |arguments: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_consign"));
            command
                .args(["merchant", "create"])
                .args(arguments)
                .env_clear();
            command.env("DATABASE_URL", world.database_url());
            command.env("CONSIGN_VAULT__ROOT_KEY_FILE", &root_key);
            command.env("CONSIGN_HTTP__ORIGIN", ORIGIN);
            command.output().await.unwrap()
        };
        let made = consign(&["--name", "Second", "--currency", "EUR", "--owner", NEW]).await;
        let said = String::from_utf8(made.stdout).unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        world.first_password(&said).await;
        let session = world.session(NEW).await;
        let me = world
            .as_member(&session, "GET", "/dev/v1/me")
            .send()
            .await
            .data(200);
        assert_eq!(
            (&me["role"], &me["shop"]["name"]),
            (&json!("OWNER"), &json!("Second"))
        );
        assert!(
            said.starts_with(me["shop"]["id"].as_str().unwrap()),
            "{said}"
        );
        assert_eq!(me["shop"]["currency"], "EUR");
        let call = world.as_member(&session, "PATCH", "/dev/v1/reseller-program");
        let opened = call
            .json(&json!({"is_enabled": true}))
            .send()
            .await
            .data(200);
        assert_eq!(opened["currency"], "EUR");
        let product = json!({"title": "Orbit", "type": "SERIALS", "base_price": "1.00"});
        let call = world
            .as_member(&session, "POST", "/dev/v1/products")
            .json(&product);
        call.send().await.data(201);

        let merchants = "SELECT COUNT(*) FROM merchants";
        let before = world.scalar(merchants);
        for wrong in [
            ["--name", " ", "--currency", "EUR", "--owner", NEW],
            ["--name", "Third", "--currency", "euro", "--owner", NEW],
            ["--name", "Third", "--currency", "EUR", "--owner", "nobody"],
        ] {
            assert!(!consign(&wrong).await.status.success(), "{wrong:?}");
        }
        assert_eq!(world.scalar(merchants), before);
        std::fs::remove_file(&root_key).unwrap();
    });
}
