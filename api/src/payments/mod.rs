//! How merchants take money, and the worlds in which invoices are paid.

mod manual;
pub(crate) mod methods;

pub(crate) use manual::{Manual, Word};
