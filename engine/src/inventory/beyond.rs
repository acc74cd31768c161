//! Pure: what is known of a shelf beyond its window.
//!
//! Keeps: the number never says more than storage has there. It is counted, and from then on less by what is
//! read or given away by name. A count that was begun before something was given away by name is not
//! believed: nobody can say whether it has met that.

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
