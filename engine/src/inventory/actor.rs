//! The actor of one sku: every claim of it passes here, one after the other.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use actix::{Actor, ActorContext, Addr, AsyncContext, Context, Handler};
use tokio::time::Instant;

use super::{
    fetch::Fetch,
    hold::StockHold,
    messages::{
        Claim, Claimed, Confirm, Fetched, Offered, Read, Release, Restocked, Shelf, StillOffered,
        Withdraw, Withdrawn,
    },
    pool::{Pool, Taken},
};
use crate::{
    actors::{Latch, Poison, Retire, ask::answer},
    clock,
    fault::Fault,
};

/// A shelf that must be read again so soon reads twice as much: its window lasts about so long, and all
/// windows together hold what is sold in that time.
const WINDOW_LASTS: Duration = Duration::from_secs(10);

/// See the module.
pub(crate) struct InventoryActor {
    pool: Pool,
    fetch: Fetch,
    fetching: bool,
    last_read: Option<Instant>,
    restocks: u64,
    /// Claims that wait for the shelf to be read, in the order they came.
    parked: VecDeque<Claim>,
    latch: Arc<Latch>,
}

impl InventoryActor {
    pub(crate) const fn new(pool: Pool, fetch: Fetch, latch: Arc<Latch>) -> Self {
        let parked = VecDeque::new();
        Self {
            pool,
            fetch,
            fetching: false,
            last_read: None,
            restocks: 0,
            parked,
            latch,
        }
    }

    /// Serves parked claims as far as the window reaches, and reads on if it should.
    fn serve(&mut self, actor: &Addr<Self>) {
        while let Some(claim) = self.parked.front() {
            let late = claim.deadline.passed() || claim.reply.is_closed();
            let taken = if late {
                None
            } else {
                Some(self.pool.claim(claim.quantity as usize))
            };
            if matches!(taken, Some(Taken::Short)) {
                break;
            }
            let claim = self.parked.pop_front().expect("there is a front");
            let claimed = match taken {
                Some(Taken::Serials(serials)) => {
                    Claimed::Stock(StockHold::new(actor.clone(), serials, self.latch.hold()))
                }
                Some(Taken::Out | Taken::Short) => Claimed::OutOfStock,
                None => Claimed::Failed(Fault::overloaded()),
            };
            // A hold in a reply that nobody takes is dropped, and puts the serials back.
            answer(claim.reply, claimed);
        }
        self.read_ahead(actor);
    }

    fn read_ahead(&mut self, actor: &Addr<Self>) {
        let waiting = self
            .parked
            .iter()
            .map(|claim| claim.quantity as usize)
            .sum();
        if self.fetching {
            return;
        }
        let now = clock::instant();
        let soon = self.last_read.is_some_and(|last| now - last < WINDOW_LASTS);
        if let Some(wanted) = self.pool.wanted(waiting, soon) {
            self.last_read = Some(now);
            self.fetching = true;
            self.fetch
                .start(self.pool.cursor(), wanted, self.restocks, actor.clone());
        }
    }
}

impl Actor for InventoryActor {
    type Context = Context<Self>;
}

impl Handler<Claim> for InventoryActor {
    type Result = ();

    fn handle(&mut self, claim: Claim, ctx: &mut Context<Self>) {
        self.parked.push_back(claim);
        // Behind claims that wait already, this one waits too: nobody is overtaken.
        if self.parked.len() == 1 || !self.fetching {
            self.serve(&ctx.address());
        }
    }
}

impl Handler<Release> for InventoryActor {
    type Result = ();

    fn handle(&mut self, Release { serials }: Release, ctx: &mut Context<Self>) {
        self.pool.release(serials);
        self.serve(&ctx.address());
    }
}

impl Handler<Confirm> for InventoryActor {
    type Result = ();

    fn handle(&mut self, Confirm { quantity }: Confirm, _: &mut Context<Self>) {
        self.pool.confirm(quantity);
    }
}

impl Handler<Withdraw> for InventoryActor {
    type Result = ();

    fn handle(&mut self, Withdraw { serials, reply }: Withdraw, ctx: &mut Context<Self>) {
        let taken = self.pool.withdraw(serials);
        let hold = StockHold::by_name(ctx.address(), taken, self.latch.hold());
        // A hold in a reply that nobody takes is dropped, and puts the serials back.
        answer(reply, hold);
        self.read_ahead(&ctx.address());
    }
}

impl Handler<Withdrawn> for InventoryActor {
    type Result = ();

    fn handle(&mut self, Withdrawn { serials }: Withdrawn, _: &mut Context<Self>) {
        self.pool.withdrawn(&serials);
    }
}

impl Handler<Fetched> for InventoryActor {
    type Result = ();

    fn handle(&mut self, Fetched { read, restocks }: Fetched, ctx: &mut Context<Self>) {
        self.fetching = false;
        match read {
            Ok(window) => {
                // What was put on the shelf while it was being read may be beyond its end.
                let more = window.more || restocks != self.restocks;
                self.pool.fetched(window.serials, window.end, more);
                self.serve(&ctx.address());
            }
            Err(fault) => {
                for claim in self.parked.drain(..) {
                    answer(claim.reply, Claimed::Failed(fault.clone()));
                }
            }
        }
    }
}

impl Handler<Restocked> for InventoryActor {
    type Result = ();

    fn handle(&mut self, Restocked { reply }: Restocked, ctx: &mut Context<Self>) {
        self.restocks += 1;
        self.pool.restocked();
        self.serve(&ctx.address());
        answer(reply, ());
    }
}

impl Handler<Read> for InventoryActor {
    type Result = ();

    fn handle(&mut self, Read { reply }: Read, _: &mut Context<Self>) {
        let shelf = Shelf {
            in_window: self.pool.in_window(),
            held: self.pool.held(),
            held_beyond: self.pool.held_beyond(),
            cursor: self.pool.cursor(),
        };
        answer(reply, shelf);
    }
}

impl Handler<Offered> for InventoryActor {
    type Result = ();

    fn handle(&mut self, Offered { skip, limit, reply }: Offered, _: &mut Context<Self>) {
        answer(reply, self.pool.offered(skip, limit));
    }
}

impl Handler<StillOffered> for InventoryActor {
    type Result = ();

    fn handle(&mut self, StillOffered { serials, reply }: StillOffered, _: &mut Context<Self>) {
        answer(reply, self.pool.offers_any(&serials));
    }
}

impl Handler<Retire> for InventoryActor {
    type Result = ();

    fn handle(&mut self, Retire { reply }: Retire, ctx: &mut Context<Self>) {
        let idle = self.parked.is_empty() && !self.fetching && self.latch.is_zero();
        if idle {
            ctx.stop();
        }
        answer(reply, idle);
    }
}

impl Handler<Poison> for InventoryActor {
    type Result = ();

    fn handle(&mut self, _: Poison, _: &mut Context<Self>) {
        panic!("storage contradicts memory");
    }
}
