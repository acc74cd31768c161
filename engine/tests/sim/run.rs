//! One run: chaos, heal, liveness, every open order sent again, judgement.

use std::{collections::BTreeMap, panic::AssertUnwindSafe, rc::Rc, sync::Arc, time::Duration};

use actix_rt::System;
use engine::{
    ids::KeyId,
    money::Money,
    testing::{MemoryStore, turns},
};
use futures_util::{FutureExt as _, future::join_all};
use tokio::time::{sleep, timeout};

use crate::{
    alarms,
    cast::Cast,
    clients::Clients,
    database::Database,
    dice::Dice,
    history::{Asked, Body, Heard},
    judge, nemesis, panics,
    stage::Stage,
    tally::{Kind, Sometimes},
    weather::Weather,
};

/// How long a healed engine may take to answer everybody and be ready.
pub(crate) const LIVENESS: Duration = Duration::from_mins(1);

/// How often an open order is sent again before it counts as open for ever.
const ATTEMPTS_MAX: usize = 20;

/// What one run came to.
pub(crate) struct Ran {
    pub(crate) weather: Arc<Weather>,
    /// None: all is as promised.
    pub(crate) failure: Option<String>,
}

/// Runs a seed on this thread.
pub(crate) fn seed(seed: u64, telling: bool) -> Ran {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        // Without it the runtime wakes those who wait for one channel in an order of its own.
        #[cfg(tokio_unstable)]
        builder.rng_seed(tokio::runtime::RngSeed::from_bytes(&seed.to_le_bytes()));
        let builder = builder.enable_time().start_paused(true);
        builder.build().expect("a runtime")
    };
    panics::forget();
    alarms::forget();
    let ran = metrics::with_local_recorder(&alarms::Ear, || {
        System::with_tokio_rt(runtime).block_on(play(seed, telling))
    });
    turns::seed(None);
    for (result, state) in [
        ("same", Sometimes::VerifierAgreed),
        ("failed", Sometimes::VerifierFailed),
    ] {
        let looks = alarms::proved(result);
        ran.weather.tally.reached_often(state, looks);
    }
    ran
}

async fn play(seed: u64, telling: bool) -> Ran {
    let dice = Dice::new(seed);
    let weather = Weather::new(dice.fork(), telling);
    if weather.may(Kind::MailboxSlow) {
        weather.struck(Kind::MailboxSlow);
        turns::seed(Some(dice.number()));
    } else {
        turns::seed(None);
    }
    let store = MemoryStore::new();
    let cast = Cast::new(&dice.fork(), &weather, &store);
    let db = Database::new(store, &weather);
    let stage = Stage::new(dice.fork(), Arc::clone(&weather), db, cast);
    let acts = AssertUnwindSafe(acts(&stage)).catch_unwind().await;
    stage.end();
    // Lets every engine give up what it has in its hands.
    sleep(Duration::from_secs(10)).await;
    let failure = match acts {
        Ok(acts) => acts.err(),
        Err(_) => Some(format!("a panic: {:?}", panics::told())),
    };
    Ran { weather, failure }
}

async fn acts(stage: &Rc<Stage>) -> Result<(), String> {
    let clients = Clients::new(stage);
    stage.launch();
    let chaos = async { tokio::join!(clients.all(), nemesis::strike(&clients)) };
    let calm = async {
        sleep(Duration::from_millis(
            clients.horizon + stage.dice.between(0, 3000),
        ))
        .await;
        stage.weather.calm();
        if stage.brittle.get() && !stage.cast.brittle.disarm() {
            stage.weather.struck(Kind::FulfillerPanics);
        }
        stage.db.heal();
        stage.heal();
    };
    let both = async { tokio::join!(chaos, calm) };
    if timeout(LIVENESS * 4, both).await.is_err() {
        return Err("liveness: callers still wait long after everything was healed".to_owned());
    }
    // What the chaos ended with may have broken something again.
    stage.db.heal();
    stage.heal();
    ready(stage).await?;
    again(&clients).await?;
    rest(&clients).await?;
    judge::judge(stage).await
}

