//! What latch, permits and registry synchronise with, named in one place.
//!
//! Keeps: they use nothing else. `engine/schedules` puts others in this place, whose every step a
//! scheduler decides, and runs the very same files.

pub(super) use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

pub(super) use dashmap::{DashMap, mapref::entry::Entry as MapEntry};
pub(super) use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore, watch},
    time::timeout,
};
pub(super) use tokio_util::task::TaskTracker;
