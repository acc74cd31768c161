//! What the engine's files name of the engine around them.

pub(crate) mod ids {
    //! Ids: any two values that can be told apart.

    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub(crate) struct RelationshipId(pub(crate) u32);
}

pub(crate) mod clock {
    //! Time stands still: what waits for it gives up by chance instead.

    use std::sync::LazyLock;

    use tokio::time::Instant;

    #[expect(
        clippy::disallowed_methods,
        reason = "one moment is as good as another, if there is only one"
    )]
    static NOW: LazyLock<Instant> = LazyLock::new(Instant::now);

    pub(crate) fn instant() -> Instant {
        *NOW
    }
}

pub(crate) mod metrics {
    //! Counts the actors that were given up in one schedule.

    use std::cell::Cell;

    thread_local! {
        static QUARANTINED: Cell<usize> = const { Cell::new(0) };
    }

    pub(crate) const fn actor_rebuilt(_: &'static str) {}

    pub(crate) fn actor_quarantined(_: &'static str) {
        QUARANTINED.set(QUARANTINED.get() + 1);
    }

    /// How many were given up since this was last asked.
    pub(crate) fn quarantined() -> usize {
        QUARANTINED.take()
    }
}
