//! Serials of a product, on the shelf and on their way out.
//!
//! Keeps: a serial is in at most one place, and leaves the shelf before anything is written. The window
//! holds only durable, unclaimed serials that were proved to open; what is beyond it costs no memory.

pub mod import;
mod source;

pub use source::{Position, Restock, ShelvedSerial, Source};
