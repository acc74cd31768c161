//! Which mails a reseller and a merchant get besides those that they must get, and who gets a copy.
//!
//! Keeps: what protects somebody is always mailed: that a reseller may not sell any more, keys, payouts.

mod causes;
mod group;
mod settings;

use chrono::TimeDelta;

pub use causes::causes;
pub use group::Group;
pub use settings::{RECIPIENTS_MAX, Refusal, Settings};

/// Between two mails to one side about one thing; what comes meanwhile is told together.
pub const GATHER: TimeDelta = TimeDelta::minutes(10);
/// So many things one mail names; the others are counted.
pub const NAMED_MAX: u32 = 20;

/// Which side is mailed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    /// Its owners.
    Merchant,
    Reseller,
}
