//! Rules that can be broken on purpose, so that it shows whether the tests would notice.
//!
//! Keeps: without the feature `sabotage` no rule is ever broken, and no build without debug assertions
//! has the feature. With it a process breaks the one rule that its environment names when it starts.

#[cfg(feature = "sabotage")]
use std::sync::LazyLock;

#[cfg(feature = "sabotage")]
static CHOSEN: LazyLock<Option<String>> = LazyLock::new(|| named("CONSIGN_SABOTAGE"));

#[cfg(feature = "sabotage")]
static STANDBY: LazyLock<Option<String>> = LazyLock::new(|| named("CONSIGN_SABOTAGE_STANDBY"));

#[cfg(feature = "sabotage")]
#[expect(
    clippy::disallowed_methods,
    reason = "no setting of the product: only builds for tests read it"
)]
fn named(variable: &str) -> Option<String> {
    std::env::var(variable).ok()
}

/// The directory of a standby's socket, for a rule that is broken by asking it.
#[cfg(feature = "sabotage")]
pub fn standby() -> Option<&'static str> {
    STANDBY.as_deref()
}

/// The directory of a standby's socket, for a rule that is broken by asking it.
#[cfg(not(feature = "sabotage"))]
pub const fn standby() -> Option<&'static str> {
    None
}

/// The rule that is broken.
#[cfg(feature = "sabotage")]
pub fn broken() -> Option<&'static str> {
    CHOSEN.as_deref()
}

/// The rule that is broken.
#[cfg(not(feature = "sabotage"))]
pub const fn broken() -> Option<&'static str> {
    None
}

/// Whether the rule of this name is broken.
#[cfg(feature = "sabotage")]
pub fn breaks(rule: &str) -> bool {
    broken() == Some(rule)
}

/// Whether the rule of this name is broken.
#[cfg(not(feature = "sabotage"))]
pub const fn breaks(_: &str) -> bool {
    false
}
