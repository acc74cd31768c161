//! Casts to play with: the demo of `consign dev`, and on request one large enough to measure with.
//!
//! Keeps: a cast is a pure value; given the same random bytes it is the same at every start, its keys
//! included. It is stored whole or not at all, and once. No money is written here: balances are
//! funded by credits through the engine, imports numbered by it, like everybody's.

mod cast;
mod ids;
mod load;
mod rows;
mod seed;
mod serials;
mod small;

pub use cast::{Access, Cast, DynamicKey, Funding, Product, Reseller, Variant};
pub use load::{Load, load};
pub use seed::{Seeded, fundings, seed};
pub use small::demo;
