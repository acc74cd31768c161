//! What is stored of a merchant, read in parts for a report of what does not agree.

mod claims;
mod parts;

pub use parts::{Checked, Mismatch, Part, Place, part};
