//! Threads for actors.
//!
//! They borrow the process's one runtime, so all sockets share one driver and a task that an actor
//! starts runs where the others run.

use std::{
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash},
    io,
    sync::{Arc, mpsc},
    thread::Builder,
};

use actix_rt::{Arbiter, ArbiterHandle, System};
use tokio::runtime::Runtime;

/// Where actors run.
pub struct Arbiters {
    handles: Vec<ArbiterHandle>,
    /// The system whose threads these are; none if they are the caller's.
    system: Option<System>,
}

impl Arbiters {
    /// Starts `count` actor threads on the runtime.
    pub fn start(runtime: &Arc<Runtime>, count: usize) -> io::Result<Self> {
        let (runtime, (ready, started)) = (Arc::clone(runtime), mpsc::channel());
        Builder::new().name("actors".to_owned()).spawn(move || {
            let runner = System::with_tokio_rt(|| Arc::clone(&runtime));
            let arbiter = |_| {
                let runtime = Arc::clone(&runtime);
                Arbiter::with_tokio_rt(move || runtime)
            };
            let pool: Vec<_> = (0..count).map(arbiter).collect();
            ready
                .send((System::current(), pool))
                .map_err(io::Error::other)?;
            runner.run()
        })?;
        let (system, pool) = started.recv().map_err(io::Error::other)?;
        let handles = pool.iter().map(Arbiter::handle).collect();
        Ok(Self {
            handles,
            system: Some(system),
        })
    }

    /// The current thread, which must run an actix `System`: one thread for everything, as the
    /// simulation wants it.
    pub fn current() -> Self {
        Self {
            handles: vec![Arbiter::current()],
            system: None,
        }
    }

    /// The thread that a key's actor runs on.
    pub(crate) fn of(&self, key: impl Hash) -> &ArbiterHandle {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(key);
        #[expect(clippy::cast_possible_truncation, reason = "any part of a hash is one")]
        let number = hash as usize % self.handles.len();
        &self.handles[number]
    }

    /// Ends the threads; after the engine has drained.
    pub(crate) fn stop(&self) {
        if let Some(system) = &self.system {
            for arbiter in &self.handles {
                arbiter.stop();
            }
            system.stop();
        }
    }
}
