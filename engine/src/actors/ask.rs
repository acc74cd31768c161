//! Sending to an actor: the one place that uses the framework's `do_send`.
//!
//! A mailbox is no bound: permits, taken before, are. So a message is never refused for want of room;
//! if the actor is gone it is dropped, and with it the sender of its reply, which the asker notices.

use actix::{Actor, Addr, Context, Handler, Message};
use tokio::sync::oneshot;

/// The actor is gone. Whoever asks resolves the key again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gone;

/// Sends what must not be refused: a settlement, or a fact that is durable already.
pub(crate) fn tell<A, M>(actor: &Addr<A>, message: M)
where
    A: Actor<Context = Context<A>> + Handler<M>,
    M: Message<Result = ()> + Send + 'static,
{
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that sends without a bound"
    )]
    actor.do_send(message);
}

/// Sends a question and waits for its reply. A reply that nobody takes is dropped, and the holds in it
/// give back what they hold.
pub(crate) async fn ask<A, M, R>(
    actor: &Addr<A>,
    question: impl FnOnce(oneshot::Sender<R>) -> M,
) -> Result<R, Gone>
where
    A: Actor<Context = Context<A>> + Handler<M>,
    M: Message<Result = ()> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    #[cfg(feature = "simulation")]
    crate::testing::turns::pass().await;
    tell(actor, question(reply));
    let answer = answer.await.map_err(|_| Gone);
    #[cfg(feature = "simulation")]
    crate::testing::turns::pass().await;
    answer
}

/// Replies to a question. Whoever hung up meanwhile does not want to know, and a reply that nobody
/// takes is dropped with the holds in it.
pub(crate) fn answer<R>(to: oneshot::Sender<R>, with: R) {
    let _unwanted = to.send(with).err();
}
