//! Money in integer minor units, and the one rounding.
//!
//! Keeps: no float, no overflow, no amount beyond the bound. An amount knows no currency; the
//! program it belongs to does, and [`Currency`] reads and writes its text.

use std::{fmt, ops::Neg};

use rust_decimal::{Decimal, RoundingStrategy};

/// The largest amount: 999 999 999 999 minor units.
const MINOR_MAX: i64 = 999_999_999_999;

/// A signed amount in minor units of some program's currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i64);

/// Why a text is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    #[error("must be a decimal number without sign or exponent, such as \"8.50\"")]
    Malformed,
    #[error("has more decimals than the currency")]
    TooFine,
    #[error("is larger than 999 999 999 999 minor units")]
    TooLarge,
}

impl Money {
    pub const ZERO: Self = Self(0);
    pub const MAX: Self = Self(MINOR_MAX);

    /// From minor units; `None` beyond the bound.
    pub const fn from_minor(minor: i64) -> Option<Self> {
        if minor > MINOR_MAX || minor < -MINOR_MAX {
            None
        } else {
            Some(Self(minor))
        }
    }

    pub const fn minor(self) -> i64 {
        self.0
    }

    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// The sum; `None` beyond the bound.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(minor) => Self::from_minor(minor),
            None => None,
        }
    }

    /// The difference; `None` beyond the bound.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(minor) => Self::from_minor(minor),
            None => None,
        }
    }

    /// A unit price times a quantity; `None` beyond the bound.
    pub fn checked_mul(self, quantity: u32) -> Option<Self> {
        self.0
            .checked_mul(i64::from(quantity))
            .and_then(Self::from_minor)
    }

    /// This amount less a percentage of it, rounded half-even to the minor unit.
    ///
    /// The rounding of every computed amount in Consign: once, here, and before multiplying.
    #[must_use]
    pub fn less(self, percent: Percent) -> Self {
        self.share(Decimal::new(i64::from(10_000 - percent.0), 4))
    }

    /// A percentage of this amount, rounded in the same way.
    #[must_use]
    pub fn part(self, percent: Percent) -> Self {
        self.share(Decimal::new(i64::from(percent.0), 4))
    }

    /// So much of this amount as `some` is of `all`, rounded in the same way; all of it if `some` is no
    /// less than `all`.
    #[must_use]
    pub fn in_proportion(self, some: Self, all: Self) -> Self {
        if some >= all {
            return self;
        }
        // Multiplied first: a quotient of its own would be cut off.
        let exact = Decimal::from(self.0) * Decimal::from(some.0) / Decimal::from(all.0);
        Self::rounded(exact)
    }

    fn share(self, share: Decimal) -> Self {
        Self::rounded(Decimal::from(self.0) * share)
    }

    fn rounded(exact: Decimal) -> Self {
        let minor = exact.round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven);
        Self(i64::try_from(minor.mantissa()).expect("a share of an amount is no larger"))
    }
}

impl Neg for Money {
    type Output = Self;

    fn neg(self) -> Self {
        Self(
            self.0
                .checked_neg()
                .expect("amounts are bounded far from i64::MIN"),
        )
    }
}

/// A percentage from 0 to 100 with two decimals, in hundredths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(u16);

impl Percent {
    pub const ZERO: Self = Self(0);

    /// From hundredths of a percent; `None` above 100 %.
    pub const fn from_hundredths(hundredths: u16) -> Option<Self> {
        if hundredths > 10_000 {
            None
        } else {
            Some(Self(hundredths))
        }
    }

    pub const fn hundredths(self) -> u16 {
        self.0
    }
}

/// An ISO 4217 currency: its code and how many decimals its minor unit has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency {
    code: [u8; 3],
    decimals: u8,
}

