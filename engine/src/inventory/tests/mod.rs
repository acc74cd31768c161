//! Shelves: pure and on the whole engine.

mod counts;
mod reservations;
mod reserve;
mod shelf;
mod withdraw;
