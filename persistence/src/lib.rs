//! Postgres and next to nothing else: migrations, the commit statements, sources, lists; and the one file
//! that remembers what Postgres must not forget.
//!
//! Keeps: hot tables are written by a lane's [`journal`] session only; every public function runs its
//! work in a task of its own, so a caller that hangs up leaves nothing half done; no value of a row
//! is in an error.

pub mod analytics;
pub mod api_keys;
pub mod audit;
pub mod balances;
pub mod campaigns;
pub mod catalog;
pub mod checkout;
pub mod connections;
pub mod database;
pub mod demo;
pub mod embedded;
pub mod erasure;
pub mod error;
pub mod events;
pub mod fulfillments;
pub mod idempotency;
pub mod installation;
pub mod inventory;
pub mod invitations;
pub mod journal;
pub mod links;
pub mod listings;
pub mod mail;
pub mod members;
pub mod merchants;
mod notices;
pub mod notifications;
pub mod overview;
pub mod page;
pub mod payments;
pub mod payouts;
pub mod persons;
pub mod programs;
pub mod reconciliation;
pub mod refunds;
pub mod relationships;
pub mod replacements;
#[cfg(feature = "sabotage")]
mod sabotage;
pub mod sales;
pub mod sessions;
pub mod settings;
pub mod stock_requests;
pub mod top_ups;
pub mod tripwire;
pub mod verifier;
pub mod webhooks;

pub use database::{Database, MIGRATOR, Sizes, owned};
pub use error::Error;
