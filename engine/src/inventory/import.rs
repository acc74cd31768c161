//! An upload of serials: read, checked line by line, and sealed.
//!
//! Keeps: an upload is taken whole or refused whole, a refusal names lines and never repeats what they
//! say, and a secret leaves this module sealed for one place of one import. Reading and sealing 50 000
//! lines is work for a fifth of a second: run it on a thread that may block.

use std::collections::HashMap;

use super::Restock;
use crate::{
    catalog::{Product, ProductKind, Sku},
    ids::{ImportId, MerchantId, VariantId},
    merchants::Merchant,
    vault::{Sealed, SerialFingerprint, Vault},
};

/// Most serials of one upload.
pub const SERIALS_MAX: usize = 50_000;
/// Longest serial, in bytes.
pub const SERIAL_BYTES_MAX: usize = 4096;
/// Longest label of an import, in characters.
pub const LABEL_CHARACTERS_MAX: usize = 100;
/// How many lines a refusal names; the others are only counted.
pub const PROBLEMS_MAX: usize = 100;

/// What becomes of a secret that the merchant has already, or that is in the upload twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicates {
    /// Nothing is stored.
    Refuse,
    /// It is left out and counted.
    Remove,
}

/// What is wrong with one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    #[error("has more than 4096 bytes")]
    TooLong,
    #[error("contains a control character")]
    ControlCharacter,
    #[error("repeats line {first}")]
    Repeated { first: u32 },
    #[error("is stored already")]
    Stored,
}

/// A line, counted from 1, that is no serial to store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Problem {
    pub line: u32,
    pub flaw: Flaw,
}

/// Why an upload is not taken. Nothing of it is stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("no such product or variant")]
    NotFound,
    #[error("the product is not sold by serials")]
    NotSerials,
    #[error("the product has variants: serials belong to one of them")]
    VariantRequired,
    #[error("there is no serial in the upload")]
    Empty,
    #[error("more than 50000 serials")]
    TooMany,
    /// The first lines that are not taken, in order, and how many there are in all.
    #[error("{count} lines are not taken")]
    Lines { problems: Vec<Problem>, count: u32 },
}

impl Refusal {
    /// The refusal of an upload with these lines, in any order.
    pub fn lines(mut problems: Vec<Problem>) -> Self {
        let count = u32::try_from(problems.len()).expect("an upload has at most 50000 lines");
        problems.sort_unstable_by_key(|problem| problem.line);
        problems.truncate(PROBLEMS_MAX);
        Self::Lines { problems, count }
    }
}

/// The sku that an upload to this product, or this variant of it, restocks.
pub fn sku(product: &Product, variant: Option<VariantId>) -> Result<Sku, Refusal> {
    match product.kind {
        ProductKind::Serials => {}
        ProductKind::Service => return Err(Refusal::NotSerials),
    }
    let sku = Sku {
        product: product.id,
        variant,
    };
    match variant {
        None if !product.variants.is_empty() => Err(Refusal::VariantRequired),
        Some(id) if product.variant(id).is_none() => Err(Refusal::NotFound),
        None | Some(_) => Ok(sku),
    }
}

/// The serials of an upload, still in clear and within the bounds.
pub struct Upload<'a> {
    secrets: Vec<(u32, &'a str)>,
    duplicates: Duplicates,
    removed: u32,
}

impl<'a> Upload<'a> {
    /// Reads one serial per line. Lines are trimmed; empty ones count as lines, not as serials.
    pub fn read(
        lines: impl IntoIterator<Item = &'a str>,
        duplicates: Duplicates,
    ) -> Result<Self, Refusal> {
        let mut upload = Self {
            secrets: Vec::new(),
            duplicates,
            removed: 0,
        };
        let mut problems = Vec::new();
        let mut first_lines = HashMap::new();
        let numbered = (1..).zip(lines).map(|(line, text)| (line, trim(text)));
        let filled = numbered.filter(|(_, secret)| !secret.is_empty());
        for (count, (line, secret)) in filled.enumerate() {
            if count == SERIALS_MAX {
                return Err(Refusal::TooMany);
            }
            let first = *first_lines.entry(secret).or_insert(line);
            match flaw(secret) {
                Some(flaw) => problems.push(Problem { line, flaw }),
                None if first == line => upload.secrets.push((line, secret)),
                None => match duplicates {
                    Duplicates::Remove => upload.removed += 1,
                    Duplicates::Refuse => {
                        problems.push(Problem {
                            line,
                            flaw: Flaw::Repeated { first },
                        });
                    }
                },
            }
        }
        if !problems.is_empty() {
            return Err(Refusal::lines(problems));
        }
        if upload.secrets.is_empty() {
            return Err(Refusal::Empty);
        }
        Ok(upload)
    }

    /// Seals every serial for its place in the import, with the digest that finds it a second time.
    pub fn seal(self, target: Target, merchant: &Merchant, vault: &Vault) -> Import {
        let serials = (0..)
            .zip(&self.secrets)
            .map(|(ordinal, &(line, secret))| SealedSerial {
                line,
                fingerprint: vault.serial_fingerprint(merchant.id, secret),
                sealed: merchant
                    .key
                    .seal_serial(target.import.serial(ordinal), secret),
            });
        Import {
            serials: serials.collect(),
            merchant: merchant.id,
            target,
            duplicates: self.duplicates,
            removed: self.removed,
        }
    }
}