/// All lanes are ready and nothing is held, within the time of liveness.
async fn ready(stage: &Stage) -> Result<(), String> {
    let ready = async {
        loop {
            if let Some(process) = stage.last() {
                let readiness = process.engine.readiness();
                if readiness.owner && readiness.lanes {
                    return;
                }
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    let there = timeout(LIVENESS, ready).await;
    there.map_err(|_| "liveness: the lanes are not ready".to_owned())
}

/// What an open order was, to send it again.
type Open = BTreeMap<(usize, String), (KeyId, Body)>;

/// Every order id with a call that was not answered, or not with certainty, and no success.
fn open(stage: &Stage) -> Open {
    let mut open = Open::new();
    for call in &stage.history.calls().all {
        let (Some(purse), Some(key), Asked::Order { id, body }) =
            (call.purse, call.key, &call.asked)
        else {
            continue;
        };
        if matches!(call.heard, None | Some((_, Heard::Unknown))) {
            open.insert((purse, id.clone()), (key, body.clone()));
        }
    }
    open
}

/// Every order id that was looked up without a certain answer.
fn open_look_ups(stage: &Stage) -> Vec<(usize, String)> {
    let calls = stage.history.calls();
    let open = calls
        .all
        .iter()
        .filter_map(|call| match (&call.asked, &call.heard) {
            (Asked::LookUp { id }, None | Some((_, Heard::Unknown))) => {
                Some((call.purse?, id.clone()))
            }
            _ => None,
        });
    open.collect()
}

/// Sends open orders again, two callers each: afterwards none is open.
async fn again(clients: &Rc<Clients>) -> Result<(), String> {
    let stage = &clients.stage;
    if panics::count() > 2 || stage.dice.percent(30) {
        // An actor that keeps dying stays quarantined; a new process starts with none.
        if let Some(process) = stage.last() {
            process.power.cut();
        }
        while stage.last().is_none() {
            sleep(Duration::from_millis(50)).await;
        }
        ready(stage).await?;
    }
    for ((purse, id), (key, body)) in open(stage) {
        decided(clients, purse, key, &id, &body).await?;
    }
    Ok(())
}

/// Sends an order until both of two callers know what became of it.
async fn decided(
    clients: &Clients,
    purse: usize,
    key: KeyId,
    id: &str,
    body: &Body,
) -> Result<(), String> {
    for _ in 0..ATTEMPTS_MAX {
        let twins = (0..2).map(|_| clients.send(purse, key, id, body));
        let heard = join_all(twins).await;
        let open = |heard: &&Option<Heard>| matches!(heard, None | Some(Heard::Unknown));
        // The lane has not decided the attempt before: its hold is rightly there.
        let running =
            |heard: &Option<Heard>| matches!(heard, Some(Heard::Refused("ORDER_IN_PROGRESS")));
        let shed = |heard: &&Option<Heard>| matches!(heard, Some(Heard::Refused("OVERLOADED")));
        let (unknown, shed) = (
            heard.iter().filter(open).count(),
            heard.iter().filter(shed).count(),
        );
        let running = heard.iter().any(running);
        if unknown == 0 && !running && shed < heard.len() {
            return Ok(());
        }
        // One whose hold was late begins anew, and may be refused where the other's look-up failed.
        let delivered = |heard: &Option<Heard>| matches!(heard, Some(Heard::Delivered { .. }));
        if unknown == 1 && heard.iter().any(delivered) {
            return Err(format!(
                "I22: of two callers of {id}, one is not told: {heard:?}"
            ));
        }
        // A connection that was lost unnoticed is found by the first who looks an order id up.
        sleep(Duration::from_millis(500)).await;
    }
    Err(format!(
        "liveness: {id} of balance {purse} is open for ever"
    ))
}

/// What was left half-way is ended: imports on sale, credits known, terms in force.
async fn rest(clients: &Rc<Clients>) -> Result<(), String> {
    let stage = &clients.stage;
    for _ in 0..ATTEMPTS_MAX {
        let waiting = engine::inventory::Source::unnumbered(&stage.db.store).await;
        let Some(restock) = waiting.map_err(|fault| fault.to_string())?.pop() else {
            break;
        };
        // Its lane may find out only now that it is fenced; then the next process numbers it.
        if let Some(process) = stage.last() {
            drop(process.engine.restock(restock).await);
        }
        sleep(Duration::from_millis(500)).await;
    }
    for (purse, id) in open_look_ups(stage) {
        for _ in 0..ATTEMPTS_MAX {
            let heard = clients.look_up(purse, &id).await;
            if matches!(heard, Some(Heard::Absent | Heard::Delivered { .. })) {
                break;
            }
            sleep(Duration::from_millis(500)).await;
        }
    }
    let credits: Vec<_> = {
        let calls = stage.history.calls();
        let credits = calls
            .all
            .iter()
            .filter_map(|call| match (&call.asked, &call.heard) {
                (Asked::Credit { reference, amount }, None | Some((_, Heard::Unknown))) => {
                    Some((call.purse?, reference.clone(), *amount))
                }
                _ => None,
            });
        credits.collect()
    };
    for (purse, reference, amount) in credits {
        credited(clients, purse, &reference, amount).await?;
    }
    withdrawn(clients).await?;
    ready(stage).await
}

/// Withdrawals without a certain answer are asked for again until they have one.
async fn withdrawn(clients: &Rc<Clients>) -> Result<(), String> {
    for asked in clients.open_withdrawals() {
        let mut known = false;
        for _ in 0..ATTEMPTS_MAX {
            let heard = clients.withdraw(asked.clone()).await;
            known = matches!(
                heard,
                Some(Heard::Withdrawn(_) | Heard::Refused("OUT_OF_STOCK"))
            );
            if known {
                break;
            }
            sleep(Duration::from_millis(500)).await;
        }
        if !known {
            return Err(format!("liveness: {asked:?} is open for ever"));
        }
    }
    Ok(())
}

async fn credited(
    clients: &Clients,
    purse: usize,
    reference: &str,
    amount: Money,
) -> Result<(), String> {
    for _ in 0..ATTEMPTS_MAX {
        let heard = clients.credit(purse, reference, amount).await;
        if let Some(Heard::Credited(_) | Heard::Refused("INSUFFICIENT_BALANCE")) = heard {
            return Ok(());
        }
        sleep(Duration::from_millis(500)).await;
    }
    Err(format!(
        "liveness: {reference} of balance {purse} is open for ever"
    ))
}
