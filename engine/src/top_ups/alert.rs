//! When a reseller is told that a balance is low: once per crossing.

use crate::money::Money;

/// What a reseller set; none of a bound is no alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Alert {
    /// Low is below this.
    pub threshold: Option<Money>,
    /// Low is if it lasts for fewer hours than these.
    pub hours: Option<u16>,
}

impl Alert {
    /// Whether what is left is low. It lasts for so many hours; none is for ever.
    pub fn is_low(&self, left: Money, hours_left: Option<i64>) -> bool {
        let below = self.threshold.is_some_and(|threshold| left < threshold);
        let short = self.hours.zip(hours_left);
        below || short.is_some_and(|(hours, left)| left < i64::from(hours))
    }
}
