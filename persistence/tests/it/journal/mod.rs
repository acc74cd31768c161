//! The journal's port on Postgres: what commits, what does not, and what that is called.

mod commit;
mod fence;
mod outage;
mod ownership;
mod reader;
