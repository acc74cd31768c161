//! `consign dev` as somebody meets it: started, tried, killed, started again, stopped.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

const WITHIN: Duration = Duration::from_mins(2);

/// A state directory and two free addresses; stops what was started there and deletes it.
struct Place {
    state_dir: PathBuf,
    http: String,
    ops: String,
}

/// A started server and what it printed.
struct Started {
    process: Child,
    curl: String,
    printed: String,
}

impl Place {
    fn new() -> Self {
        let free = || {
            TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap()
                .to_string()
        };
        let name = format!(
            "dev-{}-{}",
            std::process::id(),
            free().replace(['.', ':'], "-")
        );
        let state_dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        Self {
            state_dir,
            http: free(),
            ops: free(),
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_consign"));
        command
            .arg("dev")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
            .env_remove("DATABASE_URL")
            .env("CONSIGN_DEV__STATE_DIR", &self.state_dir);
        command
            .env("CONSIGN_HTTP__LISTEN", &self.http)
            .env("CONSIGN_OPS__LISTEN", &self.ops);
        command.kill_on_drop(true);
        command
    }

    /// Starts a server and waits until it says how to try it.
    async fn start(&self) -> Started {
        let mut process = self.command().stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut printed = String::new();
        let curl = timeout(WITHIN, async {
            while let Some(line) = lines.next_line().await.unwrap() {
                printed += &line;
                printed.push('\n');
                if line.starts_with("curl ") {
                    return line;
                }
            }
            panic!("the server ended before it was ready");
        });
        let curl = curl.await.unwrap();
        Started {
            process,
            curl,
            printed,
        }
    }

    fn demo(&self) -> Value {
        serde_json::from_slice(&fs::read(self.state_dir.join("demo.json")).unwrap()).unwrap()
    }

    fn mode(&self, file: &str) -> u32 {
        fs::metadata(self.state_dir.join(file))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    }

    /// Where the cluster is; that may be outside of the state directory.
    fn cluster(&self) -> PathBuf {
        PathBuf::from(fs::read_to_string(self.state_dir.join("postgres.home")).unwrap())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let home = fs::read_to_string(self.state_dir.join("postgres.home")).unwrap_or_default();
        if let Some(pid) = postmaster(Path::new(&home)) {
            let _ended = std::process::Command::new("kill")
                .args(["-QUIT", &pid])
                .status();
        }
        if !home.is_empty() {
            let _gone = fs::remove_dir_all(home);
        }
        let _gone = fs::remove_dir_all(&self.state_dir);
    }
}

/// The process number of a cluster that runs.
fn postmaster(cluster: &Path) -> Option<String> {
    let file = fs::read_to_string(cluster.join("data/postmaster.pid")).ok()?;
    file.lines().next().map(str::to_owned)
}

/// The printed line, run as it is.
async fn run(curl: &str) -> Value {
    let output = Command::new("sh")
        .args(["-c", curl])
        .output()
        .await
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn fails(mut command: Command) -> String {
    let Output { status, stderr, .. } = timeout(WITHIN, command.output()).await.unwrap().unwrap();
    assert!(!status.success());
    String::from_utf8(stderr).unwrap()
}

fn check_demo(place: &Place, demo: &Value) {
    let fields = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(demo["base_url"], format!("http://{}", place.http));
    assert_eq!(demo["ops_url"], format!("http://{}", place.ops));
    assert!(
        demo["database_url"]
            .as_str()
            .unwrap()
            .starts_with("postgres://")
    );
    assert_eq!(
        fields(&demo["merchant"]),
        ["email", "id", "key", "password"]
    );
    let resellers = demo["resellers"].as_array().unwrap();
    let known = [
        "balance",
        "dynamic_key",
        "email",
        "key",
        "mode",
        "password",
        "relationship_id",
        "status",
        "test_key",
    ];
    assert!(resellers.iter().all(|reseller| fields(reseller) == known));
    let has = |field: &str, value: &str| resellers.iter().any(|one| one[field] == value);
    assert!(
        ["AFFILIATE", "STOCK", "AUTO_FULFILLED", "BOTH"]
            .iter()
            .all(|mode| has("mode", mode))
    );
    assert!(has("status", "SUSPENDED"));
    let products = demo["products"].as_array().unwrap();
    let known = [
        "product_id",
        "stock",
        "title",
        "variant_ids",
        "wholesale_price",
    ];
    assert!(products.iter().all(|product| fields(product) == known));
    assert!(products.iter().any(|product| product["stock"] == 50_000));
    assert!(products.iter().any(|product| product["stock"].is_null()));
    assert!(
        products
            .iter()
            .any(|product| product["variant_ids"].as_array().unwrap().len() == 3)
    );
    assert_eq!(demo.get("load"), None);
}

#[tokio::test]
async fn development_server_is_met_again_after_a_kill() {
    let place = Place::new();
    let mut first = place.start().await;
    let demo = place.demo();
    check_demo(&place, &demo);
    assert_eq!(
        (place.mode("root.key"), place.mode("demo.json")),
        (0o400, 0o600)
    );
    assert!(
        first
            .printed
            .contains(demo["merchant"]["key"].as_str().unwrap())
    );
    let delivered = run(&first.curl).await;
    assert_eq!(delivered["data"]["reused"], false);
    assert_eq!(delivered["data"]["serials"].as_array().unwrap().len(), 1);

    let said = fails(place.command()).await;
    assert!(said.contains("another `consign dev` uses"), "{said}");
    first.process.kill().await.unwrap();
    assert!(
        postmaster(&place.cluster()).is_some(),
        "the cluster outlives a kill"
    );

    let mut second = place.start().await;
    assert_eq!(second.curl, first.curl);
    let replayed = run(&second.curl).await;
    assert_eq!(replayed["data"]["reused"], true);
    assert_eq!(replayed["data"]["serials"], delivered["data"]["serials"]);
    let keys = |demo: &Value| json!([demo["merchant"], demo["resellers"][0]["key"]]);
    assert_eq!(keys(&place.demo()), keys(&demo));

    let pid = second.process.id().unwrap().to_string();
    Command::new("kill")
        .args(["-TERM", &pid])
        .status()
        .await
        .unwrap();
    let ended = timeout(WITHIN, second.process.wait())
        .await
        .unwrap()
        .unwrap();
    assert!(ended.success());
    assert_eq!(postmaster(&place.cluster()), None);
}

/// The whole story of the README, as somebody runs it: on a fresh server, and once more.
#[tokio::test]
async fn tour_goes_as_it_should_and_may_be_taken_again() {
    let mut place = Place::new();
    // A port that the system picks is the one that everything names.
    place.http = "127.0.0.1:0".to_owned();
    let _started = place.start().await;
    let demo = place.demo();
    let base = demo["base_url"].as_str().unwrap();
    let unknown = run(&format!("curl -s {base}/reseller/v1/nothing")).await;
    let link = unknown["error"]["doc_url"].as_str().unwrap();
    assert!(link.starts_with(&format!("{base}/docs/errors#")), "{link}");
    for _ in 0..2 {
        let mut tour = Command::new("bash");
        tour.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/tour.sh"));
        tour.arg(place.state_dir.join("demo.json"));
        let output = timeout(WITHIN, tour.output()).await.unwrap().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}{complaint}");
        assert!(
            said.ends_with("All 28 steps went as they should.\n"),
            "{said}"
        );
    }
}

#[tokio::test]
async fn taken_address_is_named_before_anything_is_started() {
    let place = Place::new();
    let _taken = TcpListener::bind(&place.http).unwrap();
    let said = fails(place.command()).await;
    assert!(
        said.contains(&place.http) && said.contains("CONSIGN_HTTP__LISTEN"),
        "{said}"
    );
    assert!(!place.state_dir.join("postgres.home").exists());
}

#[tokio::test]
async fn journal_that_forgets_is_refused_in_production() {
    let mut serve = Command::new(env!("CARGO_BIN_EXE_consign"));
    serve.arg("serve").env("CONSIGN_DEV__JOURNAL", "memory");
    let said = fails(serve).await;
    assert!(said.contains("only `consign dev` takes it"), "{said}");
}
