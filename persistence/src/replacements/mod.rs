//! Replacements of serials that were delivered or sold by wholesale: requested, decided, carried out once.

pub mod carry;
pub mod decide;
pub mod list;
pub mod request;
pub mod request_item;
mod rows;
