//! Pure: whether what is stored of a merchant's money and serials agrees with itself.
//!
//! Keeps: every figure is judged against the rows that it sums up, never against another figure. A reader gets
//! a mismatch by the ids of what differs, not a verdict over everything.

use crate::{
    money::Money,
    sales::Earnings,
    verifier::{Drift, Line, first_wrong},
};

/// Entries of ledgers and claims of serials that one part of a report looks at.
pub const ENTRIES_MAX: u32 = 20_000;
/// Imports whose claims are looked at together.
pub const IMPORTS_AT_ONCE: u32 = 32;
/// Relationships that one part of a report looks at.
pub const RELATIONSHIPS_MAX: u32 = 200;

/// What does not agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// A ledger misses an entry.
    Versions,
    /// A balance is not that of the entry before and the amount.
    Sum,
    BelowZero,
    /// A debit for a delivery is not its serials, each claimed once for it, at their prices.
    Claims,
    /// A serial is claimed for an order, and no entry of a ledger delivers it.
    Undelivered,
    /// Commissions on hold are not those of the sales.
    Pending,
    /// Approved commissions are not those of the sales.
    Approved,
    /// What was reversed is not what the sales say.
    Reversed,
    /// What was paid out is not the completed payouts.
    PaidOut,
    /// What is set aside is not the open payouts.
    OpenPayouts,
    /// The entries of the earnings are not approved commissions less what was paid out.
    Entries,
}

impl Check {
    /// The word for it in the contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Versions => "VERSIONS",
            Self::Sum => "SUM",
            Self::BelowZero => "BELOW_ZERO",
            Self::Claims => "CLAIMS",
            Self::Undelivered => "UNDELIVERED",
            Self::Pending => "PENDING",
            Self::Approved => "APPROVED",
            Self::Reversed => "REVERSED",
            Self::PaidOut => "PAID_OUT",
            Self::OpenPayouts => "OPEN_PAYOUTS",
            Self::Entries => "ENTRIES",
        }
    }
}

/// The first entry of a slice of a ledger that does not agree, by its version. A slice from above zero begins with
/// an entry that was looked at before.
pub fn ledger(from: i64, through: i64, lines: &[Line]) -> Option<(i64, Check)> {
    let (version, drift) = first_wrong(from, through, lines)?;
    let check = match drift {
        Drift::Sum => Check::Sum,
        Drift::BelowZero => Check::BelowZero,
        Drift::Claims => Check::Claims,
        // The last two are of memory, which nobody looks at here.
        Drift::Versions | Drift::Posted | Drift::Claimed => Check::Versions,
    };
    Some((version, check))
}

/// What does not agree with a serial that is claimed for an order, and is or is not named by the entry of the ledger
/// that its claim names.
pub const fn claim(named: bool) -> Option<Check> {
    if named {
        None
    } else {
        Some(Check::Undelivered)
    }
}

/// What the rows of one relationship's earnings add up to, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// Commissions on hold, net of reversals.
    pub pending: i64,
    /// Those that were approved, net of reversals.
    pub approved: i64,
    pub reversed: i64,
    /// Payouts that were completed, and those that are open.
    pub paid_out: i64,
    pub open_payouts: i64,
    /// The amounts of the entries, how many there are, and the last one's number.
    pub entered: i64,
    pub entries: i64,
    pub last_version: i64,
}

/// What of an account of earnings, whose last entry has this version, is not what its rows add up to.
pub fn earnings(account: &Earnings, version: i64, sums: &Sums) -> Vec<Check> {
    // What was ever reversed stays at the bound of amounts.
    let reversed = sums.reversed.min(Money::MAX.minor());
    let entered = sums.approved - sums.paid_out;
    let numbered = sums.entries == version && sums.last_version == version;
    let checks = [
        (account.pending.minor() == sums.pending, Check::Pending),
        (account.approved.minor() == sums.approved, Check::Approved),
        (account.reversed.minor() == reversed, Check::Reversed),
        (account.paid_out.minor() == sums.paid_out, Check::PaidOut),
        (
            account.open_payouts.minor() == sums.open_payouts,
            Check::OpenPayouts,
        ),
        (numbered && sums.entered == entered, Check::Entries),
    ];
    let wrong = checks.into_iter().filter(|(agrees, _)| !agrees);
    wrong.map(|(_, check)| check).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(minor: i64) -> Money {
        Money::from_minor(minor).unwrap()
    }

    #[test]
    fn each_sum_of_an_account_is_judged_by_its_own_rows() {
        let account = Earnings {
            pending: money(10),
            approved: money(50),
            reversed: money(5),
            paid_out: money(20),
            open_payouts: money(3),
        };
        let sums = Sums {
            pending: 10,
            approved: 50,
            reversed: 5,
            paid_out: 20,
            open_payouts: 3,
            entered: 30,
            entries: 4,
            last_version: 4,
        };
        assert_eq!(earnings(&account, 4, &sums), []);
        let none = (Earnings::default(), Sums::default());
        assert_eq!(earnings(&none.0, 0, &none.1), []);
        for (wrong, expected) in [
            (Sums { pending: 9, ..sums }, vec![Check::Pending]),
            (
                Sums {
                    approved: 51,
                    ..sums
                },
                vec![Check::Approved, Check::Entries],
            ),
            (
                Sums {
                    reversed: 0,
                    ..sums
                },
                vec![Check::Reversed],
            ),
            (
                Sums {
                    paid_out: 0,
                    ..sums
                },
                vec![Check::PaidOut, Check::Entries],
            ),
            (
                Sums {
                    open_payouts: 0,
                    ..sums
                },
                vec![Check::OpenPayouts],
            ),
            (
                Sums {
                    entered: 31,
                    ..sums
                },
                vec![Check::Entries],
            ),
            (Sums { entries: 3, ..sums }, vec![Check::Entries]),
        ] {
            assert_eq!(earnings(&account, 4, &wrong), expected, "{wrong:?}");
        }
        let most = Earnings {
            reversed: Money::MAX,
            ..Earnings::default()
        };
        let beyond = Sums {
            reversed: i64::MAX,
            ..Sums::default()
        };
        assert_eq!(earnings(&most, 0, &beyond), []);
    }

    #[test]
    fn entry_that_does_not_follow_is_named() {
        let line = |version, amount, balance_after| Line {
            version,
            amount: money(amount),
            balance_after: money(balance_after),
            delivered: None,
        };
        let lines = [line(1, 500, 500), line(2, 100, 600), line(3, 100, 701)];
        assert_eq!(ledger(0, 2, &lines[..2]), None);
        assert_eq!(ledger(0, 3, &lines), Some((3, Check::Sum)));
        assert_eq!(ledger(2, 3, &lines[1..]), Some((3, Check::Sum)));
        assert_eq!(ledger(0, 4, &lines[..2]), Some((4, Check::Versions)));
    }
}
