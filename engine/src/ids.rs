//! Typed ids: a `UUIDv7` inside, a prefixed text outside.
//!
//! The text form is `prefix_` and 26 characters of lower-case Crockford base32, as the `TypeID`
//! specification writes it. A malformed or wrongly prefixed text is `None`: to a caller such an id
//! is simply one that does not exist.

use std::fmt;

use uuid::Uuid;

use crate::{clock::Timestamp, random::Random};

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const TEXT_LEN: usize = 26;
/// The value of each character, or [`NO_VALUE`]: an id is read in every request.
const VALUES: [u8; 256] = values();
const NO_VALUE: u8 = 255;

const fn values() -> [u8; 256] {
    let mut values = [NO_VALUE; 256];
    let mut value = 0;
    while value < ALPHABET.len() {
        #[expect(clippy::cast_possible_truncation, reason = "there are 32 characters")]
        {
            values[ALPHABET[value] as usize] = value as u8;
        }
        value += 1;
    }
    values
}

/// How many low bits of an import's id are free for the ordinal of a serial.
const ORDINAL_BITS: u32 = 32;
/// How many low bits of a ledger entry's id hold its version.
const VERSION_BITS: u32 = 40;
/// Where the number of a line is mixed into an entry's id: random bits, just above the version.
const LINE_SHIFT: u32 = VERSION_BITS;

macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id from the clock and the random source.
            pub fn generate(now: Timestamp, random: &dyn Random) -> Self {
                Self(uuid_v7(now, random))
            }

            /// Reads the text form; `None` if it is malformed or carries another prefix.
            pub fn parse(text: &str) -> Option<Self> {
                let rest = text.strip_prefix($prefix)?.strip_prefix('_')?;
                decode(rest).map(|bits| Self(Uuid::from_u128(bits)))
            }

            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            pub const fn uuid(self) -> Uuid {
                self.0
            }

            pub const fn uuid_bytes(&self) -> &[u8] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($prefix)?;
                f.write_str("_")?;
                f.write_str(encode(self.0.as_u128(), &mut [0; TEXT_LEN]))
            }
        }
    };
}

typed_id!(MerchantId, "mer");
typed_id!(
    /// A merchant's one program: the merchant, under a prefix of its own.
    ProgramId,
    "prg"
);
typed_id!(RelationshipId, "rel");
typed_id!(InvitationId, "ivt");
typed_id!(
    /// An entry of a merchant's audit log, made from its hash.
    AuditId,
    "aud"
);
typed_id!(ProductId, "prd");
typed_id!(VariantId, "var");
typed_id!(
    /// One import of serials; its low 32 bits are zero, so that it and an ordinal make a [`SerialId`].
    ImportId,
    "bat"
);
typed_id!(
    /// One serial: its import's id with the ordinal in the low 32 bits, so the serials of an import
    /// are one range of the primary key, in the order in which they are sold.
    SerialId,
    "ser"
);
typed_id!(
    /// A ledger entry; the low 40 bits are its version.
    EntryId,
    "led"
);
typed_id!(
    /// A fulfillment: the ledger entry that delivered, under its own prefix.
    FulfillmentId,
    "ful"
);
typed_id!(LineId, "fln");
typed_id!(
    /// A delivered serial, under its own prefix.
    ItemId,
    "fit"
);
typed_id!(
    /// Serials that leave the shelf together without an order: one movement of the stock.
    WithdrawalId,
    "mov"
);
typed_id!(ReplacementId, "rpl");
typed_id!(
    /// A wholesale purchase.
    StockRequestId,
    "stk"
);
typed_id!(
    /// A serial that a reseller bought to sell it on, under its own prefix.
    InventoryItemId,
    "itm"
);
typed_id!(
    /// Money that goes back for a wholesale purchase: the reference of its entry in the ledger.
    StockRefundId,
    "srf"
);
typed_id!(KeyId, "key");
typed_id!(
    /// Somebody who can sign in.
    PersonId,
    "usr"
);
typed_id!(SessionId, "ses");
typed_id!(
    /// An event: of a ledger's entry, the entry under its own prefix.
    EventId,
    "evt"
);
typed_id!(
    /// A demand for money.
    InvoiceId,
    "inv"
);
typed_id!(
    /// A customer's visit before there is an invoice.
    CheckoutId,
    "chk"
);
typed_id!(
    /// What an invoice is for; inside only.
    InvoiceLineId,
    "ivl"
);
typed_id!(
    /// A merchant's access to a shop of a payment server.
    StoreId,
    "sto"
);
typed_id!(
    /// Money that arrived for an invoice: the reference of its entry in the ledger.
    PaymentId,
    "pmt"
);
typed_id!(
    /// An address to which events are sent.
    WebhookId,
    "whk"
);
typed_id!(
    /// A receiver of the calls of a reseller's shop.
    ConnectionId,
    "con"
);
typed_id!(
    /// One event on its way to one webhook.
    DeliveryId,
    "dlv"
);
typed_id!(
    /// A tracked link; a relationship's own link is the relationship, under this prefix.
    LinkId,
    "lnk"
);
typed_id!(
    /// An embed campaign.
    CampaignId,
    "cmp"
);
typed_id!(
    /// A product at a reseller's own price.
    ListingId,
    "lst"
);
typed_id!(
    /// An attributed line of a paid invoice.
    SaleId,
    "sal"
);
typed_id!(
    /// The commission of a sale: the sale, under its own prefix.
    CommissionId,
    "com"
);
typed_id!(
    /// A reseller's request to be paid.
    PayoutId,
    "pay"
);
typed_id!(
    /// One change of what a reseller has earned.
    EarningId,
    "ern"
);
typed_id!(
    /// A mail in the outbox; inside only.
    MailId,
    "eml"
);

