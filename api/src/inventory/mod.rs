//! Serials on their way in.

pub(crate) mod import;
pub(crate) mod upload;
