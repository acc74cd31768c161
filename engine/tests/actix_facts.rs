//! What the engine relies on of the actor framework, so that an upgrade that changes it fails here.
//!
//! Keeps: a paused clock skips what is waited for; a panic ends one actor and no other; whoever asked
//! a dead or a stopped actor learns of it; messages keep their order and are not refused.

use std::{cell::RefCell, rc::Rc, time::Duration};

use actix::{Actor, ActorContext, Addr, Context, Handler, Message};
use actix_rt::System;
use tokio::sync::oneshot;

/// Adds numbers up and replies with the sum.
struct Sum {
    total: u64,
    seen: Rc<RefCell<Vec<u64>>>,
}

impl Actor for Sum {
    type Context = Context<Self>;
}

#[derive(Message)]
#[rtype(result = "()")]
struct Add(u64, Option<oneshot::Sender<u64>>);

#[derive(Message)]
#[rtype(result = "()")]
struct Panic;

#[derive(Message)]
#[rtype(result = "()")]
struct Stop;

impl Handler<Add> for Sum {
    type Result = ();

    fn handle(&mut self, Add(number, reply): Add, _: &mut Context<Self>) {
        self.total += number;
        self.seen.borrow_mut().push(number);
        if let Some(reply) = reply {
            let _unwanted = reply.send(self.total);
        }
    }
}

impl Handler<Panic> for Sum {
    type Result = ();

    fn handle(&mut self, _: Panic, _: &mut Context<Self>) {
        panic!("on purpose");
    }
}

impl Handler<Stop> for Sum {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}

type Seen = Rc<RefCell<Vec<u64>>>;

fn actor() -> (Addr<Sum>, Seen) {
    let seen = Seen::default();
    let of_actor = Rc::clone(&seen);
    let actor = Sum::create(|_| Sum {
        total: 0,
        seen: of_actor,
    });
    (actor, seen)
}

fn paused<T>(test: impl Future<Output = T>) -> T {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime")
    };
    System::with_tokio_rt(runtime).block_on(test)
}

#[expect(clippy::disallowed_methods, reason = "the fact is about this method")]
fn tell<M>(actor: &Addr<Sum>, message: M)
where
    Sum: Handler<M>,
    M: Message<Result = ()> + Send + 'static,
{
    actor.do_send(message);
}

async fn ask(actor: &Addr<Sum>, number: u64) -> Option<u64> {
    let (reply, answer) = oneshot::channel();
    tell(actor, Add(number, Some(reply)));
    answer.await.ok()
}

#[test]
fn paused_clock_skips_what_is_waited_for() {
    paused(async {
        #[expect(clippy::disallowed_methods, reason = "the fact is about this clock")]
        let now = tokio::time::Instant::now;
        let started = now();
        tokio::time::sleep(Duration::from_hours(1)).await;
        assert_eq!(now() - started, Duration::from_hours(1));
    });
}

#[test]
fn panic_ends_one_actor_and_who_asked_it_learns_of_it() {
    paused(async {
        let ((dies, _), (lives, _)) = (actor(), actor());
        assert_eq!(ask(&dies, 1).await, Some(1));
        tell(&dies, Panic);
        assert_eq!(ask(&dies, 1).await, None, "asked while it was dying");
        assert_eq!(ask(&dies, 1).await, None, "asked when it was dead");
        assert!(!dies.connected());
        assert_eq!(ask(&lives, 1).await, Some(1));
    });
}

#[test]
fn stopped_actor_handles_nothing_that_waits_behind_the_stop() {
    paused(async {
        let (actor, seen) = actor();
        tell(&actor, Add(1, None));
        tell(&actor, Stop);
        assert_eq!(ask(&actor, 2).await, None);
        assert_eq!(*seen.borrow(), [1]);
    });
}

#[test]
fn messages_are_handled_in_order_and_never_refused_for_want_of_room() {
    paused(async {
        let (actor, seen) = actor();
        // The mailbox says 16; what is told does not count.
        for number in 0..10_000 {
            tell(&actor, Add(number, None));
        }
        assert!(ask(&actor, 10_000).await.is_some());
        assert!(seen.borrow().iter().copied().eq(0..=10_000));
    });
}

#[test]
fn message_is_handled_even_if_nobody_waits_for_its_reply() {
    paused(async {
        let (actor, seen) = actor();
        let (reply, answer) = oneshot::channel();
        tell(&actor, Add(1, Some(reply)));
        drop(answer);
        assert_eq!(ask(&actor, 2).await, Some(3));
        assert_eq!(*seen.borrow(), [1, 2]);
    });
}

#[test]
fn question_sent_through_the_framework_is_skipped_once_its_future_is_dropped() {
    paused(async {
        let (actor, seen) = actor();
        drop(actor.send(Add(1, None)));
        let mut asked = Box::pin(actor.send(Add(2, None)));
        assert!(futures_util::poll!(&mut asked).is_pending());
        drop(asked);
        assert_eq!(ask(&actor, 4).await, Some(4));
        assert_eq!(
            *seen.borrow(),
            [4],
            "why settlements are told and never sent"
        );
    });
}
