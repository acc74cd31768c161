//! Connections: resellers point their shops' dynamic products at us, and what a shop asks for is delivered.
//!
//! Keeps: who does not have the secret of a connection executes nothing and learns nothing; a call that is
//! sent again gets the serials that it got; what is refused is answered so that no shop hands our words to
//! its customer. A secret is shown once, and only if it was made here.

mod answer;
pub(crate) mod calls;
pub(crate) mod change;
pub(crate) mod create;
mod deliver;
mod fields;
pub(crate) mod list;
mod owner;
pub(crate) mod receive;
mod refusal;
pub(crate) mod revoke;
pub(crate) mod rotate;
mod shown;
mod signature;

use owner::Owner;
use shown::SpentToday;
pub(crate) use shown::{ConnectionView, ConnectionWithSecret};

/// Below which every answer is in a shop's own words.
pub(crate) const PREFIX: &str = "/hooks/dynamic/";
