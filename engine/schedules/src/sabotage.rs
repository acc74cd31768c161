//! Rules of the engine's files that a test breaks, to see that the schedules show it.

use std::cell::Cell;

thread_local! {
    static BROKEN: Cell<&'static str> = const { Cell::new("") };
}

pub(crate) fn breaks(rule: &str) -> bool {
    BROKEN.get() == rule
}

/// Runs something while a rule is broken.
pub(crate) fn broken<T>(rule: &'static str, run: impl FnOnce() -> T) -> T {
    BROKEN.set(rule);
    let ran = run();
    BROKEN.set("");
    ran
}
