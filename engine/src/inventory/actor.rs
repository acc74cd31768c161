//! The actor of one sku: every claim of it passes here, one after the other.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use actix::{Actor, ActorContext, Addr, AsyncContext, Context, Handler};
use tokio::time::Instant;

use super::{
    Reach,
    fetch::Fetch,
    hold::StockHold,
    messages::{
        Claim, Claimed, Confirm, Fetched, GivenBack, Kept, Offered, Paid, Read, Release, Reserve,
        Reserving, Restocked, Settled, Shelf, StillOffered, Withdraw, Withdrawn, WithoutRows,
    },
    pool::{self, Pool, Taken, Waiting},
    reservation::Reservation,
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
    /// Who waits for the shelf to be read, in the order they came.
    parked: VecDeque<Parked>,
    latch: Arc<Latch>,
}

/// Who may have to wait until the shelf is read.
enum Parked {
    Claim(Claim),
    Reserve(Reserve),
    Withdraw(Withdraw),
}

impl Parked {
    /// Adds what it waits for beside what is reserved.
    const fn add_to(&self, waiting: &mut Waiting) {
        match self {
            Self::Claim(claim) => waiting.serials += claim.quantity as usize,
            Self::Reserve(reserve) => match reserve.reach {
                Reach::Share => waiting.shared += reserve.call.quantity as usize,
                Reach::Shelf | Reach::Beyond => waiting.units += reserve.call.quantity as usize,
            },
            Self::Withdraw(withdraw) => waiting.units += withdraw.serials.len(),
        }
    }

    fn is_late(&self) -> bool {
        match self {
            Self::Claim(claim) => claim.deadline.passed() || claim.reply.is_closed(),
            Self::Reserve(reserve) => reserve.deadline.passed() || reserve.reply.is_closed(),
            Self::Withdraw(withdraw) => withdraw.reply.is_closed(),
        }
    }

    fn fail(self, fault: Fault) {
        match self {
            Self::Claim(claim) => answer(claim.reply, Claimed::Failed(fault)),
            Self::Reserve(reserve) => answer(reserve.reply, Reserving::Failed(fault)),
            Self::Withdraw(withdraw) => answer(withdraw.reply, Err(fault)),
        }
    }
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

    /// Serves who is parked as far as the window reaches, and reads on if it should.
    fn serve(&mut self, actor: &Addr<Self>) {
        while let Some(next) = self.parked.pop_front() {
            if next.is_late() {
                next.fail(Fault::overloaded());
                continue;
            }
            let waits = match next {
                Parked::Claim(claim) => self.claim(claim, actor).map(Parked::Claim),
                Parked::Reserve(reserve) => self.reserve(reserve, actor).map(Parked::Reserve),
                Parked::Withdraw(withdraw) => self.withdraw(withdraw, actor).map(Parked::Withdraw),
            };
            if let Some(waits) = waits {
                self.parked.push_front(waits);
                break;
            }
        }
        self.read_ahead(actor);
    }

    /// Each gives back what must wait until the shelf is read. A hold in a reply that nobody takes is
    /// dropped, and puts the serials back.
    fn claim(&mut self, claim: Claim, actor: &Addr<Self>) -> Option<Claim> {
        let quantity = claim.quantity as usize;
        let taken = match claim.withdrawal {
            None => self.pool.claim(quantity),
            Some(id) => self.pool.redeem(id, quantity),
        };
        let claimed = match taken {
            Taken::Short => return Some(claim),
            Taken::Out => Claimed::OutOfStock,
            Taken::Running => Claimed::Failed(Fault::OutcomeUnknown),
            Taken::Serials(serials) => {
                let (actor, guard) = (actor.clone(), self.latch.hold());
                Claimed::Stock(StockHold::new(actor, serials, claim.withdrawal, guard))
            }
        };
        answer(claim.reply, claimed);
        None
    }

    fn reserve(&mut self, reserve: Reserve, actor: &Addr<Self>) -> Option<Reserve> {
        let Reserve {
            call, reach, owner, ..
        } = reserve;
        let quantity = call.quantity as usize;
        let reserving = match self.pool.reserve(call.id, quantity, reach) {
            pool::Reserving::Short => return Some(reserve),
            pool::Reserving::Out => Reserving::OutOfStock,
            pool::Reserving::Used => Reserving::Failed(Fault::Aborted {
                reason: "the id of a reservation is used already",
            }),
            pool::Reserving::Done(made) => {
                let shelf = (actor.clone(), self.latch.hold(), made);
                Reserving::Held(Reservation::new(call, reach, owner, shelf))
            }
        };
        answer(reserve.reply, reserving);
        None
    }

