//! Serials on their way in.

pub(crate) mod import;
mod upload;
