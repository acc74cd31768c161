//! Passwords: argon2id on the blocking pool, a few at a time.
//!
//! Keeps: checking takes as long whether or not there is such a person; work that waits is bounded, so
//! sign-ins cannot starve everything else; no password outlives its check.

use std::{sync::Arc, thread::available_parallelism};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use engine::{random::Random, vault::Opened};
use tokio::{sync::Semaphore, task::spawn_blocking};

use crate::error::{ApiError, Code};

/// Memory in KiB, passes and lanes of a hash.
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);
const SALT_LEN: usize = 16;
/// Checks that run or wait; more are shed.
const ADMITTED_MAX: usize = 64;
/// Compared with when there is no such person; no password has this hash.
pub(crate) const NOBODYS_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$\
                          AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The bounds of password work.
pub(crate) struct Passwords {
    admitted: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

impl Passwords {
    pub(crate) fn new() -> Self {
        let cores = available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            admitted: Arc::new(Semaphore::new(ADMITTED_MAX)),
            running: Arc::new(Semaphore::new(cores)),
        }
    }

    /// Whether this is the password of the hash. Without a hash it is checked against a dummy.
    pub(crate) async fn verify(
        &self,
        password: Opened,
        hash: Option<&str>,
    ) -> Result<bool, ApiError> {
        let known = hash.is_some();
        let hash = hash.unwrap_or(NOBODYS_HASH).to_owned();
        let same = self.run(move || verify(&password, &hash)).await?;
        Ok(same && known)
    }

    /// The hash to be stored of a new password.
    pub(crate) async fn hash(
        &self,
        password: Opened,
        random: &dyn Random,
    ) -> Result<String, ApiError> {
        let salt = salt(random);
        let hashed = self.run(move || hash(&password, salt)).await?;
        hashed.ok_or_else(|| ApiError::new(Code::InternalError))
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let overloaded = || ApiError::new(Code::Overloaded);
        let admitted = Arc::clone(&self.admitted)
            .try_acquire_owned()
            .map_err(|_| overloaded())?;
        let running = Arc::clone(&self.running).acquire_owned().await;
        let running = running.map_err(|_| overloaded())?;
        let done = spawn_blocking(move || {
            let done = work();
            // Work that nobody waits for any more still counts.
            drop((running, admitted));
            done
        });
        done.await.map_err(|_| ApiError::new(Code::InternalError))
    }
}

fn salt(random: &dyn Random) -> [u8; SALT_LEN] {
    let mut salt = [0; SALT_LEN];
    random.fill(&mut salt);
    salt
}

fn argon2() -> Argon2<'static> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None).expect("the cost is within its bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(password: &Opened, salt: [u8; SALT_LEN]) -> Option<String> {
    let hashed = argon2().hash_password_with_salt(password.expose().as_bytes(), &salt);
    hashed.ok().map(|hash| hash.to_string())
}

fn verify(password: &Opened, hash: &str) -> bool {
    let parsed = PasswordHash::new(hash);
    parsed.is_ok_and(|parsed| {
        let checked = argon2().verify_password(password.expose().as_bytes(), &parsed);
        checked.is_ok()
    })
}

#[cfg(test)]
mod tests {
    use engine::random::SeededRandom;

    use super::*;

    #[tokio::test]
    async fn hash_knows_its_password_and_no_other() {
        let (passwords, random) = (Passwords::new(), SeededRandom::new(1));
        let password = || Opened::new("lantern-orbit-7-quilt");
        let first = passwords.hash(password(), &random).await.unwrap();
        let second = passwords.hash(password(), &random).await.unwrap();
        assert_ne!(first, second);
        assert!(
            first.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{first}"
        );
        assert!(passwords.verify(password(), Some(&first)).await.unwrap());
        let other = Opened::new("lantern-orbit-8-quilt");
        assert!(!passwords.verify(other, Some(&first)).await.unwrap());
    }

    #[tokio::test]
    async fn nobody_has_the_dummy() {
        let passwords = Passwords::new();
        assert!(PasswordHash::new(NOBODYS_HASH).is_ok());
        let checked = passwords.verify(Opened::new(""), None).await;
        assert!(!checked.unwrap());
    }

    #[tokio::test]
    async fn checks_beyond_the_bound_are_shed() {
        let passwords = Passwords::new();
        let _taken = passwords.admitted.acquire_many(64).await.unwrap();
        let shed = passwords.verify(Opened::new("any"), None).await;
        assert_eq!(shed.unwrap_err().code(), Code::Overloaded);
    }
}
