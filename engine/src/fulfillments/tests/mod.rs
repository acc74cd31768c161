//! What the hot path promises, shown on the whole engine in one thread with time standing still.

mod fulfiller;
mod policy;
mod products;
mod refusals;
mod rehearsal;
mod request;
