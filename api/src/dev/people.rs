//! Who can sign in on a development server: the merchant's owner, and the resellers.
//!
//! Keeps: passwords are random per installation and the same at every start, because they derive from
//! the root key in the state directory; a person that is there already stays as it is.

use anyhow::Context as _;
use engine::{
    clock::{Clock as _, SystemClock},
    fulfillments::Email,
    ids::PersonId,
    persons::Role,
    random::{Random, SystemRandom},
    vault::Opened,
};
use persistence::{
    Database,
    demo::Cast,
    persons::{self, NewPerson},
};

use super::root_key::Secret;
use crate::auth::passwords::Passwords;

const OWNER: &str = "owner@merchant.example";
/// Characters of a password: 80 bits.
const PASSWORD_LEN: usize = 16;
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// What somebody signs in with.
pub(super) struct LogIn {
    pub(super) email: String,
    pub(super) password: Opened,
}

/// Everybody.
pub(super) struct People {
    pub(super) owner: LogIn,
    /// In the order of the cast.
    pub(super) resellers: Vec<LogIn>,
}

impl People {
    /// Stores everybody who is not there yet, and whom they act for.
    pub(super) async fn seed(
        database: &Database,
        cast: &Cast,
        secret: &Secret,
    ) -> anyhow::Result<Self> {
        let random = secret.derived("demo people");
        let passwords = Passwords::new();
        let owner = LogIn::new(OWNER.to_owned(), &random);
        let id = owner.seed(database, &passwords, "Demo owner").await?;
        let now = SystemClock.now();
        persons::insert_member(database, cast.merchant, id, Role::Owner, now).await?;
        let mut resellers = Vec::with_capacity(cast.resellers.len());
        for reseller in &cast.resellers {
            let log_in = LogIn::new(format!("{}@reseller.example", reseller.code), &random);
            let id = log_in.seed(database, &passwords, &reseller.code).await?;
            persons::bind(database, id, reseller.id).await?;
            resellers.push(log_in);
        }
        Ok(Self { owner, resellers })
    }
}

impl LogIn {
    fn new(email: String, random: &dyn Random) -> Self {
        let mut bytes = [0; PASSWORD_LEN];
        random.fill(&mut bytes);
        let text: String = bytes
            .iter()
            .map(|byte| char::from(ALPHABET[usize::from(byte & 31)]))
            .collect();
        Self {
            email,
            password: Opened::new(text),
        }
    }

    async fn seed(
        &self,
        database: &Database,
        passwords: &Passwords,
        name: &str,
    ) -> anyhow::Result<PersonId> {
        let email = Email::parse(&self.email).context("the cast has addresses")?;
        if let Some(known) = persons::credentials(database, &email).await? {
            return Ok(known.person.id);
        }
        let hashed = passwords.hash(self.password.clone(), &SystemRandom).await;
        let now = SystemClock.now();
        let person = NewPerson {
            id: PersonId::generate(now, &SystemRandom),
            email,
            name: name.to_owned(),
            password_hash: hashed.ok().context("hashing a password")?,
        };
        let id = person.id;
        anyhow::ensure!(
            persons::insert(database, person, now).await?,
            "another start stored the demo people at this moment: start again"
        );
        Ok(id)
    }
}
