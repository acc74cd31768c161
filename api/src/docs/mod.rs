//! Documents that the server gives out itself: `/openapi.json`, `/docs`, `/docs/errors`, `/llms.txt`.
//!
//! Keeps: a page is made once, from the tables that the answers are made from, and asks nothing of
//! any other place; its policy names the one style it has by digest.

pub(crate) mod errors;
pub(crate) mod llms;
pub mod openapi;
pub(crate) mod page;
pub(crate) mod reference;
