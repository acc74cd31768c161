//! How merchants take money.

mod methods;

pub use methods::{list, replace};
