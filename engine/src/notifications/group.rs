//! What mails are about.

/// What mails are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Invoices that top a balance up.
    TopUp,
    /// A balance that is low.
    Balance,
    /// Suspended, reactivated, ended; in debt.
    Status,
    /// Wholesale purchases that resellers want or have paid.
    Request,
    /// Replacements that are asked for.
    Replacement,
    /// To merchants: shelves that run low and customers who wait. To resellers: their purchases, and what they sell that
    /// is out of stock or back.
    Stock,
    Payout,
    Key,
}

impl Group {
    pub const ALL: [Self; 8] = [
        Self::TopUp,
        Self::Balance,
        Self::Status,
        Self::Request,
        Self::Replacement,
        Self::Stock,
        Self::Payout,
        Self::Key,
    ];

    /// The word for it in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TopUp => "TOP_UP",
            Self::Balance => "BALANCE",
            Self::Status => "STATUS",
            Self::Request => "REQUEST",
            Self::Replacement => "REPLACEMENT",
            Self::Stock => "STOCK",
            Self::Payout => "PAYOUT",
            Self::Key => "KEY",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.name() == name)
    }

    /// Whether it cannot be switched off.
    pub const fn required(self) -> bool {
        match self {
            Self::TopUp | Self::Balance | Self::Request | Self::Replacement | Self::Stock => false,
            Self::Status | Self::Payout | Self::Key => true,
        }
    }
}
