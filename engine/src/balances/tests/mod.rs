//! Money held, spent and taken: pure, and through the actor.

mod debit;
mod ledger;