    fn withdraw(&mut self, withdraw: Withdraw, actor: &Addr<Self>) -> Option<Withdraw> {
        if self.pool.must_read_for(&withdraw.serials) {
            return Some(withdraw);
        }
        let taken = self.pool.withdraw(withdraw.serials);
        let hold = StockHold::by_name(actor.clone(), taken, self.latch.hold());
        answer(withdraw.reply, Ok(hold));
        None
    }

    /// Behind those that wait already, this one waits too: nobody is overtaken.
    fn park(&mut self, waits: Parked, actor: &Addr<Self>) {
        self.parked.push_back(waits);
        if self.parked.len() == 1 || !self.fetching {
            self.serve(actor);
        }
    }

    fn read_ahead(&mut self, actor: &Addr<Self>) {
        if self.fetching {
            return;
        }
        let mut waiting = Waiting::default();
        for parked in &self.parked {
            parked.add_to(&mut waiting);
        }
        let now = clock::instant();
        let soon = self.last_read.is_some_and(|last| now - last < WINDOW_LASTS);
        if let Some(wanted) = self.pool.wanted(waiting, soon) {
            if wanted.serials > 0 {
                self.last_read = Some(now);
            }
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
        self.park(Parked::Claim(claim), &ctx.address());
    }
}

impl Handler<Release> for InventoryActor {
    type Result = ();

    fn handle(&mut self, release: Release, ctx: &mut Context<Self>) {
        self.pool.release(release.serials);
        if let Some(id) = release.withdrawal {
            self.pool.reservations_mut().put_back(id);
        }
        self.serve(&ctx.address());
    }
}

impl Handler<Confirm> for InventoryActor {
    type Result = ();

    fn handle(&mut self, confirm: Confirm, _: &mut Context<Self>) {
        self.pool.confirm(confirm.quantity);
        if let Some(id) = confirm.withdrawal {
            self.pool.reservations_mut().redeemed(id);
        }
    }
}

impl Handler<Reserve> for InventoryActor {
    type Result = ();

    fn handle(&mut self, reserve: Reserve, ctx: &mut Context<Self>) {
        self.park(Parked::Reserve(reserve), &ctx.address());
    }
}

impl Handler<Kept> for InventoryActor {
    type Result = ();

    fn handle(&mut self, Kept { id }: Kept, _: &mut Context<Self>) {
        self.pool.reservations_mut().kept(id);
    }
}

impl Handler<GivenBack> for InventoryActor {
    type Result = ();

    fn handle(&mut self, GivenBack { id }: GivenBack, ctx: &mut Context<Self>) {
        self.pool.reservations_mut().given_back(id);
        self.serve(&ctx.address());
    }
}

impl Handler<Settled> for InventoryActor {
    type Result = ();

    fn handle(&mut self, Settled { reply }: Settled, _: &mut Context<Self>) {
        answer(reply, self.pool.reservations().settled());
    }
}

impl Handler<WithoutRows> for InventoryActor {
    type Result = ();

    fn handle(&mut self, WithoutRows { gone }: WithoutRows, ctx: &mut Context<Self>) {
        self.pool.reservations_mut().without_rows(&gone);
        self.serve(&ctx.address());
    }
}

impl Handler<Paid> for InventoryActor {
    type Result = ();

    fn handle(&mut self, Paid { paid }: Paid, ctx: &mut Context<Self>) {
        for made in paid {
            self.pool.reservations_mut().paid(made);
        }
        self.serve(&ctx.address());
    }
}

impl Handler<Withdraw> for InventoryActor {
    type Result = ();

    fn handle(&mut self, withdraw: Withdraw, ctx: &mut Context<Self>) {
        if withdraw.closed {
            self.pool.uncounted();
        }
        // It takes nothing that a claim waits for, so it waits only for a reading of its own.
        if let Some(waits) = self.withdraw(withdraw, &ctx.address()) {
            self.parked.push_back(Parked::Withdraw(waits));
        }
        self.read_ahead(&ctx.address());
    }
}

impl Handler<Withdrawn> for InventoryActor {
    type Result = ();

    fn handle(&mut self, Withdrawn { serials }: Withdrawn, ctx: &mut Context<Self>) {
        self.pool.withdrawn(&serials);
        // A count may have waited for the end of it.
        self.read_ahead(&ctx.address());
    }
}

impl Handler<Fetched> for InventoryActor {
    type Result = ();

    fn handle(&mut self, Fetched { read, restocks }: Fetched, ctx: &mut Context<Self>) {
        self.fetching = false;
        match read {
            Ok(mut window) => {
                // What was put on the shelf while it was being read may be beyond its end.
                if let Some(beyond) = &mut window.beyond
                    && restocks != self.restocks
                {
                    beyond.restocked();
                }
                self.pool.fetched(window);
                self.serve(&ctx.address());
            }
            Err(fault) => {
                self.pool.uncounted();
                for waits in self.parked.drain(..) {
                    waits.fail(fault.clone());
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
            reserved: self.pool.reservations().units(),
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
