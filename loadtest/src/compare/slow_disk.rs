//! A disk whose every flush takes longer, for both sides alike.
//!
//! Keeps: nothing outside the cluster of the comparison changes. A small preloaded library delays
//! `fsync` and `fdatasync` inside Postgres; wrapper scripts around its programs preload it, and the
//! engine is pointed at their directory.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, ensure};

/// Makes a directory of wrapped Postgres programs.
pub(crate) fn prepare(directory: &Path, milliseconds: u64) -> anyhow::Result<PathBuf> {
    let place = directory.join(format!("slow-{milliseconds}"));
    let bin = place.join("bin");
    fs::create_dir_all(&bin)?;
    let (source, library) = (place.join("slow_disk.c"), place.join("slow_disk.so"));
    fs::write(&source, include_str!("../slow_disk/slow_disk.c"))?;
    let status = Command::new("cc")
        .args(["-O2", "-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .arg("-ldl")
        .status()
        .context("the delayed flush needs a C compiler")?;
    ensure!(
        status.success(),
        "the C compiler refused {}",
        source.display()
    );
    for program in fs::read_dir(installed()?)? {
        let program = program?.path();
        let Some(name) = program.file_name() else {
            continue;
        };
        let wrapper = bin.join(name);
        fs::write(
            &wrapper,
            format!(
                "#!/bin/sh\nLD_PRELOAD={} SLOW_DISK_MS={milliseconds} exec {} \"$@\"\n",
                library.display(),
                program.display()
            ),
        )?;
        fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755))?;
    }
    for open in [directory, &place, &bin] {
        // The account that runs Postgres must reach them.
        fs::set_permissions(open, fs::Permissions::from_mode(0o755))?;
    }
    Ok(bin)
}

/// Where the real programs are: the directory the engine was told, else the newest installed.
fn installed() -> anyhow::Result<PathBuf> {
    if let Some(named) = std::env::var_os("CONSIGN_POSTGRES_BIN") {
        return Ok(named.into());
    }
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .context("Postgres is not in /usr/lib/postgresql; name it with CONSIGN_POSTGRES_BIN")?
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
        .collect();
    versions.sort_unstable();
    let (_, newest) = versions
        .pop()
        .context("no version of Postgres is installed")?;
    Ok(newest.join("bin"))
}
