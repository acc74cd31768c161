//! What a serial is to its merchant. Told from its claim; never stored.

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Available,
    /// Delivered, in an order or in the place of a serial that was.
    Sold,
    /// It is, or was, in a reseller's inventory.
    Assigned,
    Pulled,
    Removed,
    /// It does not open.
    Quarantined,
    /// It was delivered, was no good, and was replaced or paid back.
    Burned,
}

impl Status {
    pub const ALL: [Self; 7] = [
        Self::Available,
        Self::Sold,
        Self::Assigned,
        Self::Pulled,
        Self::Removed,
        Self::Quarantined,
        Self::Burned,
    ];

    /// The word for it in the contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Available => "AVAILABLE",
            Self::Sold => "SOLD",
            Self::Assigned => "ASSIGNED",
            Self::Pulled => "PULLED",
            Self::Removed => "REMOVED",
            Self::Quarantined => "QUARANTINED",
            Self::Burned => "BURNED",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}
