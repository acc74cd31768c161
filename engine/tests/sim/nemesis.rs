//! What goes wrong besides single calls: processes, server, standby, disk, clock, terms.

use std::{rc::Rc, time::Duration};

use engine::{
    journal::Failure,
    relationships::{Status, Terms},
    testing::poison,
};
use futures_util::future::join_all;
use tokio::time::sleep;

use crate::{
    cast::minor,
    clients::Clients,
    history::{Asked, Change, Heard},
    restored,
    stage::Stage,
    tally::{Call, Kind, Sometimes},
};

/// Kinds that strike at a time of their own.
const KINDS: &[Kind] = &[
    Kind::Crash,
    Kind::BalancePanics,
    Kind::ShelfPanics,
    Kind::FulfillerPanics,
    Kind::DrainUnderLoad,
    Kind::ItemRefused,
    Kind::ConstraintFires,
    Kind::DiskFull,
    Kind::ServerCrash,
    Kind::Failover,
    Kind::Restored,
    Kind::StandbyGone,
    Kind::SecondOwner,
    Kind::OwnerFrozen,
    Kind::ClockJumps,
    Kind::TermsAgainstRequest,
];

/// Strikes some of the kinds that are drawn for this run, at times of their own.
pub(crate) async fn strike(clients: &Rc<Clients>) {
    let (stage, dice) = (&clients.stage, &clients.stage.dice);
    let drawn: Vec<_> = KINDS
        .iter()
        .filter(|kind| stage.weather.may(**kind))
        .collect();
    if drawn.is_empty() {
        return;
    }
    let strikes = (0..dice.between(0, 6)).map(|_| async {
        sleep(Duration::from_millis(dice.below(clients.horizon))).await;
        once(clients, **dice.pick(&drawn)).await;
    });
    join_all(strikes).await;
}

async fn once(clients: &Rc<Clients>, kind: Kind) {
    let (stage, dice) = (&clients.stage, &clients.stage.dice);
    match kind {
        Kind::Crash => {
            if let Some(process) = stage.any() {
                process.power.burn(dice.below(300));
            }
        }
        Kind::BalancePanics | Kind::ShelfPanics => end_actor(stage, kind).await,
        Kind::FulfillerPanics => {
            stage.brittle.set(true);
            stage.cast.brittle.arm();
        }
        Kind::DrainUnderLoad => drain(stage).await,
        Kind::ItemRefused => curse(stage, kind, Failure::Item),
        Kind::ConstraintFires => {
            let constraint = "ledger_entries_pkey";
            curse(stage, kind, Failure::Breach { constraint });
        }
        Kind::DiskFull => {
            stage.weather.struck(kind);
            stage.db.set_disk_full(true);
            sleep(dice.millis(50, 4000)).await;
            stage.db.set_disk_full(false);
        }
        Kind::ServerCrash | Kind::Failover => {
            stage.weather.struck(kind);
            stage.db.crash();
            let longest = if kind == Kind::Failover { 8000 } else { 2000 };
            sleep(dice.millis(5, longest)).await;
            stage.db.restart();
        }
        Kind::Restored => restored::restore(stage).await,
        Kind::StandbyGone => {
            stage.weather.struck(kind);
            stage.db.set_standby(false);
            sleep(dice.millis(20, *dice.pick(&[300, 8000, 60_000]))).await;
            stage.db.set_standby(true);
        }
        Kind::SecondOwner => {
            stage.weather.struck(kind);
            stage.launch();
        }
        Kind::OwnerFrozen => freeze(stage).await,
        Kind::ClockJumps => {
            stage.weather.struck(kind);
            let hour = 3_600_000;
            stage.jump(if dice.percent(50) { hour } else { -hour });
        }
        Kind::TermsAgainstRequest => change_terms(clients).await,
        _ => unreachable!("no kind that strikes at a time of its own"),
    }
}

async fn end_actor(stage: &Stage, kind: Kind) {
    let Some(process) = stage.any() else { return };
    stage.weather.struck(kind);
    if kind == Kind::BalancePanics {
        let scope = stage.dice.pick(&stage.cast.purses).scope;
        poison::balance(&process.engine, scope).await;
    } else {
        let ware = stage.dice.pick(&stage.cast.wares);
        poison::shelf(&process.engine, ware.merchant, ware.sku).await;
    }
    if stage.db.is_busy() {
        stage.weather.reached(Sometimes::DiedInLane);
    }
}

