//! Shelves: pure and on the whole engine.

mod shelf;
mod withdraw;
