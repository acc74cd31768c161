//! Storage against a real Postgres: a fresh database for each test.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as expected"
)]

mod api_keys;
mod audit;
mod balances;
mod catalog;
mod contract;
mod database;
mod demo;
mod events;
mod fulfillments;
mod ground;
mod idempotency;
mod import;
mod installation;
mod invitations;
mod journal;
mod levels;
mod list_plans;
mod mail;
mod persons;
mod plans;
mod programs;
mod reconciliation;
mod refunds;
mod relationships;
mod settings;
mod sources;
mod stage;
mod tails;
mod tenancy;
mod webhooks;
