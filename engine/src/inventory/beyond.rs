//! Pure: what is known of a shelf beyond its window.
//!
//! Keeps: the number never says more than storage has there. It is counted, and from then on less by what is
//! read or given away by name. What was given away by name when a count began, or while it ran, it has met or not:
//! the count is less by all of that, and then says nothing of what else there is.

/// So many unclaimed serials are beyond the cursor that nobody was given by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Beyond {
    least: usize,
    all: bool,
}

impl Beyond {
    /// Nobody has looked yet.
    pub(crate) const UNKNOWN: Self = Self {
        least: 0,
        all: false,
    };
    pub(crate) const NOTHING: Self = Self {
        least: 0,
        all: true,
    };

    /// What was counted; `all` says that there are no others.
    pub(crate) const fn counted(least: usize, all: bool) -> Self {
        Self { least, all }
    }

    pub(crate) const fn least(self) -> usize {
        self.least
    }

    /// Whether there are no others than [`Beyond::least`].
    pub(crate) const fn is_all(self) -> bool {
        self.all
    }

    pub(crate) const fn is_nothing(self) -> bool {
        self.all && self.least == 0
    }

    /// A count that may have met so many that are somebody's.
    pub(crate) const fn less_doubted(self, serials: usize) -> Self {
        Self {
            least: self.least.saturating_sub(serials),
            all: self.all && serials == 0,
        }
    }

    /// A count tells more, or what was known does: neither says too much.
    pub(crate) const fn learn(&mut self, counted: Self) {
        if counted.all || counted.least >= self.least {
            *self = counted;
        }
    }

    /// So many are beyond the cursor no more, or somebody's.
    pub(crate) const fn less(&mut self, serials: usize) {
        self.least = self.least.saturating_sub(serials);
    }

    /// One is nobody's again.
    pub(crate) const fn back(&mut self) {
        self.least += 1;
    }

    /// There may be others.
    pub(crate) const fn restocked(&mut self) {
        self.all = false;
    }
}
