//! What an inventory's actor is asked and told.

use actix::Message;
use tokio::sync::oneshot;

use super::{
    Position, Reach, Reservation, ReserveCall, ShelvedSerial, beyond::Beyond, hold::StockHold,
    reservations::Made,
};
use crate::{
    clock::Deadline,
    fault::Fault,
    ids::{SerialId, WithdrawalId},
    journal::Owner,
};

/// Take serials off the shelf for one line.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Claim {
    pub(crate) quantity: u32,
    /// The withdrawal that claims: it has what is reserved under its id.
    pub(crate) withdrawal: Option<WithdrawalId>,
    pub(crate) deadline: Deadline,
    pub(crate) reply: oneshot::Sender<Claimed>,
}

/// What became of a [`Claim`].
pub(crate) enum Claimed {
    Stock(StockHold),
    OutOfStock,
    Failed(Fault),
}

/// Put serials back.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Release {
    pub(crate) serials: Vec<ShelvedSerial>,
    /// The withdrawal that had claimed them.
    pub(crate) withdrawal: Option<WithdrawalId>,
}

/// Forget serials that are sold.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Confirm {
    pub(crate) quantity: usize,
    /// The withdrawal that had claimed them.
    pub(crate) withdrawal: Option<WithdrawalId>,
}

/// Keep units for a withdrawal that may come.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Reserve {
    pub(crate) call: ReserveCall,
    pub(crate) reach: Reach,
    pub(crate) owner: Owner,
    pub(crate) deadline: Deadline,
    pub(crate) reply: oneshot::Sender<Reserving>,
}

/// What became of a [`Reserve`].
pub(crate) enum Reserving {
    Held(Reservation),
    OutOfStock,
    Failed(Fault),
}

/// The row of a reservation is durable, or may be.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Kept {
    pub(crate) id: WithdrawalId,
}

/// A reservation was not stored, for certain.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct GivenBack {
    pub(crate) id: WithdrawalId,
}

/// Which reservations do their rows tell about?
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Settled {
    pub(crate) reply: oneshot::Sender<Vec<Made>>,
}

/// Of those there is no row any more, or there never was.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct WithoutRows {
    pub(crate) gone: Vec<Made>,
}

/// Of these the rows say that somebody has paid, or said yes; in the order of the rows.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Paid {
    pub(crate) paid: Vec<Made>,
}

/// Give serials away by name: those in the window, and those beyond it that no reading has met.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Withdraw {
    pub(crate) serials: Vec<ShelvedSerial>,
    /// Others that were named did not open, and are nobody's to count on.
    pub(crate) closed: bool,
    pub(crate) reply: oneshot::Sender<Result<StockHold, Fault>>,
}

/// Forget serials that were given away by name: they are withdrawn.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Withdrawn {
    pub(crate) serials: Vec<ShelvedSerial>,
}

/// The shelf was read.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Fetched {
    pub(crate) read: Result<Window, Fault>,
    /// How many restocks were known when the reading began.
    pub(crate) restocks: u64,
}

/// What one reading of the shelf found.
pub(crate) struct Window {
    /// Those that open.
    pub(crate) serials: Vec<ShelvedSerial>,
    /// The last one read, whether it opens or not.
    pub(crate) end: Option<Position>,
    /// How many were read that do not open.
    pub(crate) closed: usize,
    /// What is behind it, where that was looked at.
    pub(crate) beyond: Option<Beyond>,
}

/// An import is numbered: there is something new beyond the window.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Restocked {
    pub(crate) reply: oneshot::Sender<()>,
}

#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Read {
    pub(crate) reply: oneshot::Sender<Shelf>,
}

/// A part of what is in the window.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Offered {
    /// From the front; further back than the window is long begins anew.
    pub(crate) skip: usize,
    pub(crate) limit: usize,
    pub(crate) reply: oneshot::Sender<Vec<SerialId>>,
}

/// Is any of these in the window?
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct StillOffered {
    pub(crate) serials: Vec<SerialId>,
    pub(crate) reply: oneshot::Sender<bool>,
}

/// The shelf as the actor sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shelf {
    pub(crate) in_window: usize,
    /// By orders and by withdrawals.
    pub(crate) held: usize,
    /// Of those, the ones beyond the cursor.
    pub(crate) held_beyond: usize,
    /// Kept for withdrawals that may come, of what nobody holds.
    pub(crate) reserved: usize,
    pub(crate) cursor: Option<Position>,
}
