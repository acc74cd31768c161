//! Replacements of delivered serials: requested, decided, carried out once.

pub mod carry;
pub mod decide;
pub mod list;
pub mod request;
mod rows;
