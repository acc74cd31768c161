//! Where connections go, and which ones.
//!
//! Keeps: what is decided here is true of connections that are opened later; those that are open stay.

use std::{
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

pub(super) struct Route {
    server: Mutex<PathBuf>,
    journal_only: AtomicBool,
}

impl Route {
    pub(super) fn to(server: PathBuf) -> Self {
        Self {
            server: Mutex::new(server),
            journal_only: AtomicBool::new(false),
        }
    }

    pub(super) fn lead_to(&self, server: PathBuf) {
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = server;
    }

    pub(super) fn server(&self) -> PathBuf {
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        server.clone()
    }

    pub(super) fn journal_only(&self, only: bool) {
        self.journal_only.store(only, Ordering::SeqCst);
    }

    pub(super) fn is_journal_only(&self) -> bool {
        self.journal_only.load(Ordering::SeqCst)
    }
}
