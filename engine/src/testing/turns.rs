//! Seeded turns around every question to an actor.
//!
//! They reorder actors against each other without touching their code: before a question is sent and
//! after its answer came, the asker lets others run, none to three times. Threads without a seed do not.

use std::cell::Cell;

use tokio::task::yield_now;

use crate::random::mixed;

thread_local! {
    static STATE: Cell<Option<u64>> = const { Cell::new(None) };
}

/// From now on this thread's turns follow from the seed; none ends them.
pub fn seed(seed: Option<u64>) {
    STATE.set(seed);
}

/// Lets others run, as often as the seed says.
pub(crate) async fn pass() {
    let Some(state) = STATE.get() else {
        return;
    };
    let (state, number) = mixed(state);
    STATE.set(Some(state));
    for _ in 0..number % 4 {
        yield_now().await;
    }
}
