//! Test mode: the steps of every order, with money and serials of its own, and with outcomes that a shop
//! asks for by its order id.
//!
//! Keeps: nothing live is sold, held or spent. A serial of test mode says so, is made for one order and
//! was never on a shelf.

use std::time::Duration;

use tokio::time::sleep;

use super::{Refusal, Request, policy::Quote};
use crate::{
    balances::midnight_after,
    catalog::Sku,
    clock::Timestamp,
    fault::Fault,
    ids::ImportId,
    inventory::{
        Position, ShelvedSerial,
        import::{Duplicates, Import, SealedSerial, Target},
    },
    merchants::Merchant,
    money::Money,
    random::Random,
    vault::SerialFingerprint,
};

/// How a serial of test mode begins.
const PREFIX: &str = "TEST-";
/// Letters and digits that cannot be taken for each other.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const SERIAL_CHARACTERS: usize = 16;
const GROUP: usize = 4;

/// How long an order takes that asks for it: below the deadline of an answer.
pub(super) const SLOW: Duration = Duration::from_secs(5);

/// What an order of test mode ends in, because its order id begins so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forced {
    OutOfStock,
    InsufficientBalance,
    ProductNotAllowed,
    PriceChanged,
    PurchaseLimit,
    RateLimited,
    Overloaded,
    /// Delivered, some seconds later.
    Slow,
    /// Executed, and answered as if that were not known.
    Unknown,
}

impl Forced {
    pub const ALL: [Self; 9] = [
        Self::OutOfStock,
        Self::InsufficientBalance,
        Self::ProductNotAllowed,
        Self::PriceChanged,
        Self::PurchaseLimit,
        Self::RateLimited,
        Self::Overloaded,
        Self::Slow,
        Self::Unknown,
    ];

    /// How the order id begins that asks for it.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::OutOfStock => "test_out_of_stock",
            Self::InsufficientBalance => "test_insufficient_balance",
            Self::ProductNotAllowed => "test_product_not_allowed",
            Self::PriceChanged => "test_price_changed",
            Self::PurchaseLimit => "test_purchase_limit",
            Self::RateLimited => "test_rate_limited",
            Self::Overloaded => "test_overloaded",
            Self::Slow => "test_slow",
            Self::Unknown => "test_unknown",
        }
    }

    /// What a request asks for; a live one for nothing.
    pub fn of(request: &Request) -> Option<Self> {
        if !request.scope().test {
            return None;
        }
        let id = request.order_id().as_str();
        let mut all = Self::ALL.into_iter();
        all.find(|forced| id.starts_with(forced.prefix()))
    }
}

/// What comes before the first step of an order that asks for it.
pub(super) async fn begun(forced: Forced) -> Result<(), Fault> {
    match forced {
        Forced::Overloaded => Err(Fault::overloaded()),
        Forced::Slow => {
            sleep(SLOW).await;
            Ok(())
        }
        Forced::OutOfStock
        | Forced::InsufficientBalance
        | Forced::ProductNotAllowed
        | Forced::PriceChanged
        | Forced::PurchaseLimit
        | Forced::RateLimited
        | Forced::Unknown => Ok(()),
    }
}

/// The quote, or the refusal that the request asks for, with the numbers of the quote.
pub(super) fn quoted(request: &Request, quote: Quote, now: Timestamp) -> Result<Quote, Refusal> {
    let Some(forced) = Forced::of(request) else {
        return Ok(quote);
    };
    let first = &quote.lines[0];
    let product = first.sku.product;
    Err(match forced {
        Forced::OutOfStock => Refusal::OutOfStock { product },
        Forced::InsufficientBalance => Refusal::InsufficientBalance {
            required: quote.total,
            available: Money::ZERO,
        },
        Forced::ProductNotAllowed => Refusal::ProductNotAllowed { product },
        Forced::PriceChanged => Refusal::PriceChanged {
            product: Some(product),
            current: first.unit_price,
        },
        Forced::PurchaseLimit => Refusal::PurchaseLimitExceeded {
            limit: quote.total,
            used: quote.total,
            resets_at: midnight_after(now),
        },
        // These are not refusals of a quote.
        Forced::RateLimited | Forced::Overloaded | Forced::Slow | Forced::Unknown => {
            return Ok(quote);
        }
    })
}

/// Serials for one line of one order, sealed like any others.
pub(super) fn serials(
    (sku, quantity): (Sku, u32),
    merchant: &Merchant,
    now: Timestamp,
    random: &dyn Random,
) -> Import {
    let import = ImportId::for_import(now, random);
    let serials = (0..quantity).map(|ordinal| {
        let mut fingerprint: SerialFingerprint = [0; 16];
        random.fill(&mut fingerprint);
        SealedSerial {
            line: ordinal + 1,
            fingerprint,
            sealed: merchant
                .key
                .seal_serial(import.serial(ordinal), &secret(random)),
        }
    });
    Import {
        merchant: merchant.id,
        duplicates: Duplicates::Refuse,
        removed: 0,
        serials: serials.collect(),
        target: Target {
            import,
            sku,
            label: None,
        },
    }
}

/// What an order claims of them.
pub(super) fn claimed(import: &Import) -> Vec<ShelvedSerial> {
    let serials = (0..).zip(&import.serials);
    let shelved = |(ordinal, serial): (u32, &SealedSerial)| ShelvedSerial {
        position: Position {
            number: 0,
            serial: import.target.import.serial(ordinal),
        },
        sealed: serial.sealed.clone(),
    };
    serials.map(shelved).collect()
}

fn secret(random: &dyn Random) -> String {
    let mut bytes = [0; SERIAL_CHARACTERS];
    random.fill(&mut bytes);
    let mut text = PREFIX.to_owned();
    for (place, byte) in bytes.iter().enumerate() {
        if place > 0 && place % GROUP == 0 {
            text.push('-');
        }
        text.push(char::from(ALPHABET[usize::from(byte % 32)]));
    }
    text
}