/// Where an upload goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub import: ImportId,
    pub sku: Sku,
    pub label: Option<String>,
}

/// An upload that is ready to be stored.
#[derive(Debug, Clone)]
pub struct Import {
    pub merchant: MerchantId,
    pub target: Target,
    pub duplicates: Duplicates,
    /// How many lines were left out already, because an earlier line has the same secret.
    pub removed: u32,
    /// In the order of sale: the index is the ordinal for which the serial was sealed.
    pub serials: Vec<SealedSerial>,
}

/// A serial as it will be stored.
#[derive(Debug, Clone)]
pub struct SealedSerial {
    /// Where it stood in the upload.
    pub line: u32,
    pub fingerprint: SerialFingerprint,
    pub sealed: Sealed,
}

impl Import {
    /// What puts this import on sale, once it is stored.
    pub const fn restock(&self) -> Restock {
        Restock {
            merchant: self.merchant,
            sku: self.target.sku,
            import: self.target.import,
        }
    }
}

/// Without the white space around it, and without the mark some editors put before a file.
fn trim(text: &str) -> &str {
    text.trim_start_matches('\u{feff}').trim()
}

fn flaw(secret: &str) -> Option<Flaw> {
    if secret.len() > SERIAL_BYTES_MAX {
        Some(Flaw::TooLong)
    } else if secret.chars().any(char::is_control) {
        Some(Flaw::ControlCharacter)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{clock, ids::ProductId, money::Currency, random::SeededRandom, vault::RootKey};

    fn secrets(text: &str, duplicates: Duplicates) -> Result<Vec<(u32, &str)>, Refusal> {
        Upload::read(text.lines(), duplicates).map(|upload| upload.secrets)
    }

    #[test]
    fn lines_are_trimmed_and_keep_their_numbers() {
        let read = secrets("\u{feff}a\r\n\n  b c \n\t\nd", Duplicates::Refuse);
        assert_eq!(read, Ok(vec![(1, "a"), (3, "b c"), (5, "d")]));
    }

    #[test]
    fn flawed_lines_are_named_in_order() {
        let long = "x".repeat(SERIAL_BYTES_MAX + 1);
        let text = format!("a\n{long}\nb\u{0}\na\nc");
        let problems = vec![
            Problem {
                line: 2,
                flaw: Flaw::TooLong,
            },
            Problem {
                line: 3,
                flaw: Flaw::ControlCharacter,
            },
            Problem {
                line: 4,
                flaw: Flaw::Repeated { first: 1 },
            },
        ];
        assert_eq!(
            secrets(&text, Duplicates::Refuse),
            Err(Refusal::Lines { problems, count: 3 })
        );
        assert!(secrets(&"x".repeat(SERIAL_BYTES_MAX), Duplicates::Refuse).is_ok());
    }

    #[test]
    fn repeated_lines_are_left_out_when_asked() {
        let upload = Upload::read(["a", "b", "a", "a"], Duplicates::Remove).unwrap();
        assert_eq!(
            (upload.secrets, upload.removed),
            (vec![(1, "a"), (2, "b")], 2)
        );
    }

    #[test]
    fn bounds_of_an_upload_are_kept() {
        let full: Vec<_> = (0..SERIALS_MAX).map(|n| n.to_string()).collect();
        let lines = || full.iter().map(String::as_str);
        assert!(Upload::read(lines(), Duplicates::Refuse).is_ok());
        let over = Upload::read(lines().chain(["x"]), Duplicates::Refuse);
        assert_eq!(over.err(), Some(Refusal::TooMany));
        assert_eq!(secrets(" \n\n", Duplicates::Refuse), Err(Refusal::Empty));
        let flawed = vec!["\u{0}"; PROBLEMS_MAX + 1];
        let Err(Refusal::Lines { problems, count }) =
            Upload::read(flawed, Duplicates::Refuse).map(|upload| upload.removed)
        else {
            panic!("not refused");
        };
        assert_eq!((problems.len(), count), (PROBLEMS_MAX, 101));
    }

    #[test]
    fn serials_open_at_their_ordinal_only() {
        let random = Arc::new(SeededRandom::new(7));
        let vault = Vault::new(&RootKey::new([7; 32]), random.clone());
        let id = MerchantId::generate(clock::EPOCH, &*random);
        let key = vault
            .merchant_key(id, &vault.generate_merchant_key(id))
            .unwrap();
        let merchant = Merchant {
            id,
            name: "Shop".to_owned(),
            storefront_url: None,
            currency: Currency::USD,
            key,
            rate_limit_factor: 1,
        };
        let product = ProductId::generate(clock::EPOCH, &*random);
        let target = Target {
            import: ImportId::for_import(clock::EPOCH, &*random),
            sku: Sku {
                product,
                variant: None,
            },
            label: None,
        };
        let id = target.import;
        let upload = Upload::read(["one", "", "two"], Duplicates::Refuse).unwrap();

        let import = upload.seal(target, &merchant, &vault);

        assert_eq!(
            import.serials.iter().map(|s| s.line).collect::<Vec<_>>(),
            [1, 3]
        );
        let two = &import.serials[1].sealed;
        assert_eq!(
            merchant
                .key
                .open_serial(id.serial(1), two)
                .unwrap()
                .expose(),
            "two"
        );
        assert!(merchant.key.open_serial(id.serial(0), two).is_err());
    }
}
