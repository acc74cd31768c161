//! Constraints that a sabotaged schema lacks, to show that the tests notice.
//!
//! Keeps: nothing of this is in a program that is not built for debugging.

use engine::sabotage::breaks;

/// What a broken rule drops: its name, a table, a constraint.
const DROPPED: &[(&str, &str, &str)] = &[
    (
        "no_reference_key",
        "ledger_entries",
        "ledger_entries_balance_id_kind_reference_key",
    ),
    ("no_claims_key", "serial_claims", "serial_claims_pkey"),
    (
        "no_balance_check",
        "ledger_entries",
        "ledger_entries_balance_after_check",
    ),
    ("no_version_key", "ledger_entries", "ledger_entries_pkey"),
];

/// Takes from a migrated schema what the broken rule names.
pub(crate) async fn weaken(connection: &mut sqlx::PgConnection) -> Result<(), sqlx::Error> {
    for (_, table, constraint) in DROPPED.iter().filter(|(rule, ..)| breaks(rule)) {
        let sql = format!("ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {constraint}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
