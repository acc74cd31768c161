//! Which invoices need their customer's address no more.

use crate::payments::Status;

/// Nothing is told or delivered to the customer of an invoice that stands so, unless money comes after all: that is
/// taken in, and delivered on the invoice's page, without the address as well.
pub const OVER: [Status; 6] = [
    Status::Completed,
    Status::Expired,
    Status::Cancelled,
    Status::PartiallyRefunded,
    Status::Refunded,
    Status::Disputed,
];
