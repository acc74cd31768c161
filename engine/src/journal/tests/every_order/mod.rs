//! Every order of events of one lane, in a small world: two balances, two products, three serials, four
//! requests of which one is a repeat and one has another body under the same order id.
//!
//! The whole engine runs; what its journal answers, who comes when, who dies and who takes over is
//! chosen, one combination after the other. On each path: whatever a lane sends is stopped by nothing
//! but what was chosen (R1, R2), nothing lands behind a fence (R3), every caller is answered, what was
//! said stays true, and at rest memory says what storage says. No path is a dead end.

mod choices;
mod port;
mod storage;

use std::{cell::RefCell, collections::BTreeSet, convert::Infallible, sync::Arc, time::Duration};

use actix_rt::System;
use futures_util::future::join_all;
use tokio::time::{sleep, timeout};

use self::{
    choices::Choices,
    storage::{Budget, Line, Storage},
};
use crate::{
    actors::Arbiters,
    engine::{Engine, Ports},
    fault::Fault,
    fulfillments::{Delivery, Error, Fulfillment, Outcome, Request},
    ids::BalanceId,
    relationships::RelationshipScope,
    testing::{Scene, World},
};

/// Longer than any engine may take to answer everybody and be ready, once nothing goes wrong any more.
const LIVENESS: Duration = Duration::from_mins(1);
const LIVE: BalanceId = BalanceId(1);
const TEST: BalanceId = BalanceId(2);
/// Order and repeat, the other body, and the order of the other balance, by their place in `REQUESTS`.
const ARRIVALS: [[usize; 4]; 12] = [
    [0, 0, 1, 2],
    [0, 0, 2, 1],
    [0, 1, 0, 2],
    [0, 1, 2, 0],
    [0, 2, 0, 1],
    [0, 2, 1, 0],
    [1, 0, 0, 2],
    [1, 0, 2, 0],
    [1, 2, 0, 0],
    [2, 0, 0, 1],
    [2, 0, 1, 0],
    [2, 1, 0, 0],
];
/// Product and quantity.
type Lines = &'static [(&'static str, u32)];
/// Balance, order id, lines.
const REQUESTS: [(BalanceId, &str, Lines); 3] = [
    (LIVE, "A-1", &[("key", 1)]),
    (LIVE, "A-1", &[("key", 2)]),
    (TEST, "A-2", &[("key", 1), ("pin", 1)]),
];

/// A small world with a process after the other.
struct Stage {
    world: World,
    storage: Arc<Storage>,
    processes: RefCell<Vec<(Line, Engine)>>,
    heard: RefCell<Vec<(usize, Outcome)>>,
}

fn world() -> World {
    let world = World::new().product("key", 2).product("pin", 1);
    world
        .balance("5.00")
        .test_balance("5.00")
        .configure(|config| config.lanes = 1)
}

impl Stage {
    fn request(&self, which: usize) -> Request {
        let (balance, order_id, lines) = REQUESTS[which];
        let mut draft = self.world.draft(order_id, lines);
        draft.scope = scope(&self.world, balance);
        self.world.request_of(draft)
    }

    /// Starts a process whenever one is asked for.
    async fn processes(&self) -> Infallible {
        let mut wanted = self.storage.wanted.subscribe();
        let mut started = 0;
        loop {
            // The sender lives as long as the stage.
            drop(wanted.wait_for(|wanted| *wanted > started).await);
            started += 1;
            let line = Line::new(&self.storage);
            let ports = Ports {
                journal: Arc::new(line.clone()),
                ..self.world.ports()
            };
            let (config, vault) = (self.world.config.clone(), self.world.vault.clone());
            let engine = Engine::start(config, vault, ports, Arbiters::current()).await;
            let engine = engine.expect("a sound world starts");
            self.processes.borrow_mut().push((line, engine));
        }
    }

