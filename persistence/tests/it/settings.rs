//! The conditions that `consign doctor` shows.

use persistence::settings::{self, Check, Durability};

use crate::ground::Ground;

fn broken(checks: &[Check]) -> Vec<&str> {
    checks
        .iter()
        .filter(|check| !check.holds)
        .map(|check| check.name.as_str())
        .collect()
}

#[tokio::test]
async fn migrated_database_on_a_durable_server_holds_every_condition() {
    let ground = Ground::new().await;
    let checks = settings::check(&ground.db, Durability::Local)
        .await
        .unwrap();
    assert_eq!(broken(&checks), [""; 0], "{checks:#?}");
    assert!(checks.len() > 30, "{checks:#?}");
    let checks = settings::check(&ground.db, Durability::Replicated)
        .await
        .unwrap();
    assert_eq!(broken(&checks), ["synchronous_standby_names"]);
}

#[tokio::test]
async fn missing_constraint_index_and_setting_are_named() {
    let ground = Ground::new().await;
    ground
        .execute(
            "ALTER TABLE ledger_entries DROP CONSTRAINT ledger_entries_balance_after_check;
             ALTER TABLE ledger_entries ADD CONSTRAINT ledger_entries_balance_after_check
               CHECK (balance_after >= 0) NOT VALID;
             DROP INDEX serials_merchant_id_fingerprint_key",
        )
        .await;
    ground
        .execute(
            "DO $$BEGIN
               EXECUTE format('ALTER DATABASE %I SET synchronous_commit = local', current_database());
               EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on',
                              current_database());
             END$$",
        )
        .await;
    let checks = settings::check(&ground.db, Durability::Local)
        .await
        .unwrap();
    let named = [
        "synchronous_commit",
        "transaction_read_only",
        "ledger_entries_balance_after_check",
        "serials_merchant_id_fingerprint_key",
    ];
    assert_eq!(broken(&checks), named);
}
