//! What the machine remembers of the lanes, beside the database: it outlives every process, and does not
//! go back in time with the database.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::{
    journal::{Mark, Tripwire, TripwireFailure},
    testing::Tables,
};
use futures_util::future::BoxFuture;

use crate::{
    power::{Dead, Power},
    tally::Call,
};

/// One per machine; here there is one machine.
#[derive(Default)]
pub(crate) struct Notebook(Mutex<Vec<Mark>>);

impl Notebook {
    fn marks(&self) -> MutexGuard<'_, Vec<Mark>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether these tables lack what is remembered.
    pub(crate) fn is_ahead_of(&self, tables: &Tables) -> bool {
        let seq = |lane| tables.lanes.get(&lane).map_or(0, |row| row.seq);
        self.marks().iter().any(|mark| mark.seq > seq(mark.lane))
    }
}

/// The notebook in the hands of one process.
pub(crate) struct Page {
    pub(crate) notebook: Arc<Notebook>,
    pub(crate) power: Arc<Power>,
}

impl Page {
    async fn gate(&self) -> Result<(), TripwireFailure> {
        let gate = self.power.gate(Call::Remember).await;
        gate.map_err(|_: Dead| TripwireFailure("the process is dead".to_owned()))
    }
}

impl Tripwire for Page {
    fn remembered(&self) -> BoxFuture<'_, Result<Vec<Mark>, TripwireFailure>> {
        Box::pin(async move {
            self.gate().await?;
            Ok(self.notebook.marks().clone())
        })
    }

    fn remember<'a>(&'a self, marks: &'a [Mark]) -> BoxFuture<'a, Result<(), TripwireFailure>> {
        Box::pin(async move {
            self.gate().await?;
            marks.clone_into(&mut self.notebook.marks());
            self.gate().await
        })
    }
}
