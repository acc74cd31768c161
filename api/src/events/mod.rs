//! Events: the loop that numbers them, and the feeds that resellers and merchants read.
//!
//! Keeps: nothing here is waited for by a sale. A reader that waits takes a place, and there are so
//! many and no more; without one it is answered at once.

pub(crate) mod dispatcher;
pub(crate) mod feed;
mod shown;
mod waiters;

pub(crate) use feed::FeedPagination;
pub(crate) use shown::{EventAnswer, Told};
pub(crate) use waiters::Waiters;
