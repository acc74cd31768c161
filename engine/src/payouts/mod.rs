//! Payouts: a reseller asks to be paid, the merchant pays from its own funds and says so.
//!
//! Keeps: what is asked for is never more than what is available, and is set aside while the payout is open;
//! it ends once, paid or given back to what is available. Consign holds no money.

mod address;
mod paid;
mod payout;
mod request;
mod step;
#[cfg(test)]
mod tests;
mod verification;

pub use address::{BadAddress, chain, check_address, normal_hash};
pub use paid::{Sent, Transaction, Unpaid, paid};
pub use payout::{Payout, Proof, Status};
pub use request::{
    ADDRESS_HOLD_HOURS, Facts, OPEN_MAX, Refusal, UNPAID_MAX, Wanted, blocked, request,
};
pub use step::{ApprovalFacts, Block, Step, Stepped, WrongStep, step};
pub use verification::{Decision, Details, Verification, VerificationStatus, WrongVerification};
