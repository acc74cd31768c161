//! The processes of a run, on one database, with one cast.
//!
//! At most one of them owns the shard; others wait, are frozen, or do not know yet that they lost it.
//! When the last one dies, the next is started.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use engine::{
    actors::Arbiters,
    clock::{Clock, Timestamp, instant},
    config::Config,
    engine::{Engine, Ports},
};
use tokio::{
    task::spawn_local,
    time::{Instant, sleep},
};

use crate::{
    cast::Cast,
    database::{Database, Link},
    dice::Dice,
    history::History,
    notebook::{Notebook, Page},
    power::Power,
    tally::{Call, Kind},
    weather::Weather,
};

/// One process: an engine, and whether it lives.
pub(crate) struct Process {
    pub(crate) power: Arc<Power>,
    pub(crate) engine: Engine,
    pub(crate) config: Config,
}

pub(crate) struct Stage {
    pub(crate) dice: Dice,
    pub(crate) weather: Arc<Weather>,
    pub(crate) db: Arc<Database>,
    pub(crate) cast: Cast,
    pub(crate) history: History,
    /// Those that answer, oldest first.
    serving: RefCell<Vec<Rc<Process>>>,
    /// All that were started and live.
    powers: RefCell<Vec<Arc<Power>>>,
    clock: Arc<TownClock>,
    over: Cell<bool>,
    /// Promises that were seen to be broken while the run went on.
    pub(crate) broken: RefCell<Vec<String>>,
    /// Sealing an address was made to fail.
    pub(crate) brittle: Cell<bool>,
    /// What this machine remembers, whatever becomes of processes and database.
    pub(crate) notebook: Arc<Notebook>,
    /// The database is being restored to another state.
    pub(crate) restoring: Cell<bool>,
}

/// Wall time: moves with the run's time, and may be wrong.
struct TownClock {
    start: Timestamp,
    began: Instant,
    wrong_by_ms: AtomicI64,
}

impl Clock for TownClock {
    fn now(&self) -> Timestamp {
        let right = self.start + (instant() - self.began);
        let wrong = self.wrong_by_ms.load(Ordering::Relaxed);
        let by = Duration::from_millis(wrong.unsigned_abs());
        let now = if wrong < 0 { right - by } else { right + by };
        Timestamp::from_timestamp_micros(now.timestamp_micros()).expect("a date of our time")
    }
}

impl Stage {
    pub(crate) fn new(
        dice: Dice,
        weather: Arc<Weather>,
        db: Arc<Database>,
        cast: Cast,
    ) -> Rc<Self> {
        let clock = Arc::new(TownClock {
            start: cast.start,
            began: instant(),
            wrong_by_ms: AtomicI64::new(0),
        });
        Rc::new(Self {
            dice,
            weather,
            db,
            cast,
            history: History::default(),
            serving: RefCell::default(),
            powers: RefCell::default(),
            clock,
            over: Cell::new(false),
            broken: RefCell::default(),
            brittle: Cell::new(false),
            notebook: Arc::default(),
            restoring: Cell::new(false),
        })
    }

    /// Starts a process. It waits for the shard as long as another has it.
    pub(crate) fn launch(self: &Rc<Self>) {
        let power = Power::on(&self.weather);
        let mut config = self.cast.config.clone();
        if self.weather.strikes(Kind::LanesChanged, 300) {
            config.lanes = u16::try_from(self.dice.between(1, 5)).expect("few lanes");
        }
        if self.weather.strikes(Kind::CrashAtStart, 60) {
            power.burn(self.dice.below(12));
        }
        self.note(&config);
        self.powers.borrow_mut().push(Arc::clone(&power));
        let stage = Rc::clone(self);
        spawn_local(async move {
            stage.live(Arc::clone(&power), config).await;
            power.cut();
            stage
                .powers
                .borrow_mut()
                .retain(|known| !Arc::ptr_eq(known, &power));
            sleep(stage.dice.millis(0, 400)).await;
            if stage.powers.borrow().is_empty() && !stage.over.get() {
                stage.launch();
            }
        });
    }

    /// A whole life, from the start to the death.
    async fn live(&self, power: Arc<Power>, config: Config) {
        let vault = self.cast.vault.clone();
        let started = Engine::start(
            config.clone(),
            vault,
            self.ports(&power),
            Arbiters::current(),
        );
        let engine = match power.alive(Call::Start, started).await {
            Ok(Ok(engine)) => engine,
            Ok(Err(error)) => {
                self.weather.event("no start", || error.to_string());
                return;
            }
            Err(_) => return,
        };
        self.weather.event("serves", String::new);
        // Whatever happens, only a lie may look like drift.
        engine.verify(Link::new(&self.db, &power));
        let process = Rc::new(Process {
            power,
            engine,
            config,
        });
        self.serving.borrow_mut().push(Rc::clone(&process));
        tokio::select! {
            biased;
            () = process.power.died() => {}
            () = process.engine.lost() => self.weather.event("lost", String::new),
        }
        self.serving
            .borrow_mut()
            .retain(|known| !Rc::ptr_eq(known, &process));
    }

    fn ports(&self, power: &Arc<Power>) -> Ports {
        let link = Link::new(&self.db, power);
        let page = Page {
            notebook: Arc::clone(&self.notebook),
            power: Arc::clone(power),
        };
        Ports {
            journal: link.clone(),
            tripwire: Some(Arc::new(page)),
            merchants: link.clone(),
            relationships: link.clone(),
            catalog: link.clone(),
            balances: link.clone(),
            inventory: link,
            clock: self.clock.clone(),
            random: self.cast.random.clone(),
        }
    }

    fn note(&self, config: &Config) {
        if config.settled_entries_max <= 4 && self.weather.may(Kind::BudgetReached) {
            self.weather.struck(Kind::BudgetReached);
        }
        if config.idle_ms <= 300 && self.weather.may(Kind::PassivationAgainstRequest) {
            self.weather.struck(Kind::PassivationAgainstRequest);
        }
    }

    /// Any process that answers: also one that does not know yet that it lost the shard.
    pub(crate) fn any(&self) -> Option<Rc<Process>> {
        let serving = self.living();
        (!serving.is_empty()).then(|| Rc::clone(self.dice.pick(&serving)))
    }

    /// The last process that began to serve.
    pub(crate) fn last(&self) -> Option<Rc<Process>> {
        self.living().pop()
    }

    fn living(&self) -> Vec<Rc<Process>> {
        let serving = self.serving.borrow();
        serving
            .iter()
            .filter(|process| process.power.is_on())
            .cloned()
            .collect()
    }

    pub(crate) fn jump(&self, by_ms: i64) {
        self.clock.wrong_by_ms.fetch_add(by_ms, Ordering::Relaxed);
    }

    /// Every process but the last one that serves dies; that one is in order.
    pub(crate) fn heal(&self) {
        let last = self.last();
        for power in self.powers.borrow().iter() {
            power.mend();
            let stays = last
                .as_ref()
                .is_some_and(|last| Arc::ptr_eq(&last.power, power));
            if last.is_some() && !stays {
                power.cut();
            }
        }
    }

    /// All processes die, and none is started again.
    pub(crate) fn end(&self) {
        self.over.set(true);
        self.kill();
    }

    /// All processes die.
    pub(crate) fn kill(&self) {
        for power in self.powers.borrow().iter() {
            power.cut();
        }
    }
}
