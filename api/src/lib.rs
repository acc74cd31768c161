//! The edge of Consign: HTTP, configuration, command line.
//!
//! Keeps: an answer is given only after what it says is durable; a handler translates and decides
//! nothing; no key, serial, address or query reaches a log or a metric.

pub(crate) mod analytics;
pub(crate) mod api_keys;
pub(crate) mod audit;
pub(crate) mod auth;
pub(crate) mod balances;
pub(crate) mod campaigns;
pub(crate) mod catalog;
pub mod checkout;
pub mod cli;
pub mod config;
pub(crate) mod connections;
pub mod dev;
pub mod docs;
pub(crate) mod embeds;
pub mod erasure;
pub(crate) mod error;
pub(crate) mod events;
pub(crate) mod extract;
pub mod fulfillments;
pub(crate) mod inventory;
pub(crate) mod invitations;
pub(crate) mod invoices;
pub(crate) mod jobs;
pub mod layers;
pub(crate) mod links;
pub mod listings;
pub mod logging;
pub mod mail;
pub(crate) mod me;
pub(crate) mod members;
pub mod metrics;
pub mod notifications;
pub(crate) mod overview;
pub mod payments;
pub(crate) mod payouts;
pub(crate) mod persons;
pub(crate) mod programs;
pub(crate) mod relationships;
pub(crate) mod replacements;
pub(crate) mod reports;
pub mod routes;
pub mod sales;
pub mod serve;
pub(crate) mod sessions;
pub(crate) mod settings;
pub mod state;
pub mod stock_requests;
pub mod top_ups;
pub mod webhooks;
pub(crate) mod wire;
