//! Who takes part: merchants with products and scarce serials, resellers with thin balances and keys.
//!
//! All of it follows from the seed and is in the tables before the first process starts.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use engine::{
    balances::{CreditEntry, EntryKind},
    catalog::{Product, ProductKind, Sku, Status, Variant},
    clock::Timestamp,
    config::Config,
    fulfillments::Stamp,
    ids::{BalanceId, EntryId, ImportId, KeyId, MerchantId, ProductId, RelationshipId, VariantId},
    inventory::Restock,
    merchants::Merchant,
    money::{Currency, Money},
    random::{Random, SeededRandom},
    relationships::{self, Access, DynamicUrlPolicy, KeyTerms, Mode, RelationshipScope, Terms},
    testing::{EntryRow, ImportRow, MemoryStore, Tables, credit},
    vault::{RootKey, Sealed, Vault},
};

use crate::{dice::Dice, tally::Kind, weather::Weather};

/// A day on which nothing special happens; runs begin at any time of it.
const DAY: &str = "2026-03-14T00:00:00Z";

/// An amount in minor units.
pub(crate) fn minor(units: u64) -> Money {
    let units = i64::try_from(units).expect("a small amount");
    Money::from_minor(units).expect("a small amount")
}

/// Something that is sold.
#[derive(Debug, Clone)]
pub(crate) struct Ware {
    pub(crate) merchant: MerchantId,
    pub(crate) sku: Sku,
}

/// A balance and the keys that may spend it.
#[derive(Debug, Clone)]
pub(crate) struct Purse {
    pub(crate) scope: RelationshipScope,
    pub(crate) keys: Vec<KeyId>,
    /// What may be bought from it.
    pub(crate) wares: Vec<Ware>,
}

pub(crate) struct Cast {
    pub(crate) start: Timestamp,
    pub(crate) vault: Vault,
    pub(crate) random: Arc<SeededRandom>,
    pub(crate) purses: Vec<Purse>,
    pub(crate) wares: Vec<Ware>,
    pub(crate) config: Config,
    /// Seals serials of imports; the vault may fail while an order is sealed.
    merchants: BTreeMap<MerchantId, Merchant>,
    pub(crate) brittle: Arc<Brittle>,
}

/// Random bytes that fail once when armed: sealing an address is the last thing a fulfiller does with
/// money and serials in its hands.
#[derive(Debug)]
pub(crate) struct Brittle {
    bytes: SeededRandom,
    armed: AtomicBool,
}

/// What a fulfiller that panics says.
pub(crate) const BRITTLE: &str = "no random bytes";

impl Brittle {
    pub(crate) fn arm(&self) {
        self.armed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn disarm(&self) -> bool {
        self.armed.swap(false, Ordering::Relaxed)
    }
}

impl Random for Brittle {
    fn fill(&self, bytes: &mut [u8]) {
        assert!(!self.disarm(), "{BRITTLE}");
        self.bytes.fill(bytes);
    }
}

impl Cast {
    pub(crate) fn new(dice: &Dice, weather: &Weather, store: &MemoryStore) -> Self {
        let day: Timestamp = DAY.parse().expect("a time");
        let start = day + dice.millis(0, 86_400_000);
        let random = Arc::new(SeededRandom::new(dice.number()));
        let brittle = Arc::new(Brittle {
            bytes: SeededRandom::new(dice.number()),
            armed: AtomicBool::new(false),
        });
        let root = RootKey::new([7; 32]);
        let mut cast = Self {
            start,
            vault: Vault::new(&root, brittle.clone()),
            random,
            purses: Vec::new(),
            wares: Vec::new(),
            config: config(dice),
            merchants: BTreeMap::new(),
            brittle,
        };
        let sound = Vault::new(&root, cast.random.clone());
        let mut tables = store.tables();
        for number in 0..dice.small(2, 3) {
            cast.merchant(dice, &sound, &mut tables, number);
        }
        for ware in cast.wares.clone() {
            let restock = cast.import(weather, &mut tables, &ware, dice.small(1, 25));
            if weather.strikes(Kind::ImportUnnumbered, 50) {
                continue;
            }
            tables.number(&[restock]);
        }
        drop(tables);
        cast
    }

