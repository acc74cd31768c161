//! One connection, message by message.
//!
//! Keeps: what is not cut passes whole and in order; the two directions end together.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    time::sleep,
};

use super::{
    cut::{How, Scissors, Way},
    messages::{Framer, Message},
    route::Route,
    statements::Statements,
};

/// What the journal's sessions call themselves in their start-up packet.
const JOURNAL: &[u8] = b"consign journal";
/// How long a server may still work on what it got after its client was cut off.
const LINGER: Duration = Duration::from_secs(3);
/// How long rows take to arrive that a server is made to send early.
const ROWS_ARRIVE: Duration = Duration::from_millis(60);
/// Asks the server to send what it has.
const FLUSH: [u8; 5] = *b"H\0\0\0\x04";

/// Whether a connection lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Open,
    /// The client is cut off, the server works on.
    ClientGone,
    Gone,
}

pub(super) async fn pass(client: UnixStream, route: Arc<Route>, scissors: Arc<Scissors>) {
    // A server that is down refuses; so does the proxy, by closing.
    let Ok(server) = UnixStream::connect(route.server()).await else {
        return;
    };
    let process = client.peer_cred().ok().and_then(|peer| peer.pid());
    let process = process.and_then(|process| u32::try_from(process).ok());
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let (fate, _) = watch::channel(Fate::Open);
    let fate = Arc::new(fate);
    let up = Direction {
        way: Way::ToServer,
        process,
        statements: Statements::default(),
        scissors: Arc::clone(&scissors),
        route: Arc::clone(&route),
        fate: Arc::clone(&fate),
    };
    let down = Direction {
        way: Way::ToClient,
        process,
        statements: Statements::default(),
        scissors,
        route,
        fate: Arc::clone(&fate),
    };
    let (role, roles) = watch::channel(Said::default());
    let up = up.run(
        from_client,
        to_server,
        Framer::of_client(),
        Role::Tells(role),
    );
    let down = down.run(
        from_server,
        to_client,
        Framer::of_server(),
        Role::Hears(roles),
    );
    tokio::join!(up, down);
}

/// What the client has said: whose session it is in its start-up packet, and whether a commit is what it
/// wants now.
#[derive(Clone, Copy, Default)]
struct Said {
    journal: bool,
    at_commit: bool,
}

/// The way to the server hears it, the other one is told.
enum Role {
    Tells(watch::Sender<Said>),
    Hears(watch::Receiver<Said>),
}

struct Direction {
    way: Way,
    /// Whose connection it is.
    process: Option<u32>,
    /// Of what the client sends.
    statements: Statements,
    scissors: Arc<Scissors>,
    route: Arc<Route>,
    fate: Arc<watch::Sender<Fate>>,
}

impl Direction {
    async fn run(
        mut self,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        mut framer: Framer,
        role: Role,
    ) {
        let mut fates = self.fate.subscribe();
        loop {
            let read = tokio::select! {
                biased;
                () = over(&mut fates, self.way) => break,
                read = from.read_buf(framer.buffer()) => read,
            };
            if !matches!(read, Ok(1..)) {
                break;
            }
            let cut_off = tokio::select! {
                biased;
                () = over(&mut fates, self.way) => true,
                was = self.route.is_cut_off(self.process) => was,
            };
            if cut_off {
                break;
            }
            if !self.forward(&mut framer, &mut to, &role).await {
                break;
            }
        }
        let gone = |fate: &mut Fate| *fate = Fate::Gone;
        if *self.fate.borrow() == Fate::ClientGone && self.way == Way::ToClient {
            // What the server still says is said to nobody.
            drop(to);
            let mut waste = vec![0; 16 << 10];
            let listen = async { while matches!(from.read(&mut waste).await, Ok(1..)) {} };
            let _ = tokio::time::timeout(LINGER, listen).await;
        }
        self.fate.send_modify(gone);
    }

    /// Passes on what is whole. False once the connection is cut.
    async fn forward(&mut self, framer: &mut Framer, to: &mut OwnedWriteHalf, role: &Role) -> bool {
        loop {
            let message = match framer.next() {
                Ok(Some(message)) => message,
                Ok(None) => return true,
                Err(_) => return false,
            };
            let how = self.met(&message, role);
            match how {
                None => {
                    if to.write_all(&message.bytes).await.is_err() {
                        return false;
                    }
                }
                Some(How::Before) => return false,
                Some(How::After) => {
                    to.write_all(&message.bytes).await.ok();
                    return false;
                }
                Some(How::Swallow) => {
                    self.hold_open().await;
                    return false;
                }
                Some(How::Late(delay)) => {
                    self.fate.send_replace(Fate::ClientGone);
                    sleep(delay).await;
                    to.write_all(&message.bytes).await.ok();
                    sleep(LINGER).await;
                    return false;
                }
                Some(How::Flush) => {
                    to.write_all(&FLUSH).await.ok();
                    sleep(ROWS_ARRIVE).await;
                    return false;
                }
            }
        }
    }

    fn met(&mut self, message: &Message, role: &Role) -> Option<How> {
        let Some(kind) = message.kind else {
            let journal = memchr::memmem::find(&message.bytes, JOURNAL).is_some();
            if let Role::Tells(said) = role {
                said.send_modify(|said| said.journal = journal);
            }
            return (self.route.is_journal_only() && !journal).then_some(How::Before);
        };
        let said = match role {
            Role::Tells(said) => {
                self.statements.hear(kind, &message.bytes);
                said.send_modify(|said| said.at_commit = self.statements.at_commit());
                *said.borrow()
            }
            Role::Hears(said) => *said.borrow(),
        };
        if !said.journal {
            return None;
        }
        self.scissors.meet(self.way, kind, said.at_commit)
    }

    /// Waits until the other direction ends: an open connection on which nothing comes any more.
    async fn hold_open(&self) {
        let mut fates = self.fate.subscribe();
        let _ = fates.wait_for(|fate| *fate == Fate::Gone).await;
    }
}

/// Returns once this direction is of no use.
async fn over(fates: &mut watch::Receiver<Fate>, way: Way) {
    let over = |fate: &Fate| match fate {
        Fate::Open => false,
        // The way to the server goes on until what is late has arrived.
        Fate::ClientGone => way == Way::ToClient,
        Fate::Gone => true,
    };
    let _ = fates.wait_for(over).await;
}
