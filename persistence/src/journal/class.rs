//! What an answer of Postgres means for a batch.
//!
//! Keeps: a failure is called definite only if the server itself said, in order and on a connection
//! that goes on, that the statement was undone. Everything else is unknown.

use engine::journal::Failure;
use sqlx::postgres::{PgDatabaseError, PgSeverity};

/// Fires when an order id, payment or credit exists already.
const REFERENCE_KEY: &str = "ledger_entries_balance_id_kind_reference_key";
/// Fires when a withdrawal was made already.
const WITHDRAWAL_KEY: &str = "withdrawals_pkey";

/// What a constraint is called that has no name of its own, or none that is known here.
const NOT_NULL: &str = "not null";
const UNNAMED: &str = "unnamed";

/// The constraints that repeat the engine's promises. A journal without one of them is not opened.
pub(crate) const CONSTRAINTS: [&str; 20] = [
    REFERENCE_KEY,
    WITHDRAWAL_KEY,
    "withdrawals_kind_check",
    "withdrawals_serial_ids_check",
    "ledger_entries_pkey",
    "ledger_entries_version_check",
    "ledger_entries_balance_after_check",
    "ledger_entries_amount_check",
    "ledger_entries_fulfillment_check",
    "serial_claims_pkey",
    "serial_claims_unit_price_check",
    "batches_pkey",
    "lanes_pkey",
    "shards_pkey",
    "ownership_log_pkey",
    "serials_pkey",
    "imports_pkey",
    "imports_number_key",
    "balances_pkey",
    "balances_relationship_id_test_key",
];

/// The class of an error that came instead of a batch's answer.
pub(super) fn failure(error: &sqlx::Error) -> Failure {
    match error {
        sqlx::Error::Database(refusal) => refusal
            .try_downcast_ref::<PgDatabaseError>()
            .map_or(Failure::Unknown, |refusal| {
                refused(refusal.severity(), refusal.code(), refusal.constraint())
            }),
        // A value the driver cannot write: nothing was sent.
        sqlx::Error::Encode(_) => Failure::Item,
        _ => Failure::Unknown,
    }
}

fn refused(severity: PgSeverity, code: &str, constraint: Option<&str>) -> Failure {
    if severity != PgSeverity::Error {
        return Failure::Unknown;
    }
    match code {
        // The primary has become a standby: what it last did may be lost, or not.
        "25006" | "40003" => Failure::Unknown,
        "40001" | "40P01" | "55P03" | "57014" => Failure::Retry,
        "53100" | "53200" | "53300" => Failure::Full,
        "23505" if matches!(constraint, Some(REFERENCE_KEY | WITHDRAWAL_KEY)) => Failure::Duplicate,
        "23502" => Failure::Breach {
            constraint: NOT_NULL,
        },
        _ => match &code.get(..2) {
            Some("23") => Failure::Breach {
                constraint: known(constraint),
            },
            // Connection exceptions and operators' interventions: the statement may have ended well.
            Some("08" | "57") | None => Failure::Unknown,
            Some(_) => Failure::Item,
        },
    }
}

fn known(constraint: Option<&str>) -> &'static str {
    CONSTRAINTS
        .into_iter()
        .find(|known| Some(*known) == constraint)
        .unwrap_or(UNNAMED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_has_the_class_of_the_protocol() {
        let breach = |constraint| Failure::Breach { constraint };
        for (code, constraint, class) in [
            ("23505", Some(REFERENCE_KEY), Failure::Duplicate),
            ("23505", Some(WITHDRAWAL_KEY), Failure::Duplicate),
            (
                "23505",
                Some("ledger_entries_pkey"),
                breach("ledger_entries_pkey"),
            ),
            (
                "23505",
                Some("serial_claims_pkey"),
                breach("serial_claims_pkey"),
            ),
            ("23505", Some("somebody's own index"), breach(UNNAMED)),
            (
                "23514",
                Some("ledger_entries_balance_after_check"),
                breach("ledger_entries_balance_after_check"),
            ),
            ("23502", None, breach(NOT_NULL)),
            ("40001", None, Failure::Retry),
            ("40P01", None, Failure::Retry),
            ("55P03", None, Failure::Retry),
            ("57014", None, Failure::Retry),
            ("53100", None, Failure::Full),
            ("53200", None, Failure::Full),
            ("53300", None, Failure::Full),
            ("22P05", None, Failure::Item),
            ("42501", None, Failure::Item),
            ("25006", None, Failure::Unknown),
            ("40003", None, Failure::Unknown),
            ("08006", None, Failure::Unknown),
            ("57P01", None, Failure::Unknown),
            ("", None, Failure::Unknown),
        ] {
            assert_eq!(
                refused(PgSeverity::Error, code, constraint),
                class,
                "{code}"
            );
        }
    }

    #[test]
    fn session_that_ends_says_nothing_about_its_statement() {
        for code in ["57P01", "40001", "23505"] {
            for severity in [PgSeverity::Fatal, PgSeverity::Panic] {
                let class = refused(severity, code, Some(REFERENCE_KEY));
                assert_eq!(class, Failure::Unknown, "{code}");
            }
        }
    }
}
