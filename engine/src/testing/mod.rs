//! What tests and benches put in place of the outside world.
//!
//! [`NullJournal`] says yes to everything and keeps nothing: it shows what the engine costs by itself.

mod null_journal;

pub use null_journal::NullJournal;
