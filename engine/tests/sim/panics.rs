//! Panics of the engine's tasks: told to nobody, counted, and looked at when the run ends.

use std::{cell::RefCell, panic};

use crate::cast::BRITTLE;

/// What an actor says when it is ended on purpose.
const POISON: &str = "storage contradicts memory";

thread_local! {
    static TOLD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static SEED: RefCell<Option<u64>> = const { RefCell::new(None) };
}

/// From now on panics of this process's threads are noted and not printed; but those of a lane end the
/// process, so they say which seed it was.
pub(crate) fn note() {
    panic::set_hook(Box::new(|panicked| {
        let text = panicked.to_string();
        if text.contains("src/journal/") {
            let seed = SEED.with_borrow(|seed| seed.unwrap_or_default());
            crate::report::complain(&format!("{text}\nmake sim SEED={seed}"));
        }
        TOLD.with_borrow_mut(|told| told.push(text));
    }));
}

/// The seed that this thread runs.
pub(crate) fn seed(seed: u64) {
    SEED.set(Some(seed));
}

pub(crate) fn forget() {
    TOLD.take();
}

pub(crate) fn told() -> Vec<String> {
    TOLD.with_borrow(Clone::clone)
}

pub(crate) fn count() -> usize {
    TOLD.with_borrow(Vec::len)
}

/// A panic that the run did not cause on purpose is a broken promise.
pub(crate) fn unexpected() -> Result<(), String> {
    let caused = |text: &String| text.contains(POISON) || text.contains(BRITTLE);
    let unexpected = told().into_iter().find(|text| !caused(text));
    unexpected.map_or(Ok(()), |text| Err(format!("C19: a panic: {text}")))
}