/// The row number of a balance, inside only; outside a balance is named by its relationship.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BalanceId(pub i64);

impl fmt::Display for BalanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl MerchantId {
    pub const fn program(self) -> ProgramId {
        ProgramId(self.0)
    }
}

impl RelationshipId {
    /// The link that every relationship has.
    pub const fn link(self) -> LinkId {
        LinkId(self.0)
    }
}

impl CampaignId {
    /// The link under which its sales are attributed.
    pub const fn link(self) -> LinkId {
        LinkId(self.0)
    }
}

impl ListingId {
    /// The link under which its sales are attributed.
    pub const fn link(self) -> LinkId {
        LinkId(self.0)
    }
}

impl InvoiceLineId {
    /// What takes the line's serials off the shelf, once.
    pub const fn withdrawal(self) -> WithdrawalId {
        WithdrawalId(self.0)
    }
}

impl SaleId {
    pub const fn commission(self) -> CommissionId {
        CommissionId(self.0)
    }
}

impl CommissionId {
    pub const fn sale(self) -> SaleId {
        SaleId(self.0)
    }
}

impl InvoiceId {
    /// No invoice from this time on has a lower id.
    pub fn first_at(time: Timestamp) -> Self {
        Self(at_millis(time, &[0; 10]))
    }
}

impl PaymentId {
    /// No payment from this time on has a lower id.
    pub fn first_at(time: Timestamp) -> Self {
        Self(at_millis(time, &[0; 10]))
    }
}

impl AuditId {
    /// The id of the entry with this hash.
    pub fn of_hash(at: Timestamp, hash: &[u8; 32]) -> Self {
        let (bytes, _) = hash.split_first_chunk().expect("a hash is longer");
        Self(at_millis(at, bytes))
    }
}

impl ImportId {
    /// A new import id, whose low bits are free for ordinals.
    pub fn for_import(now: Timestamp, random: &dyn Random) -> Self {
        let bits = uuid_v7(now, random).as_u128();
        Self(Uuid::from_u128(bits >> ORDINAL_BITS << ORDINAL_BITS))
    }

    pub const fn serial(self, ordinal: u32) -> SerialId {
        SerialId(Uuid::from_u128(self.0.as_u128() | ordinal as u128))
    }
}

impl SerialId {
    pub const fn import(self) -> ImportId {
        ImportId(Uuid::from_u128(
            self.0.as_u128() >> ORDINAL_BITS << ORDINAL_BITS,
        ))
    }

    /// Its place in its import.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the ordinal is the low 32 bits"
    )]
    pub const fn ordinal(self) -> u32 {
        self.0.as_u128() as u32
    }

    /// The id under which a shop knows this serial once it was delivered.
    pub const fn item(self) -> ItemId {
        ItemId(self.0)
    }

    /// The id under which a reseller knows it once it is in the reseller's inventory.
    pub const fn inventory_item(self) -> InventoryItemId {
        InventoryItemId(self.0)
    }
}

