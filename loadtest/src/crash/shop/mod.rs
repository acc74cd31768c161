//! A process of shops: they buy over HTTP and write down every word, until they are told to end.
//!
//! Keeps: a shop goes on only after it has written down what it was told; at the end every call
//! whose outcome is not known is sent again until it is.

mod ask;
mod hear;
mod keep;
mod line;
mod look;
mod stage;
mod terms;

use std::{
    io::Read as _,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;

pub(super) use stage::{Merchant, Reseller, Stage, Ware};
use {keep::Shop, line::RunClock, look::Looker, terms::Hand};

const REPORT_EVERY: Duration = Duration::from_millis(100);

/// A process of shops, started by the rig.
#[derive(clap::Args)]
pub(crate) struct Shops {
    /// What they are told, as JSON.
    stage: PathBuf,
}

/// What all shops of a process share.
struct Street {
    stage: Arc<Stage>,
    closing: AtomicBool,
    acknowledged: AtomicU64,
    calls: AtomicU64,
    /// Of each reseller, whether its key is known to be out of force: an address that goes on with such
    /// keys is shut out, with all its keys.
    gone: Vec<AtomicBool>,
}

/// Buys until the standard input ends, then sends again what is not known.
pub(crate) fn run(shops: &Shops) -> anyhow::Result<()> {
    let text = std::fs::read(&shops.stage).context("reading the stage")?;
    let stage: Stage = serde_json::from_slice(&text)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let resellers = stage.resellers.iter();
    let gone = resellers.map(|_| AtomicBool::new(false)).collect();
    let street = Arc::new(Street {
        gone,
        stage: Arc::new(stage),
        closing: AtomicBool::new(false),
        acknowledged: AtomicU64::new(0),
        calls: AtomicU64::new(0),
    });
    let closing = Arc::clone(&street);
    std::thread::spawn(move || {
        let mut nothing = [0; 64];
        while matches!(std::io::stdin().read(&mut nothing), Ok(1..)) {}
        closing.closing.store(true, Ordering::SeqCst);
    });
    runtime.block_on(open(street))
}

async fn open(street: Arc<Street>) -> anyhow::Result<()> {
    let clock = RunClock::start();
    let mut shops = tokio::task::JoinSet::new();
    for number in 0..street.stage.shops {
        let shop = Shop::open(&street, number, clock)?;
        shops.spawn(shop.keep());
    }
    for looker in Looker::all(&street, clock)? {
        shops.spawn(looker.look());
    }
    if let Some(merchant) = &street.stage.merchant {
        for hand in Hand::both(&street, merchant, clock)? {
            shops.spawn(hand.rule());
        }
    }
    let reporting = tokio::spawn(report(Arc::clone(&street)));
    while let Some(ended) = shops.join_next().await {
        ended??;
    }
    reporting.abort();
    street.say();
    Ok(())
}

async fn report(street: Arc<Street>) {
    loop {
        tokio::time::sleep(REPORT_EVERY).await;
        street.say();
    }
}

impl Street {
    fn say(&self) {
        use std::io::Write as _;

        let (acknowledged, calls) = (
            self.acknowledged.load(Ordering::Relaxed),
            self.calls.load(Ordering::Relaxed),
        );
        // The rig may be gone; the kernel ends this process then.
        writeln!(std::io::stdout().lock(), "{acknowledged} {calls}").ok();
    }
}
