//! What actors and snapshots are hydrated from.

mod balances;
mod inventory;
mod purchases;
mod reservations;
mod snapshots;
mod verifier;
