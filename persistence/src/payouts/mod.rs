//! Payouts and verifications: asked for, decided, paid; the sums they are part of move with them.

mod facts;
mod find;
mod list;
mod request;
mod rows;
mod step;
mod verify;

pub use facts::{Standing, standing};
pub use find::find;
pub use list::{Filter, list, list_numbered, stream};
pub use request::{Requested, Requesting, request};
pub use step::{Letters, Outcome, Recipients, Verb, step};
pub(crate) use verify::verifications;
pub use verify::{decide, submit, verification};
