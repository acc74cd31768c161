//! Offers to join a program, from the merchant's invitation to the invited person's answer.
//!
//! Keeps: an offer and the relationship that waits for it change together; whoever changes both takes
//! the invitation's row first. Only digests of tokens are stored or asked for.

mod accept;
mod decline;
mod find;
mod invite;
pub(crate) mod rows;

pub use accept::{Accepted, accept};
pub use decline::{Declined, decline};
pub use find::{Offer, find};
pub use invite::{NewInvitation, NotInvited, invite};