/// A rolling restart: the next process waits already.
async fn drain(stage: &Rc<Stage>) {
    let Some(process) = stage.last() else { return };
    stage.weather.struck(Kind::DrainUnderLoad);
    stage.launch();
    let drained = process.engine.drain();
    let _cut_short = process.power.alive(Call::Drain, drained).await.is_err();
    process.power.cut();
}

/// An order or a payment that cannot be written for a while.
fn curse(stage: &Stage, kind: Kind, failure: Failure) {
    stage.weather.struck(kind);
    let dice = &stage.dice;
    let reference = if dice.percent(15) {
        let name = dice.pick(&["payment", "withdrawal"]);
        format!("{name}-{}", dice.below(6))
    } else {
        format!("order-{}", dice.below(40))
    };
    stage.db.curse(&reference, failure);
}

async fn freeze(stage: &Rc<Stage>) {
    let Some(process) = stage.any() else { return };
    stage.weather.struck(Kind::OwnerFrozen);
    process.power.freeze();
    if stage.dice.percent(60) {
        stage.launch();
    }
    sleep(stage.dice.millis(100, 15_000)).await;
    process.power.thaw();
}

/// The merchant changes something of a relationship, and waits until it is in force.
async fn change_terms(clients: &Clients) {
    let stage = &clients.stage;
    stage.weather.struck(Kind::TermsAgainstRequest);
    let purse = stage.dice.index(stage.cast.purses.len());
    let change = {
        let relationship = stage.cast.purses[purse].scope.relationship;
        let mut tables = stage.db.tables();
        let terms = tables
            .terms
            .get_mut(&relationship)
            .expect("the cast's terms");
        terms.version += 1;
        change(stage, purse, terms)
    };
    apply_terms(clients, purse, change).await;
}

/// Tells a process that the terms changed.
pub(crate) async fn apply_terms(clients: &Clients, purse: usize, change: Change) {
    let stage = &clients.stage;
    let Some(process) = stage.any() else {
        // Stored, and nobody there to take it into force.
        stage
            .history
            .sent(&stage.weather, (Some(purse), None), Asked::Change(change));
        return;
    };
    let scope = stage.cast.purses[purse].scope;
    let of_relationship = stage.cast.purses.iter();
    let balances: Vec<_> = of_relationship
        .filter(|purse| purse.scope.relationship == scope.relationship)
        .map(|purse| purse.scope.balance)
        .collect();
    let answer = async {
        match process
            .engine
            .terms_changed(scope.relationship, &balances)
            .await
        {
            Ok(()) => Heard::Done,
            // It is stored, but not known to be in force everywhere.
            Err(_) => Heard::Unknown,
        }
    };
    clients
        .call(&process, (Some(purse), None), Asked::Change(change), answer)
        .await;
}

fn change(stage: &Stage, purse: usize, terms: &mut Terms) -> Change {
    let dice = &stage.dice;
    let purse = &stage.cast.purses[purse];
    let key = *dice.pick(&purse.keys);
    let sku = dice.pick(&purse.wares).sku;
    let limit = || dice.percent(60).then(|| minor(dice.between(500, 12_000)));
    match dice.below(6) {
        0 => {
            terms.keys.remove(&key);
            Change::KeyRevoked(key)
        }
        1 => {
            let active = terms.status != Status::Active;
            terms.status = if active {
                Status::Active
            } else {
                Status::Suspended
            };
            Change::Active(active)
        }
        2 => {
            let allowed = terms.access.remove(&(sku.product, None)).is_none();
            if allowed {
                terms.access.insert(
                    (sku.product, None),
                    engine::relationships::Access::default(),
                );
            }
            Change::Access(sku.product, allowed)
        }
        3 => {
            let access = terms.access.entry((sku.product, None)).or_default();
            access.wholesale_price = Some(minor(dice.between(100, 900)));
            Change::Access(sku.product, true)
        }
        4 => {
            (terms.purchase_limit_daily, terms.purchase_limit_monthly) = (limit(), limit());
            Change::Limits(terms.purchase_limit_daily, terms.purchase_limit_monthly)
        }
        _ => {
            let cap = limit();
            let Some(own) = terms.keys.get_mut(&key) else {
                return Change::KeyRevoked(key);
            };
            own.daily_spend_cap = cap;
            Change::KeyCap(key, cap)
        }
    }
}
