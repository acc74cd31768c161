//! Reports over a whole merchant.

pub(crate) mod reconciliation;
