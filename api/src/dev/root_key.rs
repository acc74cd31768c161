//! The root key of a development installation: made once, kept in a file beside the cluster.
//!
//! Keeps: whoever has the database alone has no serial; a key that was made is never made again,
//! because everything sealed under the first one would be lost.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::{Mutex, PoisonError},
};

use anyhow::{Context as _, bail};
use engine::{random::Random, vault::RootKey};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

const FILE: &str = "root.key";
const KEY_LEN: usize = 32;

/// The root key, and the bytes that are derived from it for the demo cast.
pub(super) struct Secret([u8; KEY_LEN]);

impl Secret {
    /// Reads the key of a state directory, or makes it at the first start.
    pub(super) fn open(state_dir: &Path, random: &dyn Random) -> anyhow::Result<Self> {
        let path = state_dir.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => Self::parse(text.trim())
                .with_context(|| format!("`{}` is not 64 hexadecimal digits", path.display())),
            Err(error) if error.kind() == ErrorKind::NotFound => Self::make(&path, random),
            Err(error) => {
                Err(error).with_context(|| format!("reading the root key `{}`", path.display()))
            }
        }
    }

    pub(super) fn root_key(&self) -> RootKey {
        RootKey::new(self.0)
    }

    /// Bytes that nobody without the root key can guess, and that are the same at every start.
    pub(super) fn derived(&self, label: &str) -> DerivedRandom {
        let mut keyed = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes any key");
        keyed.update(b"consign dev v1 ");
        keyed.update(label.as_bytes());
        DerivedRandom {
            keyed,
            stream: Mutex::default(),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; KEY_LEN];
        if text.len() != 2 * KEY_LEN || !text.is_ascii() {
            return None;
        }
        for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
        }
        Some(Self(bytes))
    }

    fn make(path: &Path, random: &dyn Random) -> anyhow::Result<Self> {
        let mut bytes = [0; KEY_LEN];
        random.fill(&mut bytes);
        let text = bytes
            .iter()
            .fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        let making = || format!("making the root key `{}`", path.display());
        let draft = path.with_extension("draft");
        // Left by a start that was killed; nothing was sealed under it.
        let _ = fs::remove_file(&draft);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o400)
            .open(&draft)
            .with_context(making)?;
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .with_context(making)?;
        // A link, not a rename: if another start was faster, its key stays.
        let linked = fs::hard_link(&draft, path);
        let _ = fs::remove_file(&draft);
        match linked {
            Ok(()) => Ok(Self(bytes)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                bail!(
                    "another start made `{}` at this moment: start again",
                    path.display()
                )
            }
            Err(error) => Err(error).with_context(making),
        }
    }
}

/// A stream of bytes by HMAC-SHA256 over a counter.
pub(super) struct DerivedRandom {
    keyed: Hmac<Sha256>,
    stream: Mutex<Stream>,
}

#[derive(Default)]
struct Stream {
    blocks: u64,
    /// What is left of the last block.
    rest: Vec<u8>,
}

impl Random for DerivedRandom {
    fn fill(&self, bytes: &mut [u8]) {
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        for byte in bytes {
            if stream.rest.is_empty() {
                let mut mac = self.keyed.clone();
                mac.update(&stream.blocks.to_be_bytes());
                stream.blocks += 1;
                stream.rest = mac.finalize().into_bytes().to_vec();
            }
            *byte = stream.rest.pop().expect("a block was just made");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use engine::random::SeededRandom;

    use super::*;

    #[test]
    fn key_is_made_once_and_only_its_owner_reads_it() {
        let directory =
            std::env::temp_dir().join(format!("consign-root-key-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let made = Secret::open(&directory, &SeededRandom::new(1)).unwrap();
        let read = Secret::open(&directory, &SeededRandom::new(2)).unwrap();
        let mode = fs::metadata(directory.join(FILE))
            .unwrap()
            .permissions()
            .mode();
        fs::remove_dir_all(&directory).unwrap();
        assert_eq!(made.0, read.0);
        assert_eq!(mode & 0o777, 0o400);
        let derived = |secret: &Secret, label| {
            let (random, mut bytes) = (secret.derived(label), [0; 80]);
            bytes.chunks_mut(7).for_each(|part| random.fill(part));
            bytes
        };
        assert_eq!(derived(&made, "cast"), derived(&read, "cast"));
        assert_ne!(derived(&made, "cast"), derived(&made, "other"));
        assert_ne!(derived(&made, "cast")[..40], derived(&made, "cast")[40..]);
    }

    #[test]
    fn damaged_key_is_refused() {
        for text in ["", "00", &"g".repeat(64), &"é".repeat(32)] {
            assert!(Secret::parse(text).is_none(), "{text}");
        }
    }
}
