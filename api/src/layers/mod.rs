//! What every request passes, outermost first: shed, request id, address, trailing slash, panic wall,
//! route metrics, rate limit headers, error body, security headers.
//!
//! One struct, [`edge::Edge`], does all of it around the router: each further boxed layer would cost
//! more than what it does.

pub(crate) mod address;
pub(crate) mod call;
pub mod edge;
pub(crate) mod rate_limit;
pub(crate) mod request_id;
pub(crate) mod tries;
