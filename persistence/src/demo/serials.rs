//! The serials of a cast, sealed like everybody's and written in the form that `COPY` reads.
//!
//! Keeps: every serial of a cast has another text, and opens under its merchant's key.

use engine::{catalog::Sku, ids::ImportId, merchants::Merchant, random::Random, vault::Vault};

use super::{
    cast::{Cast, Product},
    ids::{self, Role, Troupe},
};

/// What begins and what ends a binary `COPY`.
pub(super) const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
pub(super) const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();

const COLUMNS: i16 = 4;
const BASE32: &[u8; 32] = b"ABCDEFGHJKMNPQRSTVWXYZ0123456789";
/// Serials of one import, as of one upload.
const IMPORT_SERIALS: u32 = 50_000;

/// One import of a cast.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shelf {
    troupe: Troupe,
    pub(super) import: ImportId,
    pub(super) sku: Sku,
    pub(super) serials: u32,
    /// How many serials of the cast come before.
    before: u64,
}

/// The imports that stock a cast.
pub(super) fn shelves(cast: &Cast) -> Vec<Shelf> {
    let mut shelves = Vec::new();
    let mut before = 0;
    let stocked = |product: &Product| {
        let serials = product.serials;
        product
            .skus()
            .map(move |sku| (sku, serials))
            .collect::<Vec<_>>()
    };
    for (sku, mut left) in cast.products.iter().flat_map(stocked) {
        while left > 0 {
            let serials = left.min(IMPORT_SERIALS);
            let number = shelves.len() as u64;
            shelves.push(Shelf {
                troupe: cast.troupe,
                import: ImportId::for_import(
                    ids::made_at(number),
                    &ids::random(cast.troupe, Role::Import, number),
                ),
                sku,
                serials,
                before,
            });
            before += u64::from(serials);
            left -= serials;
        }
    }
    shelves
}

impl Shelf {
    /// The rows of `serials` of this import, as `COPY` reads them.
    pub(super) fn rows(&self, merchant: &Merchant, vault: &Vault) -> Vec<u8> {
        const ROW_BYTES: usize = 160;
        let mut rows = Vec::with_capacity(self.serials as usize * ROW_BYTES);
        for ordinal in 0..self.serials {
            let text = text(self.troupe, self.before + u64::from(ordinal));
            let serial = self.import.serial(ordinal);
            rows.extend(COLUMNS.to_be_bytes());
            field(&mut rows, serial.uuid_bytes());
            field(&mut rows, merchant.id.uuid_bytes());
            field(&mut rows, &vault.serial_fingerprint(merchant.id, &text));
            field(
                &mut rows,
                merchant.key.seal_serial(serial, &text).as_bytes(),
            );
        }
        rows
    }
}

fn field(rows: &mut Vec<u8>, value: &[u8]) {
    let length = i32::try_from(value.len()).expect("a sealed serial is short");
    rows.extend(length.to_be_bytes());
    rows.extend(value);
}

/// The serial with this number, like `K7QX-2M9P-4TRA-8WVE`. The first eight bytes of a seeded source
/// are another number for each seed, so no two serials are the same.
fn text(troupe: Troupe, number: u64) -> String {
    let mut bytes = [0; 10];
    ids::random(troupe, Role::Serial, number).fill(&mut bytes);
    let mut bits = bytes
        .iter()
        .fold(0_u128, |bits, &byte| bits << 8 | u128::from(byte));
    let mut text = String::with_capacity(19);
    for place in 0..16 {
        if place > 0 && place % 4 == 0 {
            text.push('-');
        }
        text.push(char::from(BASE32[(bits & 31) as usize]));
        bits >>= 5;
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_serial_has_another_text() {
        let texts: HashSet<_> = (0..100_000)
            .map(|number| text(Troupe::Load, number))
            .collect();
        assert_eq!(texts.len(), 100_000);
        assert_eq!(text(Troupe::Demo, 0).len(), 19);
    }
}
