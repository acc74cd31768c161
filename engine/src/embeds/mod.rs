//! What a snippet in somebody else's page says: a signed token that only names what is to be shown.
//!
//! Keeps: a token says what it is for and which version of it, and nothing else; it counts only if it was
//! made here. Whose it is, what is sold and for how much is read from rows.

#[cfg(test)]
mod tests;
mod token;

pub use token::{Subject, Token};
