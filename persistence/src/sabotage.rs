//! Rules of storage broken on purpose, one per feature, to show that the tests notice.
//!
//! Keeps: nothing of this is in a program that is not built for debugging.

#[cfg(not(debug_assertions))]
compile_error!("a sabotaged build is for tests only");

/// What a sabotaged schema lacks.
const DROPPED: &[(&str, &str)] = &[
    #[cfg(feature = "sabotage_no_reference_key")]
    (
        "ledger_entries",
        "ledger_entries_balance_id_kind_reference_key",
    ),
    #[cfg(feature = "sabotage_no_claims_key")]
    ("serial_claims", "serial_claims_pkey"),
    #[cfg(feature = "sabotage_no_balance_check")]
    ("ledger_entries", "ledger_entries_balance_after_check"),
    #[cfg(feature = "sabotage_no_version_key")]
    ("ledger_entries", "ledger_entries_pkey"),
];

/// Takes from a migrated schema what the features name.
pub(crate) async fn weaken(connection: &mut sqlx::PgConnection) -> Result<(), sqlx::Error> {
    for (table, constraint) in DROPPED {
        let sql = format!("ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {constraint}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
