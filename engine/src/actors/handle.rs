//! What others hold of one incarnation of an actor, and the two messages that every actor takes.

use std::sync::{Arc, atomic::AtomicBool};

use actix::{Actor, Addr, Context, Handler, Message};
use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use super::{
    Entry, Latch,
    ask::{Gone, ask, tell},
};

/// Stop if idle, and say whether.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Retire {
    pub(crate) reply: oneshot::Sender<bool>,
}

/// Storage contradicts this actor's memory: end, so that a successor starts from storage.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Poison;

/// One incarnation of an actor.
pub(crate) struct Handle<A: Actor> {
    pub(crate) actor: Addr<A>,
    generation: u64,
    latch: Arc<Latch>,
    touched: Arc<AtomicBool>,
}

impl<A: Actor> Handle<A> {
    pub(crate) fn new(actor: Addr<A>, generation: u64, latch: Arc<Latch>) -> Self {
        Self {
            actor,
            generation,
            latch,
            touched: Arc::new(AtomicBool::new(true)),
        }
    }
}

// Derived, it would demand that the actor itself can be cloned.
impl<A: Actor> Clone for Handle<A> {
    fn clone(&self) -> Self {
        Self {
            actor: self.actor.clone(),
            generation: self.generation,
            latch: Arc::clone(&self.latch),
            touched: Arc::clone(&self.touched),
        }
    }
}

impl<A: Actor<Context = Context<A>> + Handler<Retire> + Handler<Poison>> Entry for Handle<A> {
    fn generation(&self) -> u64 {
        self.generation
    }

    fn latch(&self) -> &Arc<Latch> {
        &self.latch
    }

    fn touched(&self) -> &AtomicBool {
        &self.touched
    }

    fn retire(&self) -> BoxFuture<'_, Result<bool, Gone>> {
        Box::pin(ask(&self.actor, |reply| Retire { reply }))
    }

    fn poison(&self) {
        tell(&self.actor, Poison);
    }
}