    fn merchant(&mut self, dice: &Dice, sound: &Vault, tables: &mut Tables, number: u32) {
        let id = MerchantId::generate(self.start, &*self.random);
        let wrapped = sound.generate_merchant_key(id);
        let of = |vault: &Vault| Merchant {
            id,
            name: format!("Merchant {number}"),
            storefront_url: None,
            currency: Currency::USD,
            key: vault
                .merchant_key(id, &wrapped)
                .expect("a key just wrapped"),
            rate_limit_factor: 1,
        };
        tables.merchants.insert(id, of(&self.vault));
        self.merchants.insert(id, of(sound));
        let from = self.wares.len();
        for _ in 0..dice.small(1, 3) {
            self.product(dice, id, tables);
        }
        let wares = self.wares[from..].to_vec();
        for _ in 0..dice.small(1, 2) {
            self.relationship(dice, id, &wares, tables);
        }
    }

    fn product(&mut self, dice: &Dice, merchant: MerchantId, tables: &mut Tables) {
        let id = ProductId::generate(self.start, &*self.random);
        let variants = if dice.percent(30) { 2 } else { 0 };
        let variant = |n| Variant {
            id: VariantId::generate(self.start, &*self.random),
            title: format!("Variant {n}"),
            base_price: minor(500),
            wholesale_price: Some(minor(dice.between(100, 900))),
            status: Status::Active,
        };
        let variants: Vec<_> = (0..variants).map(variant).collect();
        // One that no sum of money can hold twice: its cost must be refused, never wrap.
        let dear = dice.percent(3);
        let price = if dear {
            500_000_000_000
        } else {
            dice.between(100, 900)
        };
        let product = Product {
            id,
            merchant,
            title: "Key".to_owned(),
            kind: ProductKind::Serials,
            status: Status::Active,
            base_price: minor(1000),
            wholesale_price: Some(minor(price)),
            min_quantity: None,
            max_quantity: None,
            custom_fields: Vec::new(),
            price_version: 1,
            variants,
        };
        self.wares
            .extend(product.skus().map(|sku| Ware { merchant, sku }));
        tables.products.insert(id, product);
    }

    fn relationship(
        &mut self,
        dice: &Dice,
        merchant: MerchantId,
        wares: &[Ware],
        tables: &mut Tables,
    ) {
        let id = RelationshipId::generate(self.start, &*self.random);
        let key = |_| KeyId::generate(self.start, &*self.random);
        let keys: Vec<_> = (0..dice.small(1, 2)).map(key).collect();
        let terms = terms(dice, merchant, id, &keys, wares);
        tables.terms.insert(id, terms);
        for test in [false, true] {
            if test && dice.percent(70) {
                continue;
            }
            let balance = BalanceId(i64::try_from(tables.balances.len()).expect("few") + 1);
            tables.balances.insert(balance, id);
            self.deposit(tables, balance, minor(dice.between(0, 20_000)));
            self.purses.push(Purse {
                scope: RelationshipScope {
                    merchant,
                    relationship: id,
                    balance,
                    test,
                },
                keys: keys.clone(),
                wares: wares.to_vec(),
            });
        }
    }

    fn deposit(&self, tables: &mut Tables, balance: BalanceId, amount: Money) {
        if amount == Money::ZERO {
            return;
        }
        let stamp = Stamp {
            id: EntryId::for_version(self.start, &*self.random, 1),
            version: 1,
            balance_after: amount,
            created_at: self.start,
        };
        let credit = Arc::new(credit(balance, "deposit", amount));
        let key = (balance, EntryKind::Credit, credit.reference.clone());
        tables.references.insert(key, 1);
        let row = EntryRow::Credit(CreditEntry { stamp, credit });
        tables.entries.insert((balance, 1), row);
    }

