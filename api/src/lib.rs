//! The edge of Consign: HTTP, configuration, command line.
//!
//! Keeps: an answer is given only after what it says is durable; a handler translates and decides
//! nothing; no key, serial, address or query reaches a log or a metric.

pub(crate) mod auth;
pub mod cli;
pub(crate) mod error;
pub(crate) mod extract;
pub mod layers;
pub mod metrics;
pub mod routes;
pub mod state;
pub(crate) mod wire;
