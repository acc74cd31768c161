//! Offers to join a program, from the merchant's invitation to the invited person's answer.
//!
//! Keeps: an offer and the relationship that waits for it change together; whoever changes both takes
//! the invitation's row first. Only digests of tokens are stored or asked for.

mod accept;
mod decline;
mod expire;
mod find;
mod invite;
mod list;
mod resend;
mod revoke;
pub(crate) mod rows;

pub use accept::{Accepted, accept};
pub use decline::{Declined, decline};
pub use expire::expire;
pub use find::{Offer, find};
pub use invite::{NewInvitation, NotInvited, invite};
pub use list::list;
pub use resend::{Renewal, find_own, resend};
pub use revoke::{Revoked, revoke};
