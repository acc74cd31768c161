//! The whole server over HTTP, with a database of its own for each test.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as expected"
)]

mod accounts;
mod analytics;
mod api_keys;
mod automatic;
mod balances;
mod btcpay;
mod bulk;
mod campaign_sales;
mod campaigns;
mod catalog;
mod checkout;
mod checkout_paid;
mod checkout_refunds;
mod cli;
mod debts;
mod deeds;
mod deposits;
mod dev;
mod docs;
mod dynamic_url;
mod erasure;
mod events;
mod export;
mod expressions;
mod fulfillments;
mod history;
mod idempotency;
mod inventory;
mod invitations;
mod invoices;
mod joining;
mod keys;
mod links;
mod listing_sales;
mod listings;
mod lists;
mod members;
mod money;
mod news;
mod notifications;
mod ops;
mod orders;
mod overview;
mod own_products;
mod payouts;
mod portal_keys;
mod products;
mod programs;
mod reconciliation;
mod refunds;
mod refusals;
mod relationships;
mod replacements;
mod requests;
mod reveals;
mod sales;
mod secrets;
mod settings;
mod shelves;
mod stock_events;
mod stock_export;
mod stock_paid;
mod stock_replaced;
mod stock_requests;
mod stock_revoked;
mod support;
mod team;
mod test_mode;
mod top_ups;
mod walls;
mod webhooks;
