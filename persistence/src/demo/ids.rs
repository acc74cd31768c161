//! Ids of a cast: the same in every installation, so that documents and scripts can name them.

use chrono::TimeDelta;
use engine::{clock::Timestamp, random::SeededRandom};

/// When the first object of a cast was made, in seconds since 1970: 1 January 2026.
const FIRST: i64 = 1_767_225_600;

/// What an id names. The number is part of the id.
#[derive(Debug, Clone, Copy)]
pub(super) enum Role {
    Merchant = 1,
    Product = 2,
    Variant = 3,
    Reseller = 4,
    Import = 5,
    Serial = 6,
    Key = 7,
    DynamicKey = 8,
    MerchantKey = 9,
    TestKey = 10,
}

/// Which cast. The number is part of its ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Troupe {
    Demo = 1,
    Load = 2,
}

/// The bytes behind the object with this number.
pub(super) fn random(troupe: Troupe, role: Role, number: u64) -> SeededRandom {
    SeededRandom::new((troupe as u64) << 60 | (role as u64) << 56 | number)
}

/// When the object with this number was made: later numbers are newer.
pub(super) fn made_at(number: u64) -> Timestamp {
    let first = Timestamp::from_timestamp(FIRST, 0).expect("a time of this century");
    first + TimeDelta::milliseconds(i64::try_from(number).expect("a small number"))
}
