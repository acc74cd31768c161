//! CPU, memory and log counters around a measured window.
//!
//! Keeps: CPU of the cluster counts all of it - the postmaster, every child alive and every child
//! that has ended since - so a peer pays for its many backends and Consign for its checkpointer.

use std::{fs, time::Duration};

/// The kernel's unit in `/proc`, the same on every Linux we run on.
const TICKS_PER_SECOND: u64 = 100;

/// User and system time of one process, and of its children it has waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Ticks {
    parent: u32,
    own: u64,
    ended_children: u64,
}

fn ticks(stat: &str) -> Option<Ticks> {
    // The name in parentheses may hold anything, so fields are counted behind its end.
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split_whitespace().collect();
    let field = |number: usize| fields.get(number)?.parse::<u64>().ok();
    Some(Ticks {
        parent: fields.get(1)?.parse().ok()?,
        own: field(11)? + field(12)?,
        ended_children: field(13)? + field(14)?,
    })
}

fn read(pid: u32) -> Option<Ticks> {
    ticks(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn duration(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
}

/// CPU of one process, all its threads; nothing of a process that is gone.
pub(crate) fn process_cpu(pid: u32) -> Duration {
    duration(read(pid).unwrap_or_default().own)
}

/// CPU of a postmaster and all it ever started.
pub(crate) fn cluster_cpu(postmaster: u32) -> Duration {
    let own = read(postmaster).unwrap_or_default();
    let children: u64 = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter_map(read)
        .filter(|child| child.parent == postmaster)
        .map(|child| child.own)
        .sum();
    duration(own.own + own.ended_children + children)
}

/// Resident memory in bytes.
pub(crate) fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn process_state_is_read_behind_its_name() {
        let stat = "42 (post) gres: x) S 7 42 42 0 -1 4194560 1 2 3 4 50 6 700 8 20 0 1 0";
        let expected = Ticks {
            parent: 7,
            own: 56,
            ended_children: 708,
        };
        assert_eq!(ticks(stat), Some(expected));
    }

    #[test]
    fn unreadable_state_is_none() {
        assert_eq!(ticks("42 (x) S"), None);
    }

    #[test]
    fn this_process_has_memory() {
        assert!(resident(std::process::id()) > 0);
    }
}
