//! The domain of Consign: every decision, and the hot path. No SQL, no HTTP.
//!
//! What the engine guarantees, whatever crashes: a serial is claimed at most once, a balance is never
//! below zero, an external order id is fulfilled at most once, and nothing is told before it is durable.

#[cfg(all(
    not(debug_assertions),
    any(
        feature = "sabotage_ack_before_commit",
        feature = "sabotage_serve_without_heartbeat",
        feature = "sabotage_release_on_unknown",
        feature = "sabotage_resend_without_fence",
        feature = "sabotage_fence_without_owner",
        feature = "sabotage_no_seq_check",
        feature = "sabotage_no_fence_check",
        feature = "sabotage_split_loses_item",
        feature = "sabotage_duplicate_keeps_numbers",
        feature = "sabotage_hydrate_before_latch",
        feature = "sabotage_two_incarnations",
        feature = "sabotage_panic_keeps_actor",
        feature = "sabotage_settle_by_send",
        feature = "sabotage_settle_twice",
        feature = "sabotage_drop_does_not_release",
        feature = "sabotage_credit_before_commit",
        feature = "sabotage_limit_ignores_held",
        feature = "sabotage_cost_wraps",
        feature = "sabotage_fetch_without_number",
        feature = "sabotage_released_serial_lost",
        feature = "sabotage_partial_quantity",
        feature = "sabotage_serve_unopened",
        feature = "sabotage_refuse_without_lookup",
        feature = "sabotage_waiter_says_no",
        feature = "sabotage_mismatch_shows_serials",
        feature = "sabotage_fingerprint_without_quantity",
        feature = "sabotage_forget_joined",
        feature = "sabotage_demoted_keeps_serving",
        feature = "sabotage_revoke_in_cache_only"
    )
))]
compile_error!("a sabotaged engine is for `make sabotage` only");

pub mod actors;
pub mod api_keys;
pub mod audit;
pub mod balances;
pub mod catalog;
pub mod clock;
pub mod config;
pub mod engine;
pub mod fault;
pub mod fulfillments;
pub mod ids;
pub mod inventory;
pub mod invitations;
pub mod journal;
pub mod merchants;
pub mod metrics;
pub mod money;
pub mod programs;
pub mod random;
pub mod relationships;
mod snapshots;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod vault;
pub mod verifier;
