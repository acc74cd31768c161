//! Rules that can be broken on purpose, so that it shows whether the tests would notice.
//!
//! Keeps: without the feature `sabotage` no rule is ever broken, and no build without debug assertions
//! has the feature. With it one program may break one rule, chosen once when it starts.

#[cfg(feature = "sabotage")]
static CHOSEN: std::sync::OnceLock<String> = std::sync::OnceLock::new();

/// From now on this process breaks the rule of this name.
///
/// # Panics
/// If it breaks one already.
#[cfg(feature = "sabotage")]
pub fn choose(rule: &str) {
    let chosen = CHOSEN.set(rule.to_owned());
    chosen.expect("one rule is broken at a time");
}

#[cfg(feature = "sabotage")]
static STANDBY: std::sync::OnceLock<String> = std::sync::OnceLock::new();

/// Where a standby may be asked, by rules that are broken by asking it.
///
/// # Panics
/// If one was named before.
#[cfg(feature = "sabotage")]
pub fn name_standby(socket: &str) {
    let named = STANDBY.set(socket.to_owned());
    named.expect("one standby is named");
}

/// The standby that was named.
#[cfg(feature = "sabotage")]
pub fn standby() -> Option<&'static str> {
    STANDBY.get().map(String::as_str)
}

/// The standby that was named.
#[cfg(not(feature = "sabotage"))]
pub const fn standby() -> Option<&'static str> {
    None
}

/// Whether the rule of this name is broken.
#[cfg(feature = "sabotage")]
pub fn breaks(rule: &str) -> bool {
    CHOSEN.get().is_some_and(|chosen| chosen == rule)
}

/// Whether the rule of this name is broken.
#[cfg(not(feature = "sabotage"))]
pub const fn breaks(_: &str) -> bool {
    false
}
