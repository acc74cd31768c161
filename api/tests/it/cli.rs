//! The command line against a running server, as people use it.

use std::{path::PathBuf, process::Output};

use tokio::process::Command;

use crate::support::{World, with_world};

impl World {
    async fn consign(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_consign"));
        command.args(arguments).env_clear();
        command.env("CONSIGN_URL", format!("http://{}", self.server.address()));
        command.env("CONSIGN_KEY", self.merchant_key());
        command.output().await.unwrap()
    }

    async fn says(&self, arguments: &[&str]) -> String {
        let output = self.consign(arguments).await;
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    async fn fails(&self, arguments: &[&str]) -> String {
        let output = self.consign(arguments).await;
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    }
}

/// A file that is gone after the test.
struct TextFile(PathBuf);

impl TextFile {
    fn new(name: &str, text: &str) -> Self {
        let name = format!("consign-{}-{name}", std::process::id());
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for TextFile {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.0);
    }
}

#[test]
fn import_of_several_uploads_can_be_run_again() {
    with_world(async |world| {
        let serials: Vec<_> = (0..60_000).map(|number| format!("CLI-{number}")).collect();
        let serials = serials.join(
            "
",
        );
        let file = TextFile::new("serials.txt", &serials);
        let product = world.product("Closed beta").id.to_string();
        let import = [
            "import",
            "--product",
            &product,
            "--label",
            "May",
            file.path(),
        ];
        let said = world.says(&import).await;
        assert_eq!(said, "60000 added, 0 were there already, 60003 in stock\n");
        let said = world.says(&import).await;
        assert_eq!(said, "0 added, 60000 were there already, 60003 in stock\n");
        assert_eq!(
            world.scalar("SELECT COUNT(*) FROM imports WHERE label = 'May'"),
            "4"
        );
    });
}

#[test]
fn import_takes_a_column_of_a_csv_file_for_a_variant() {
    with_world(async |world| {
        let file = TextFile::new("serials.csv", "no,code\n1,\"X,1\"\n2,X-2\n");
        let starfall = world.product("Starfall");
        let (product, variant) = (starfall.id.to_string(), starfall.variants[0].id.to_string());
        let import = [
            "import",
            "--product",
            &product,
            "--label",
            "May",
            "--column",
            "code",
            file.path(),
        ];
        let failed = world.fails(&import).await;
        assert!(failed.contains("the product has variants"), "{failed}");
        let said = world
            .says(&[&import[..], &["--variant", &variant]].concat())
            .await;
        assert_eq!(said, "2 added, 0 were there already, 202 in stock\n");
    });
}

#[test]
fn import_names_the_line_of_the_file_that_is_wrong() {
    with_world(async |world| {
        let file = TextFile::new("damaged.txt", "FINE\n\nBAD\u{7}\n");
        let product = world.product("Gift card").id.to_string();
        let failed = world
            .fails(&["import", "--product", &product, "--label", "x", file.path()])
            .await;
        assert!(
            failed.contains("line 3 has a control character"),
            "{failed}"
        );
    });
}

#[test]
fn credit_is_given_once_however_often_it_is_sent() {
    with_world(async |world| {
        let reseller = world.reseller("demo-broke").id.to_string();
        let credit = [
            "credit",
            "--reseller",
            &reseller,
            "--amount",
            "8.50",
            "--reference",
            "pay-7",
        ];
        let said = world.says(&credit).await;
        assert_eq!(
            said,
            "8.50 USD under reference `pay-7`; the balance is 20.50\n"
        );
        assert_eq!(world.says(&credit).await, said);
        assert_eq!(
            world.balance(&world.key("demo-broke")).await["balance"],
            "20.50"
        );
        let failed = world
            .fails(&[
                "credit",
                "--reseller",
                &reseller,
                "--amount",
                "x",
                "--reference",
                "y",
            ])
            .await;
        assert!(failed.contains("VALIDATION_ERROR"), "{failed}");
    });
}

#[test]
fn keys_are_listed_and_revoked() {
    with_world(async |world| {
        let reseller = world.reseller("demo-auto");
        let (id, key) = (reseller.id.to_string(), reseller.key.id.to_string());
        let listed = world.says(&["keys", "list", "--reseller", &id]).await;
        assert_eq!(listed.lines().count(), 3);
        let said = world
            .says(&[
                "keys",
                "revoke",
                "--reseller",
                &id,
                &key,
                "--reason",
                "lost",
            ])
            .await;
        assert!(said.starts_with(&key) && said.contains("REVOKED"), "{said}");
        let failed = world
            .fails(&["keys", "revoke", "--reseller", "rel_x", &key])
            .await;
        assert!(failed.contains("no id of this kind"), "{failed}");
    });
}