impl EntryId {
    /// The id of the entry with this version; unguessable enough to tell nothing but its age.
    pub fn for_version(now: Timestamp, random: &dyn Random, version: i64) -> Self {
        let low = (1_u128 << VERSION_BITS) - 1;
        let version = u128::from(version.unsigned_abs()) & low;
        Self(Uuid::from_u128(
            uuid_v7(now, random).as_u128() & !low | version,
        ))
    }

    /// The version that this id carries; the row found by it must have the whole id.
    pub fn version(self) -> i64 {
        let low = (1_u128 << VERSION_BITS) - 1;
        i64::try_from(self.0.as_u128() & low).expect("40 bits fit into an i64")
    }

    pub const fn fulfillment(self) -> FulfillmentId {
        FulfillmentId(self.0)
    }

    pub const fn event(self) -> EventId {
        EventId(self.0)
    }

    /// The id of a line, from 1, of the fulfillment that is this entry.
    pub const fn line(self, number: u8) -> LineId {
        LineId(Uuid::from_u128(
            self.0.as_u128() ^ ((number as u128) << LINE_SHIFT),
        ))
    }
}

impl FulfillmentId {
    pub const fn entry(self) -> EntryId {
        EntryId(self.0)
    }
}

fn uuid_v7(now: Timestamp, random: &dyn Random) -> Uuid {
    let mut bytes = [0; 10];
    random.fill(&mut bytes);
    at_millis(now, &bytes)
}

fn at_millis(at: Timestamp, bytes: &[u8; 10]) -> Uuid {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, bytes).into_uuid()
}

fn encode(mut bits: u128, text: &mut [u8; TEXT_LEN]) -> &str {
    for place in text.iter_mut().rev() {
        *place = ALPHABET[(bits & 31) as usize];
        bits >>= 5;
    }
    std::str::from_utf8(text).expect("the alphabet is ASCII")
}

fn decode(text: &str) -> Option<u128> {
    let bytes = text.as_bytes();
    // 26 characters hold 130 bits: the first may only use its low three.
    if bytes.len() != TEXT_LEN || bytes[0] > b'7' {
        return None;
    }
    bytes.iter().try_fold(0_u128, |bits, &byte| {
        let value = VALUES[usize::from(byte)];
        (value != NO_VALUE).then_some(bits << 5 | u128::from(value))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{clock, random::SeededRandom};

    #[test]
    fn text_of_the_type_id_specification_is_read_and_written() {
        let uuid = Uuid::parse_str("01890a5d-ac96-774b-bcce-b302099a8057").expect("a uuid");
        let id = ProductId::from_uuid(uuid);
        assert_eq!(id.to_string(), "prd_01h455vb4pex5vsknk084sn02q");
        assert_eq!(ProductId::parse("prd_01h455vb4pex5vsknk084sn02q"), Some(id));
    }

    #[test]
    fn foreign_and_malformed_texts_are_none() {
        for text in [
            "",
            "prd_",
            "prd01h455vb4pex5vsknk084sn02q",
            "var_01h455vb4pex5vsknk084sn02q",
            "prd_01H455VB4PEX5VSKNK084SN02Q",
            "prd_81h455vb4pex5vsknk084sn02q",
            "prd_01h455vb4pex5vsknk084sn02",
            "prd_01h455vb4pex5vsknk084sn02qq",
            "prd_01h455vb4pex5vsknk084sn0lq",
        ] {
            assert_eq!(ProductId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn serials_of_an_import_are_one_ascending_range() {
        let import = ImportId::for_import(clock::EPOCH, &SeededRandom::new(1));
        assert_eq!(import.serial(7).import(), import);
        assert!(import.serial(0) < import.serial(1));
        assert!(import.serial(1) < import.serial(u32::MAX));
    }

    proptest! {
        #[test]
        fn every_id_reads_back(bits: u128) {
            let id = RelationshipId::from_uuid(Uuid::from_u128(bits));
            prop_assert_eq!(RelationshipId::parse(&id.to_string()), Some(id));
        }

        #[test]
        fn entry_id_carries_its_version(seed: u64, version in 1_i64..1 << 40) {
            let id = EntryId::for_version(clock::EPOCH, &SeededRandom::new(seed), version);
            prop_assert_eq!(id.version(), version);
        }
    }
}
