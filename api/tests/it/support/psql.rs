//! One statement by `psql`, so that this crate needs no driver.

use std::process::Command;

/// Runs a statement and gives what it prints.
pub(super) fn run(url: &str, statement: &str) -> String {
    let output = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
        .args(["--set", "ON_ERROR_STOP=1", "--command", statement, url])
        .output()
        .expect("psql is on this machine: it comes with postgresql-client");
    let (said, failed) = (&output.stdout, &output.stderr);
    assert!(
        output.status.success(),
        "{statement}: {}",
        String::from_utf8_lossy(failed)
    );
    String::from_utf8_lossy(said).trim().to_owned()
}
