//! People who sign in, as a browser does.

use argon2::{Argon2, PasswordHasher as _, password_hash::phc::PasswordHash};
use engine::{
    clock::{Clock as _, SystemClock},
    fulfillments::Email,
    ids::PersonId,
};
use persistence::{
    mail::{self, Letter},
    persons::{self, NewPerson},
};
use serde_json::{Value, json};

use super::{Call, Reply, World};

/// The password of everybody.
pub(crate) const PASSWORD: &str = "lantern-orbit-7-quilt";
pub(crate) const ORIGIN: &str = "https://consign.example";

impl World {
    /// Somebody who can sign in.
    pub(crate) async fn person(&self, email: &str) -> PersonId {
        let now = SystemClock.now();
        let id = PersonId::generate(now, &self.random);
        let hash: PasswordHash = Argon2::default()
            .hash_password_with_salt(PASSWORD.as_bytes(), &[7; 16])
            .unwrap();
        let person = NewPerson {
            id,
            email: Email::parse(email).unwrap(),
            name: "Ann Smith".to_owned(),
            password_hash: hash.to_string(),
        };
        let db = &self.server.app().database;
        assert!(persons::insert(db, person, now).await.unwrap());
        id
    }

    /// A call of our own pages.
    pub(crate) fn page(&self, method: &'static str, path: &str) -> Call {
        self.call(method, &format!("/portal/v1{path}"))
            .header("origin", ORIGIN)
    }

    pub(crate) async fn sign_in(&self, body: &Value) -> Reply {
        self.page("POST", "/session").json(body).send().await
    }

    /// The cookie of a new session.
    pub(crate) async fn session(&self, email: &str) -> String {
        let reply = self
            .sign_in(&json!({"email": email, "password": PASSWORD}))
            .await;
        assert_eq!(reply.data(200)["status"], "SIGNED_IN");
        reply.cookie()
    }

    /// What is in the outbox now; it stays there.
    pub(crate) async fn letters(&self) -> Vec<Letter> {
        let (db, now) = (&self.server.app().database, SystemClock.now());
        let due = mail::claim(db, &self.vault, 100, now).await.unwrap();
        due.into_iter().filter_map(|due| due.letter).collect()
    }
}

impl Reply {
    /// The cookie that the answer sets, as a browser sends it back.
    pub(crate) fn cookie(&self) -> String {
        let set = self.header("set-cookie").unwrap();
        set.split(';').next().unwrap().to_owned()
    }
}
