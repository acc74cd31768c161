//! Delivering products for external order ids: one by one, in bulk, as orders, by URL.
//!
//! All of these are wire forms of one [`engine::fulfillments::Request`]; [`request`] reads them and
//! [`answer`] writes what was delivered. A serial is opened only while an answer is built.

pub(crate) mod answer;
pub(crate) mod bulk;
pub(crate) mod create;
pub(crate) mod customers;
pub(crate) mod dynamic_url;
mod export;
pub(crate) mod filter;
pub(crate) mod get;
pub(crate) mod history;
pub(crate) mod list;
pub(crate) mod open;
pub(crate) mod orders;
pub(crate) mod refund;
pub(crate) mod request;
pub(crate) mod reveal;
mod rounds;

pub use refund::complete_waiting as complete_refunds;
pub(crate) use rounds::Rounds;