    /// Stores an import that is not on sale yet; now and then one of its serials does not open.
    pub(crate) fn import(
        &self,
        weather: &Weather,
        tables: &mut Tables,
        ware: &Ware,
        serials: u32,
    ) -> Restock {
        let import = ImportId::for_import(self.start, &*self.random);
        let key = &self.merchants[&ware.merchant].key;
        let seal = |ordinal| {
            let serial = import.serial(ordinal);
            if weather.strikes(Kind::SealBroken, 15) {
                return Sealed::from_bytes([0; 60]);
            }
            key.seal_serial(serial, &secret(import, ordinal))
        };
        let row = ImportRow {
            merchant: ware.merchant,
            sku: ware.sku,
            number: None,
            test: false,
            serials: (0..serials).map(seal).collect(),
        };
        tables.imports.insert(import, row);
        Restock {
            merchant: ware.merchant,
            sku: ware.sku,
            import,
        }
    }

    /// Whether a sealed serial of this merchant opens.
    pub(crate) fn opens(
        &self,
        merchant: MerchantId,
        serial: engine::ids::SerialId,
        sealed: &Sealed,
    ) -> bool {
        self.merchants[&merchant]
            .key
            .open_serial(serial, sealed)
            .is_ok()
    }
}

/// What a serial says.
pub(crate) fn secret(import: ImportId, ordinal: u32) -> String {
    format!("{}", import.serial(ordinal))
}

fn terms(
    dice: &Dice,
    merchant: MerchantId,
    relationship: RelationshipId,
    keys: &[KeyId],
    wares: &[Ware],
) -> Terms {
    let limit = |share| {
        dice.percent(share)
            .then(|| minor(dice.between(2000, 12_000)))
    };
    let key = |key: &KeyId| {
        let terms = KeyTerms {
            products: Vec::new(),
            max_quantity: None,
            daily_spend_cap: limit(15),
        };
        (*key, terms)
    };
    let access = |ware: &Ware| ((ware.sku.product, None), Access::default());
    Terms {
        relationship,
        merchant,
        version: 1,
        program_enabled: true,
        dynamic_url_policy: DynamicUrlPolicy::Allowed,
        status: relationships::Status::Active,
        status_reason: None,
        code: "RESELLER".to_owned(),
        mode: Mode::Stock,
        discount: None,
        program_discount: None,
        purchase_limit_daily: limit(15),
        purchase_limit_monthly: limit(10),
        committed: relationships::Committed::NONE,
        access: wares.iter().map(access).collect(),
        keys: keys.iter().map(key).collect(),
    }
}

/// Bounds, tight more often than not.
fn config(dice: &Dice) -> Config {
    let in_flight_max = *dice.pick(&[4, 16, 64, 4096]);
    let own = [in_flight_max, in_flight_max / 2];
    Config {
        lanes: u16::try_from(dice.between(2, 4)).expect("few lanes"),
        in_flight_max,
        relationship_in_flight_max: *dice.pick(&own),
        joined_max: *dice.pick(&[2, 8, 256]),
        batch_entries_max: *dice.pick(&[1, 3, 16, 512]),
        settled_entries_max: *dice.pick(&[1, 4, 65_536]),
        window_serials_min: *dice.pick(&[1, 4, 64]),
        idle_ms: *dice.pick(&[50, 300, 2000, 20_000]),
        hydrations_max: *dice.pick(&[1, 32]),
        answer_deadline_ms: *dice.pick(&[5100, 8000]),
        claim_deadline_ms: *dice.pick(&[300, 2000]),
        verify_every_ms: *dice.pick(&[20, 200, 1000]),
        verify_entries_max: *dice.pick(&[1, 4, 256]),
        ..Config::default()
    }
}
