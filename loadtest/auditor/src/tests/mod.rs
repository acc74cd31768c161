//! The judge is judged: true histories pass, each way to lie is named by the right point.

mod events;
mod files;
mod lies;
mod rows;
mod scene;
mod terms;
mod truths;
mod withdrawals;
