//! The domain of Consign: every decision, and the hot path. No SQL, no HTTP.
//!
//! What the engine guarantees, whatever crashes: a serial is claimed at most once, a balance is never
//! below zero, an external order id is fulfilled at most once, and nothing is told before it is durable.

#[cfg(all(not(debug_assertions), feature = "sabotage"))]
compile_error!("a sabotaged engine is for `make sabotage` only");

pub mod actors;
pub mod analytics;
pub mod api_keys;
pub mod audit;
pub mod balances;
pub mod campaigns;
pub mod catalog;
pub mod chains;
pub mod checkout;
pub mod clock;
pub mod config;
pub mod connections;
pub mod embeds;
pub mod engine;
pub mod events;
pub mod fault;
pub mod fulfillments;
pub mod ids;
pub mod inventory;
pub mod invitations;
pub mod journal;
pub mod links;
pub mod listings;
pub mod merchants;
pub mod metrics;
pub mod money;
pub mod notifications;
pub mod payments;
pub mod payouts;
pub mod persons;
pub mod programs;
pub mod random;
pub mod reconciliation;
pub mod refunds;
pub mod relationships;
pub mod replacements;
pub mod sabotage;
pub mod sales;
mod snapshots;
pub mod stock_requests;
pub mod supervise;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod top_ups;
pub mod vault;
pub mod verifier;
pub mod webhooks;
