//! People who sign in, as a browser does.

use api::notifications::mail_due;
use argon2::{Argon2, PasswordHasher as _, password_hash::phc::PasswordHash};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use engine::{
    clock::{Clock as _, SystemClock, Timestamp},
    fulfillments::Email,
    ids::{PersonId, SessionId},
    persons::Role,
    random::Random as _,
};
use persistence::{
    mail::{self, Letter},
    persons::{self, NewPerson},
    sessions::{self, NewSession},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Call, Reply, World};

/// The password of everybody.
pub(crate) const PASSWORD: &str = "lantern-orbit-7-quilt";
/// What mails about what was told are called in the outbox.
const NEWS: &str = "news";
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

    /// Somebody who acts for the merchant of the cast.
    pub(crate) async fn member(&self, email: &str, role: Role) -> PersonId {
        let id = self.person(email).await;
        let (db, now) = (&self.server.app().database, SystemClock.now());
        persons::insert_member(db, self.cast.merchant, id, role, now)
            .await
            .unwrap();
        id
    }

    /// A call of our own pages, with this session.
    pub(crate) fn as_member(&self, session: &str, method: &'static str, path: &str) -> Call {
        let call = self.call(method, path).header("origin", ORIGIN);
        call.header("cookie", session)
    }

    /// The cookie of one more session of somebody, opened without a sign-in.
    pub(crate) async fn open_session(&self, person: PersonId) -> String {
        let now = SystemClock.now();
        let mut value = [0; 32];
        self.random.fill(&mut value);
        let text = BASE64_URL_SAFE_NO_PAD.encode(value);
        let session = NewSession {
            id: SessionId::generate(now, &self.random),
            digest: Sha256::digest(&text).into(),
            address: "127.0.0.1".to_owned(),
            agent: String::new(),
        };
        let db = &self.server.app().database;
        let stored = persons::find(db, person).await.unwrap().unwrap();
        let opened = sessions::open(db, person, &stored.password_hash, session, now).await;
        assert!(opened.unwrap());
        format!("__Host-consign={text}")
    }

    /// The cookie of a session whose password was just repeated.
    pub(crate) async fn stepped_up(&self, email: &str) -> String {
        let session = self.session(email).await;
        let call = self.page("POST", "/step-up").header("cookie", &session);
        let reply = call.json(&json!({"password": PASSWORD})).send().await;
        reply.data(200);
        reply.cookie()
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

    /// What is in the outbox now, but for what is mailed some time after it happened; it stays there.
    pub(crate) async fn letters(&self) -> Vec<Letter> {
        let due = self.queued(SystemClock.now()).await.into_iter();
        let due = due.filter(|due| due.kind != NEWS);
        due.filter_map(|due| due.letter).collect()
    }

    /// What is mailed by this time of what was told, and was not read here before.
    pub(crate) async fn news(&self, now: Timestamp) -> Vec<Letter> {
        mail_due(self.server.app(), now).await.unwrap();
        let db = &self.server.app().database;
        let mut letters = Vec::new();
        for due in self.queued(now).await {
            if due.kind == NEWS {
                mail::sent(db, due.id, now).await.unwrap();
                letters.extend(due.letter);
            }
        }
        letters
    }

    async fn queued(&self, now: Timestamp) -> Vec<mail::Due> {
        let db = &self.server.app().database;
        mail::claim(db, &self.vault, 100, now).await.unwrap()
    }
}

impl Reply {
    /// The cookie that the answer sets, as a browser sends it back.
    pub(crate) fn cookie(&self) -> String {
        let set = self.header("set-cookie").unwrap();
        set.split(';').next().unwrap().to_owned()
    }
}
