//! An actor of one key as the registry meets it: a mailbox, memory that dies with it, and holds that
//! do not.
//!
//! What is durable outlives it. When an incarnation is loaded, no other may live and nothing of the one
//! before may be undecided: that is asserted here, at every load.

use std::{
    collections::VecDeque,
    sync::{Arc, atomic::AtomicBool},
};

use futures_util::future::BoxFuture;
use shuttle::{
    sync::{
        Condvar,
        mpsc::{Sender, channel},
    },
    thread,
};

use crate::{
    Latch, LatchGuard,
    ask::Gone,
    registry::Entry,
    sync::{AtomicUsize, Mutex, Ordering, PoisonError},
};

/// What is durable of the key, and who lives on it.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) posted: AtomicUsize,
    incarnations: AtomicUsize,
    undecided: AtomicUsize,
}

impl Stored {
    pub(crate) fn new(posted: usize) -> Arc<Self> {
        Arc::new(Self {
            posted: AtomicUsize::new(posted),
            incarnations: AtomicUsize::new(0),
            undecided: AtomicUsize::new(0),
        })
    }
}

enum Message {
    Hold(Sender<Option<Hold>>),
    Capture,
    Release,
    Read(Sender<(usize, usize)>),
    Retire(Sender<bool>),
    Poison,
}

/// Messages in their order. Those that are left when the actor ends are dropped, with their replies.
struct Mailbox {
    /// None: the actor is gone.
    messages: Mutex<Option<VecDeque<Message>>>,
    arrived: Condvar,
}

impl Mailbox {
    fn open() -> Arc<Self> {
        Arc::new(Self {
            messages: Mutex::new(Some(VecDeque::new())),
            arrived: Condvar::new(),
        })
    }

    fn send(&self, message: Message) -> Result<(), Gone> {
        let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        messages.as_mut().ok_or(Gone)?.push_back(message);
        self.arrived.notify_one();
        Ok(())
    }

    /// The next message, once there is one; none when the actor is gone.
    fn next(&self) -> Option<Message> {
        let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(message) = messages.as_mut()?.pop_front() {
                return Some(message);
            }
            let woken = self.arrived.wait(messages);
            messages = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn close(&self) {
        let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        let left = messages.take();
        // A hold in a reply gives back what it holds, to this very mailbox.
        drop(messages);
        drop(left);
    }
}

/// One unit that is spoken for: it is captured once durable, or goes back when it is dropped.
pub(crate) struct Hold {
    mailbox: Arc<Mailbox>,
    stored: Arc<Stored>,
    captured: bool,
    // Given back last: whoever is loaded afterwards finds everything told.
    _guard: LatchGuard,
}

impl Hold {
    /// The lane's part: durable first, then told.
    pub(crate) fn commit(mut self) {
        self.stored.posted.fetch_sub(1, Ordering::SeqCst);
        self.captured = true;
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.stored.undecided.fetch_sub(1, Ordering::SeqCst);
        let told = if self.captured {
            Message::Capture
        } else {
            Message::Release
        };
        // A dead actor needs no settlement.
        let _gone = self.mailbox.send(told);
    }
}

/// What others hold of one incarnation.
#[derive(Clone)]
pub(crate) struct Handle {
    mailbox: Arc<Mailbox>,
    generation: u64,
    latch: Arc<Latch>,
    touched: Arc<AtomicBool>,
}

/// Loads an incarnation from what is durable, and starts it.
pub(crate) fn load(stored: &Arc<Stored>, generation: u64) -> Handle {
    let before = stored.incarnations.fetch_add(1, Ordering::SeqCst);
    assert_eq!(before, 0, "I19: two incarnations");
    let undecided = stored.undecided.load(Ordering::SeqCst);
    assert_eq!(undecided, 0, "loaded while a hold of the one before lives");
    let mailbox = Mailbox::open();
    let latch = Arc::<Latch>::default();
    let actor = Actor {
        posted: stored.posted.load(Ordering::SeqCst),
        held: 0,
        mailbox: Arc::clone(&mailbox),
        stored: Arc::clone(stored),
        latch: Arc::clone(&latch),
    };
    drop(thread::spawn(move || actor.run()));
    Handle {
        mailbox,
        generation,
        latch,
        touched: Arc::new(AtomicBool::new(true)),
    }
}

struct Actor {
    posted: usize,
    held: usize,
    mailbox: Arc<Mailbox>,
    stored: Arc<Stored>,
    latch: Arc<Latch>,
}

impl Actor {
    fn run(mut self) {
        while let Some(message) = self.mailbox.next() {
            match message {
                Message::Hold(reply) => drop(reply.send(self.hold())),
                Message::Capture => {
                    self.posted -= 1;
                    self.held -= 1;
                }
                Message::Release => self.held -= 1,
                Message::Read(reply) => drop(reply.send((self.posted, self.held))),
                Message::Retire(reply) => {
                    let idle = self.held == 0 && self.latch.is_zero();
                    if idle {
                        self.end();
                    }
                    let _unwanted = reply.send(idle);
                    if idle {
                        return;
                    }
                }
                Message::Poison => break,
            }
            assert!(self.held <= self.posted, "more is held than there is");
        }
        self.end();
    }

    fn end(&self) {
        self.stored.incarnations.fetch_sub(1, Ordering::SeqCst);
        self.mailbox.close();
    }

    fn hold(&mut self) -> Option<Hold> {
        (self.posted > self.held).then(|| {
            self.held += 1;
            self.stored.undecided.fetch_add(1, Ordering::SeqCst);
            Hold {
                mailbox: Arc::clone(&self.mailbox),
                stored: Arc::clone(&self.stored),
                captured: false,
                _guard: self.latch.hold(),
            }
        })
    }
}

impl Handle {
    pub(crate) fn hold(&self) -> Result<Option<Hold>, Gone> {
        self.ask(Message::Hold)
    }

    /// What is posted and what is held.
    pub(crate) fn read(&self) -> Result<(usize, usize), Gone> {
        self.ask(Message::Read)
    }

    fn ask<R>(&self, question: impl FnOnce(Sender<R>) -> Message) -> Result<R, Gone> {
        let (reply, answer) = channel();
        self.mailbox.send(question(reply))?;
        answer.recv().map_err(|_| Gone)
    }
}

impl Entry for Handle {
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
        Box::pin(async move { self.ask(Message::Retire) })
    }

    fn poison(&self) {
        let _gone = self.mailbox.send(Message::Poison);
    }
}
