//! Shelves: pure and on the whole engine.

mod reservations;
mod reserve;
mod shelf;
mod withdraw;
