//! What happened in runs, counted by name: kinds of faults, and states that must be reached sometimes.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counted {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $name { $($variant),* }

        impl $name {
            pub(crate) const ALL: &[Self] = &[$(Self::$variant),*];

            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }
    };
}

counted! {
    /// Kinds of faults, as the catalogue of docs/TESTING.md names them.
    Kind {
        ClientVanishes = "client vanishes",
        RetryAtOnce = "client retries at once",
        RetryLate = "client retries late",
        OtherBody = "same id, other body",
        DeadlinePassed = "deadline passes while it runs",
        Twins = "storm of twins",
        Crash = "process crashes at a call",
        CrashAtStart = "process crashes while it starts",
        BalancePanics = "balance actor panics",
        ShelfPanics = "inventory actor panics",
        FulfillerPanics = "fulfiller panics with holds",
        MailboxSlow = "questions reordered",
        BudgetReached = "budget of settled orders reached",
        DrainUnderLoad = "drain under load",
        ResetBeforeSend = "connection reset before the statement is sent",
        ResetAfterSend = "connection reset after the statement is sent",
        ResetAfterExecute = "connection reset before the reply",
        ReplySwallowed = "reply swallowed, connection open",
        LateStatement = "statement of a cut connection arrives late",
        StuckOnRow = "cut connection stuck on the lane row",
        StuckOnStandby = "cut connection stuck on the standby",
        ReaderLost = "reader lost, writer fine",
        FenceLost = "fence lost before it took effect",
        FenceAnswerLost = "fence took effect, answer lost",
        Conflict = "serialization failure or lock time-out",
        ItemRefused = "item that cannot be stored",
        ConstraintFires = "constraint fires",
        DiskFull = "data disk full",
        SlowCommit = "commit takes longer than the lane waits",
        ServerCrash = "database crashes and restarts",
        Failover = "failover without loss",
        Restored = "restored to an old state",
        StandbyCancelled = "wait for the standby cancelled",
        StandbyGone = "standby gone",
        SecondOwner = "second owner starts",
        OwnerFrozen = "owner frozen and resumed",
        HeartbeatLost = "heartbeat lost, lanes fine",
        LockLost = "lock lost, lanes fine",
        ClockJumps = "clock jumps an hour",
        LanesChanged = "number of lanes changed at start",
        FetchLate = "reading of a shelf late",
        FetchFailed = "reading of a shelf failed",
        FetchStale = "reading of a shelf stale",
        CountFailed = "count of a shelf failed",
        LoadFailed = "loading of a balance failed",
        ImportAgainstSale = "import against sale",
        SealBroken = "serial that does not open",
        PassivationAgainstRequest = "passivation against request",
        TermsAgainstRequest = "terms changed in flight",
        WithdrawalAgainstSale = "withdrawal against sale",
        WithdrawalTwice = "withdrawal sent twice",
        ReservationAgainstSale = "reservation against sale",
        ReservationUndone = "reservation undone by its commit",
        ReservationUnheard = "reservation stored or undone, answer lost",
        ReservationExpires = "reservation expiring while redeemed",
        EndUntold = "end of a reservation told to nobody",
        CreditTwice = "credit sent twice",
        ImportUnnumbered = "stored import not yet numbered at a start",
    }
}

counted! {
    /// States that must be reached now and then, or the runs prove less than they seem to.
    Sometimes {
        CommitBeforeFence = "late commit lands while a fence waits",
        CommitRefusedByFence = "late statement refused by the fence",
        FenceFindsNext = "fence finds seq = n + 1",
        FenceFindsSame = "fence finds seq = n",
        RepeatAfterRestart = "batch repeats an id of before a restart",
        ManyJoined = "64 callers wait for one order id",
        PermitsOut = "all permits out",
        TakeoverInFlight = "takeover with a batch in flight",
        DiedInLane = "actor dies with entries in a lane",
        WithdrawalKept = "withdrawal meets a serial in other hands",
        ParkedTooLong = "parked claim passes its deadline",
        LookUpFinds = "look-up finds the order id bound",
        BreachIsolated = "breach isolated from the innocent",
        SilentOwnerEnded = "silent owner ended by the next",
        StaleRead = "balance told by an owner replaced moments ago",
        OwnStaleFence = "lane fenced by a stale fence of its own",
        VerifierAgreed = "verifier looked, and storage and memory agreed",
        VerifierFailed = "verifier could not read",
        ReservationShort = "reservation refused for want of serials",
        InvoiceWaits = "paid invoice waits for stock",
        InvoiceServed = "paid invoice that waited is served",
        ServedBesideOlder = "paid invoice served beside an older that waits",
        SharePaid = "reservation of a share is paid and stays",
        ReservationFenced = "row of a reservation refused to an earlier owner",
        DebitShort = "debit refused for want of money",
        DebitPart = "reversal or settlement that took less than it asked for",
        DebitRunning = "debit refused while its twin runs",
    }
}

counted! {
    /// What an engine waits for outside of its own memory, and may die at: before the call, while it
    /// waits, after the answer.
    Call {
        Start = "start",
        TakeOver = "takeover",
        Beat = "heartbeat",
        Fence = "fence",
        Commit = "commit",
        Existing = "look-up of a batch's references",
        LookUp = "look-up of an order id",
        Read = "reading of a source",
        Remember = "remembering of the lanes' numbers",
        Drain = "drain",
    }
}

/// Counts of one run, or of many.
pub(crate) struct Tally {
    calls: Vec<AtomicU64>,
    kinds: Vec<AtomicU64>,
    sometimes: Vec<AtomicU64>,
}

impl Tally {
    pub(crate) fn new() -> Self {
        let zeros = |len| (0..len).map(|_| AtomicU64::new(0)).collect();
        Self {
            calls: zeros(Call::ALL.len()),
            kinds: zeros(Kind::ALL.len()),
            sometimes: zeros(Sometimes::ALL.len()),
        }
    }

    pub(crate) fn died_at(&self, call: Call) {
        self.calls[call as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn deaths(&self, call: Call) -> u64 {
        self.calls[call as usize].load(Ordering::Relaxed)
    }

    pub(crate) fn struck(&self, kind: Kind) {
        self.kinds[kind as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn reached(&self, state: Sometimes) {
        self.reached_often(state, 1);
    }

    pub(crate) fn reached_often(&self, state: Sometimes, times: u64) {
        self.sometimes[state as usize].fetch_add(times, Ordering::Relaxed);
    }

    pub(crate) fn strikes(&self, kind: Kind) -> u64 {
        self.kinds[kind as usize].load(Ordering::Relaxed)
    }

    pub(crate) fn visits(&self, state: Sometimes) -> u64 {
        self.sometimes[state as usize].load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, other: &Self) {
        let pairs = self.kinds.iter().zip(&other.kinds);
        let pairs = pairs.chain(self.sometimes.iter().zip(&other.sometimes));
        for (sum, more) in pairs.chain(self.calls.iter().zip(&other.calls)) {
            sum.fetch_add(more.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }
}