/// Currencies of ISO 4217 whose minor unit is not a hundredth.
const UNUSUAL_DECIMALS: [(&str, u8); 23] = [
    ("BIF", 0),
    ("CLP", 0),
    ("DJF", 0),
    ("GNF", 0),
    ("ISK", 0),
    ("JPY", 0),
    ("KMF", 0),
    ("KRW", 0),
    ("PYG", 0),
    ("RWF", 0),
    ("UGX", 0),
    ("VND", 0),
    ("VUV", 0),
    ("XAF", 0),
    ("XOF", 0),
    ("XPF", 0),
    ("BHD", 3),
    ("IQD", 3),
    ("JOD", 3),
    ("KWD", 3),
    ("LYD", 3),
    ("OMR", 3),
    ("TND", 3),
];

impl Currency {
    pub const USD: Self = Self {
        code: *b"USD",
        decimals: 2,
    };

    /// A currency by its code of three capital letters.
    pub fn parse(code: &str) -> Option<Self> {
        let letters: [u8; 3] = code.as_bytes().try_into().ok()?;
        let decimals = UNUSUAL_DECIMALS
            .iter()
            .find(|(known, _)| *known == code)
            .map_or(2, |(_, d)| *d);
        letters.iter().all(u8::is_ascii_uppercase).then_some(Self {
            code: letters,
            decimals,
        })
    }

    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).expect("a code is three ASCII letters")
    }

    /// How many decimals the minor unit has.
    pub const fn decimals(&self) -> u8 {
        self.decimals
    }

    /// Reads a non-negative amount from decimal text. Finer input is refused, never rounded.
    pub fn parse_amount(self, text: &str) -> Result<Money, ParseError> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || (text.contains('.') && !digits(fraction)) {
            return Err(ParseError::Malformed);
        }
        if fraction.len() > usize::from(self.decimals) {
            return Err(ParseError::TooFine);
        }
        let decimal: Decimal = text.parse().map_err(|_| ParseError::TooLarge)?;
        let minor = decimal
            .checked_mul(Decimal::from(10_u32.pow(self.decimals.into())))
            .ok_or(ParseError::TooLarge)?;
        let minor = i64::try_from(minor).map_err(|_| ParseError::TooLarge)?;
        Money::from_minor(minor).ok_or(ParseError::TooLarge)
    }

    /// The largest amount of this currency that is not above a number of any precision; none if that is negative
    /// or beyond the bound.
    pub fn at_most(self, exact: Decimal) -> Option<Money> {
        let minor = exact.checked_mul(Decimal::from(10_u32.pow(self.decimals.into())))?;
        let minor = minor.round_dp_with_strategy(0, RoundingStrategy::ToNegativeInfinity);
        let minor = i64::try_from(minor).ok().filter(|minor| *minor >= 0)?;
        Money::from_minor(minor)
    }

    /// The amount as text with exactly the currency's decimals.
    pub fn display(self, amount: Money) -> impl fmt::Display {
        Decimal::new(amount.0, self.decimals.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn usd(text: &str) -> Money {
        Currency::USD.parse_amount(text).expect("an amount")
    }

    #[test]
    fn percentages_round_half_even_to_the_minor_unit() {
        for (price, hundredths, less) in [
            ("9.99", 1_500, "8.49"),
            ("0.25", 9_000, "0.02"),
            ("0.35", 9_000, "0.04"),
            ("19.98", 8_750, "2.50"),
            ("1.00", 10_000, "0.00"),
            ("1.00", 0, "1.00"),
        ] {
            let percent = Percent::from_hundredths(hundredths).expect("a percentage");
            assert_eq!(
                usd(price).less(percent),
                usd(less),
                "{price} less {hundredths}"
            );
        }
    }

    #[test]
    fn number_of_any_precision_becomes_an_amount_that_is_not_above_it() {
        for (exact, amount) in [
            ("24.99971", Some("24.99")),
            ("25", Some("25.00")),
            ("0.0099", Some("0.00")),
            ("0.015", Some("0.01")),
            ("0", Some("0.00")),
            ("-0.001", None),
            ("-0.01", None),
            ("10000000000", None),
            ("79228162514264337593543950335", None),
        ] {
            let found = Currency::USD.at_most(exact.parse().expect("a number"));
            assert_eq!(found, amount.map(usd), "{exact}");
        }
    }

    #[test]
    fn parts_round_half_even_to_the_minor_unit() {
        for (amount, hundredths, part) in [
            ("19.98", 1_250, "2.50"),
            ("0.25", 1_000, "0.02"),
            ("0.35", 1_000, "0.04"),
            ("9.99", 10_000, "9.99"),
            ("9.99", 0, "0.00"),
        ] {
            let percent = Percent::from_hundredths(hundredths).expect("a percentage");
            assert_eq!(
                usd(amount).part(percent),
                usd(part),
                "{hundredths} of {amount}"
            );
        }
    }

    #[test]
    fn proportion_of_an_amount_is_rounded_once_and_never_above_it() {
        for (amount, some, all, expected) in [
            ("1.00", "1.00", "3.00", "0.33"),
            ("1.00", "2.00", "3.00", "0.67"),
            ("1.00", "3.00", "3.00", "1.00"),
            ("1.00", "4.00", "3.00", "1.00"),
            ("1.00", "0.00", "3.00", "0.00"),
            ("0.05", "1.00", "2.00", "0.02"),
            (
                "9999999999.99",
                "9999999999.98",
                "9999999999.99",
                "9999999999.98",
            ),
        ] {
            let [amount, some, all, expected] = [amount, some, all, expected].map(usd);
            assert_eq!(amount.in_proportion(some, all), expected);
        }
    }

    #[test]
    fn only_plain_decimal_text_is_an_amount() {
        for (text, expected) in [
            ("8.5", Ok(850)),
            ("8", Ok(800)),
            ("0", Ok(0)),
            ("007.10", Ok(710)),
            ("9999999999.99", Ok(999_999_999_999)),
            ("10000000000.00", Err(ParseError::TooLarge)),
            (
                "99999999999999999999999999999999",
                Err(ParseError::TooLarge),
            ),
            ("8.501", Err(ParseError::TooFine)),
            ("8.500", Err(ParseError::TooFine)),
            ("", Err(ParseError::Malformed)),
            ("8.", Err(ParseError::Malformed)),
            (".5", Err(ParseError::Malformed)),
            ("-1", Err(ParseError::Malformed)),
            ("+1", Err(ParseError::Malformed)),
            ("1e3", Err(ParseError::Malformed)),
            ("1_000", Err(ParseError::Malformed)),
            (" 1", Err(ParseError::Malformed)),
        ] {
            let read = Currency::USD.parse_amount(text).map(Money::minor);
            assert_eq!(read, expected, "{text:?}");
        }
    }

    #[test]
    fn decimals_follow_the_currency() {
        for (code, minor, text) in [
            ("USD", 850, "8.50"),
            ("JPY", 850, "850"),
            ("KWD", 850, "0.850"),
        ] {
            let currency = Currency::parse(code).expect("a currency");
            let amount = Money::from_minor(minor).expect("an amount");
            assert_eq!(currency.display(amount).to_string(), text);
        }
    }

    #[test]
    fn sums_beyond_the_bound_are_none() {
        let most = Money::from_minor(MINOR_MAX).expect("the bound itself");
        assert_eq!(most.checked_add(usd("0.01")), None);
        assert_eq!((-most).checked_sub(usd("0.01")), None);
        assert_eq!(most.checked_mul(2), None);
        assert_eq!(Money::from_minor(i64::MIN), None);
    }

    proptest! {
        #[test]
        fn every_amount_reads_back(minor in 0..=MINOR_MAX) {
            let amount = Money::from_minor(minor).expect("within the bound");
            let text = Currency::USD.display(amount).to_string();
            prop_assert_eq!(Currency::USD.parse_amount(&text), Ok(amount));
        }
    }
}
