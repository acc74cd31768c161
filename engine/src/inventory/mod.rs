//! Serials of a product, on the shelf and on their way out.
//!
//! Keeps: a serial is in at most one place, and leaves the shelf before anything is written. The window
//! holds only durable, unclaimed serials that were proved to open; what is beyond it costs no memory, reserved
//! or not. What is reserved for a withdrawal that may come, nobody else gets.

mod actor;
pub(crate) mod beyond;
mod fetch;
mod handle;
mod hold;
pub mod import;
mod level;
pub(crate) mod messages;
pub(crate) mod pool;
mod reservation;
mod reservations;
mod reserve;
mod restock;
mod source;
mod status;
mod stock;
#[cfg(test)]
mod tests;
mod withdraw;
mod withdrawal;

pub(crate) use actor::InventoryActor;
pub(crate) use handle::Inventory;
pub(crate) use hold::StockHold;
pub use level::{Crossing, Level};
pub use reservation::{
    Ending, Reach, Reservation, ReserveCall, Reserved, ReservedAll, ReservedUnits, Stored, Waiting,
};
pub(crate) use reserve::{Reserver, compare};
pub(crate) use restock::restock;
pub use source::{Position, Restock, ShelvedSerial, Source, Standing};
pub use status::Status;
pub(crate) use stock::stock;
pub(crate) use withdraw::Withdrawer;
pub use withdrawal::{Kept, Pulled, Purpose, Removed, WITHDRAWN_MAX, Withdrawal, WithdrawalCall};
