//! Shelves: pure and on the whole engine.

mod counts;
mod reservations;
mod reserve;
mod reserve_all;
mod shelf;
mod withdraw;
