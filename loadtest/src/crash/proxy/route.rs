//! Where connections go, and which ones.
//!
//! Keeps: where connections lead is decided when they are opened, and those that are open stay. A process
//! that is cut off hears nothing more on any of its connections, old or new, until it is let go.

use std::{
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::watch;

pub(super) struct Route {
    server: Mutex<PathBuf>,
    journal_only: AtomicBool,
    cut_off: watch::Sender<Option<u32>>,
}

impl Route {
    pub(super) fn to(server: PathBuf) -> Self {
        Self {
            server: Mutex::new(server),
            journal_only: AtomicBool::new(false),
            cut_off: watch::Sender::new(None),
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

    /// The process that is cut off; none to let it go.
    pub(super) fn cut_off(&self, process: Option<u32>) {
        self.cut_off.send_replace(process);
    }

    /// Waits until a process is let go; whether it had been cut off.
    pub(super) async fn is_cut_off(&self, process: Option<u32>) -> bool {
        if process.is_none() || *self.cut_off.borrow() != process {
            return false;
        }
        let mut cut_off = self.cut_off.subscribe();
        // The sender lives as long as `self`.
        drop(cut_off.wait_for(|now| *now != process).await);
        true
    }
}
