//! The words of each shop: where in its call stands what.
//!
//! Keeps: what names an order is read only from what the shop's signature covers, or is checked against it.

pub(super) mod custom;
pub(super) mod sellapp;
pub(super) mod sellauth;
pub(super) mod sellix;
pub(super) mod shoppex;
