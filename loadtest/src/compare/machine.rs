//! The machine and the commit a figure belongs to.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

/// The commit of the working tree, marked if it has changes.
pub(crate) fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        (output.status.success()).then(|| text.trim().to_owned())
    };
    let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]).filter(|text| !text.is_empty())
    else {
        return "unknown".to_owned();
    };
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]);
    if changed.is_some_and(|text| !text.is_empty()) {
        commit + "+changes"
    } else {
        commit
    }
}

/// Says so if others were working when the comparison began.
pub(crate) fn busy() -> Option<String> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    let load: f64 = text.split_whitespace().next()?.parse().ok()?;
    (load > 1.0).then(|| {
        format!(
            "The machine was busy when it began (load average {load}): rates and latencies are \
             worse than on a quiet one, and not equally for all sides."
        )
    })
}

pub(crate) fn describe(directory: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = memory.lines().find_map(|line| {
        line.strip_prefix("MemTotal:")?
            .split_whitespace()
            .next()?
            .parse::<u64>()
            .ok()
    });
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let facts = [
        (
            "processor",
            model.map_or("unknown", |(_, name)| name).to_owned(),
        ),
        ("cores", cores.to_string()),
        ("memory", format!("{} MiB", kib.unwrap_or(0) / 1024)),
        ("kernel", kernel.trim().to_owned()),
        ("load average at the start", load.trim().to_owned()),
        (
            "flush of one page",
            format!("{} µs", flush(directory)?.as_micros()),
        ),
    ];
    Ok(facts.map(|(name, value)| (name.to_owned(), value)).into())
}

/// The median time to write one page and flush it, as the write-ahead log does.
fn flush(directory: &Path) -> anyhow::Result<Duration> {
    let path = directory.join("flush");
    let mut file = fs::File::create(&path)?;
    file.write_all(&vec![0; 8192 * 200])?;
    file.sync_all()?;
    let mut file = fs::File::options().write(true).open(&path)?;
    let mut times = Vec::with_capacity(200);
    for page in 0..200_u8 {
        let started = Instant::now();
        file.write_all(&[page; 8192])?;
        file.sync_data()?;
        times.push(started.elapsed());
    }
    fs::remove_file(path)?;
    times.sort_unstable();
    Ok(times[times.len() / 2])
}
