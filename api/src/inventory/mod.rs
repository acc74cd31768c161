//! Serials on their way in, on the shelf, and off it.

pub(crate) mod batches;
pub(crate) mod import;
pub(crate) mod list;
pub(crate) mod movements;
pub(crate) mod pull;
pub(crate) mod remove;
pub(crate) mod serial;
pub(crate) mod trace;
pub(crate) mod upload;
pub(crate) mod watch;