    fn last(&self) -> Option<(Line, Engine)> {
        let last = self.processes.borrow().last().cloned();
        last.filter(|(line, _)| line.is_alive())
    }

    /// The last process, once its lane is ready.
    async fn ready(&self) -> (Line, Engine) {
        loop {
            if let Some((line, engine)) = self.last() {
                let readiness = engine.readiness();
                if readiness.owner && readiness.lanes {
                    return (line, engine);
                }
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Sends a request to the last process; from the dead nothing is heard.
    async fn send(&self, which: usize) -> Outcome {
        let Some((line, engine)) = self.last() else {
            return Err(Fault::OutcomeUnknown.into());
        };
        let outcome = engine.fulfill(self.request(which)).await;
        if !line.is_alive() {
            return Err(Fault::OutcomeUnknown.into());
        }
        self.heard.borrow_mut().push((which, outcome.clone()));
        outcome
    }

    /// Sends the requests in this order: the first ones at once, the others while a commit is under way.
    async fn chaos(&self, order: [usize; 4], first: usize) {
        let mut begun = self.storage.begun.subscribe();
        let later = async {
            drop(begun.wait_for(|begun| *begun > 0).await);
            join_all(order[first..].iter().map(|which| self.send(*which))).await;
        };
        let at_once = join_all(order[..first].iter().map(|which| self.send(*which)));
        tokio::join!(at_once, later);
    }

    /// Sends a request until it is decided.
    async fn decide(&self, which: usize) {
        loop {
            self.ready().await;
            match self.send(which).await {
                Ok(_) | Err(Error::Refused(_)) => return,
                // An actor that died may need a while; nobody sends faster than that.
                Err(Error::Faulted(_)) => sleep(Duration::from_secs(1)).await,
            }
        }
    }

    async fn play(&self, order: [usize; 4], first: usize, budget: Budget) -> Vec<String> {
        self.ready().await;
        self.storage.allow(budget);
        let chaos = timeout(LIVENESS, self.chaos(order, first)).await;
        chaos.expect("every caller is answered");
        let before = self.heard.borrow().len();
        self.storage.allow(Budget::NONE);
        let healed = async {
            for which in 0..REQUESTS.len() {
                self.decide(which).await;
            }
            self.at_rest().await;
        };
        timeout(LIVENESS, healed).await.expect("no dead end");
        self.judge(before);
        let heard = self.heard.borrow();
        heard.iter().map(ending).collect()
    }

    async fn at_rest(&self) {
        let (_, engine) = self.ready().await;
        let scene = Scene {
            engine,
            world: self.world.clone(),
        };
        scene.check_at_rest().await;
        let balance = scene.engine.balance(scope(&self.world, TEST)).await;
        let balance = balance.expect("a balance");
        let tables = self.world.store.tables();
        let stored = tables.ledger(TEST).next_back().map(|row| *row.stamp());
        let stored = stored.expect("its deposit");
        assert!(!balance.held.is_negative() && balance.available() == balance.posted);
        assert_eq!(
            (balance.version, balance.posted),
            (stored.version, stored.balance_after)
        );
    }

    /// What was said is true: one fulfillment per order id, for one body, told to all alike; and what was
    /// delivered is not denied afterwards.
    fn judge(&self, before: usize) {
        let heard = self.heard.borrow();
        let tables = self.world.store.tables();
        for (balance, order_id) in [(LIVE, "A-1"), (TEST, "A-2")] {
            let kind = crate::balances::EntryKind::Fulfillment;
            let stored = tables.find(balance, kind, order_id).cloned();
            let stored = stored.and_then(crate::testing::EntryRow::into_fulfillment);
            let of_id = |(which, _): &&(usize, Outcome)| REQUESTS[*which].1 == order_id;
            let told: Vec<_> = heard.iter().filter(of_id).collect();
            for (which, outcome) in &told {
                if let Some(delivered) = delivered(outcome) {
                    assert_eq!(Some(delivered), stored.as_ref(), "I13, I15");
                    let asked: u32 = REQUESTS[*which].2.iter().map(|line| line.1).sum();
                    let serials = delivered.contents.serials().count();
                    assert_eq!(serials, asked as usize, "I14");
                }
            }
            let fresh =
                |(_, outcome): &&&(usize, Outcome)| matches!(outcome, Ok(Delivery::Fresh(_)));
            assert!(told.iter().filter(fresh).count() <= 1, "I12: {told:?}");
        }
        for (which, outcome) in &heard[..before] {
            let after = heard[before..].iter().filter(|(other, _)| other == which);
            let denied = |(_, later): &(usize, Outcome)| matches!(later, Err(Error::Refused(_)));
            let delivered = delivered(outcome).is_some();
            assert!(!(delivered && after.clone().any(denied)), "I16: {heard:?}");
        }
    }
}

fn scope(world: &World, balance: BalanceId) -> RelationshipScope {
    RelationshipScope {
        balance,
        test: balance == TEST,
        ..world.scope()
    }
}

fn delivered(outcome: &Outcome) -> Option<&Fulfillment> {
    match outcome {
        Ok(Delivery::Fresh(fulfillment) | Delivery::Replayed(fulfillment)) => Some(fulfillment),
        Err(_) => None,
    }
}

/// What a caller heard, as far as endings are told apart.
fn ending((which, outcome): &(usize, Outcome)) -> String {
    match outcome {
        Ok(Delivery::Fresh(_)) => format!("{which} fresh"),
        Ok(Delivery::Replayed(_)) => format!("{which} replayed"),
        Err(error) => format!("{which} {error}"),
    }
}

/// Walks one path, and gives the choices back.
fn path(
    order: [usize; 4],
    first: usize,
    budget: Budget,
    choices: Choices,
) -> (Choices, Vec<String>) {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let builder = builder.enable_time().start_paused(true);
        builder.build().expect("a runtime")
    };
    System::with_tokio_rt(runtime).block_on(async {
        let world = world();
        let storage = Storage::new(world.store.clone(), choices);
        let stage = Stage {
            world,
            storage: Arc::clone(&storage),
            processes: RefCell::default(),
            heard: RefCell::default(),
        };
        let heard = tokio::select! {
            biased;
            heard = stage.play(order, first, budget) => heard,
            never = stage.processes() => match never {},
        };
        let choices = std::mem::take(&mut *storage.choices());
        (choices, heard)
    })
}

/// Walks every path; says how many there were, and how many ended differently.
fn walk(arrivals: &[[usize; 4]], at_once: &[usize], budget: Budget) -> (usize, usize) {
    let (mut paths, mut endings) = (0, BTreeSet::new());
    for order in arrivals {
        for first in at_once {
            let mut choices = Choices::default();
            loop {
                let (walked, ending) = path(*order, *first, budget, choices);
                choices = walked;
                endings.insert(ending);
                paths += 1;
                if !choices.next() {
                    break;
                }
            }
        }
    }
    (paths, endings.len())
}

#[expect(clippy::print_stderr, reason = "how much was looked at is said")]
fn say(what: &str, (paths, endings): (usize, usize)) {
    eprintln!("{what}: {paths} paths, {endings} endings");
}

#[test]
fn every_order_of_arrivals_survives_any_two_faults() {
    let budget = Budget {
        faults: 2,
        crashes: 2,
        takeovers: 1,
    };
    let walked = walk(&ARRIVALS, &[1, 2, 4], budget);
    say("two faults", walked);
    assert!(walked.0 >= 4900, "fewer paths than there were: {walked:?}");
}

#[test]
fn any_three_faults_are_survived() {
    let budget = Budget {
        faults: 3,
        crashes: 2,
        takeovers: 1,
    };
    let walked = walk(&ARRIVALS[5..6], &[2], budget);
    say("three faults", walked);
    assert!(walked.0 >= 950, "fewer paths than there were: {walked:?}");
}
