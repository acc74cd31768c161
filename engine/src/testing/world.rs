//! The smallest cast for a test: one merchant, one reseller, a key, products with serials.
//!
//! `World::new().product("key", 3).balance("10.00")` is a scene; [`World::start`] puts a running engine
//! on it. Prices are 2.50 unless said otherwise, time stands still unless moved, and every random byte
//! comes from one seed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use super::store::{EntryRow, ImportRow, MemoryStore};
use crate::{
    actors::Arbiters,
    balances::{Credit, CreditEntry, EntryKind},
    catalog::{Product, ProductKind, Sku, Status, Variant},
    clock::{Clock, ManualClock, Timestamp},
    config::Config,
    engine::{Balance, Credited, Engine, Ports, StartError, Stock},
    fault::Fault,
    fulfillments::{Channel, Draft, Line, OrderId, Outcome, Request, Stamp},
    ids::{
        BalanceId, EntryId, ImportId, KeyId, MerchantId, ProductId, RelationshipId, SerialId,
        VariantId,
    },
    inventory::Restock,
    merchants::Merchant,
    money::{Currency, Money},
    random::SeededRandom,
    relationships::{self, Access, DynamicUrlPolicy, KeyTerms, Mode, RelationshipScope, Terms},
    vault::{RootKey, Vault},
};

/// Noon of a day in the middle of a month.
const START: &str = "2026-03-14T12:00:00Z";
const LIVE: BalanceId = BalanceId(1);
const TEST: BalanceId = BalanceId(2);

/// An amount of the world's currency.
///
/// # Panics
/// If the text is no amount.
pub fn usd(text: &str) -> Money {
    Currency::USD.parse_amount(text).expect("an amount")
}

/// The cast, and what it is stored in.
#[derive(Clone)]
pub struct World {
    pub store: MemoryStore,
    pub clock: ManualClock,
    pub vault: Vault,
    pub config: Config,
    pub merchant: Merchant,
    pub relationship: RelationshipId,
    pub key: KeyId,
    random: Arc<SeededRandom>,
    products: BTreeMap<String, Sku>,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    pub fn new() -> Self {
        let start: Timestamp = START.parse().expect("a time");
        let random = Arc::new(SeededRandom::new(1));
        let vault = Vault::new(&RootKey::new([7; 32]), random.clone());
        let merchant = merchant("Shop", start, &vault, &random);
        let relationship = RelationshipId::generate(start, &*random);
        let key = KeyId::generate(start, &*random);
        let store = MemoryStore::new();
        {
            let mut tables = store.tables();
            let terms = terms(&merchant, relationship, key);
            tables.terms.insert(relationship, terms);
            tables.merchants.insert(merchant.id, merchant.clone());
            tables
                .balances
                .extend([(LIVE, relationship), (TEST, relationship)]);
        }
        Self {
            store,
            clock: ManualClock::new(start),
            vault,
            config: Config {
                lanes: 3,
                ..Config::default()
            },
            merchant,
            relationship,
            key,
            random,
            products: BTreeMap::new(),
        }
    }

    /// A product of 2.50 with so many serials, to which the reseller has access.
    #[must_use]
    pub fn product(mut self, name: &str, serials: u32) -> Self {
        let id = ProductId::generate(self.clock.now(), &*self.random);
        let product = product(id, self.merchant.id, name);
        self.store.tables().products.insert(id, product);
        self.products.insert(
            name.to_owned(),
            Sku {
                product: id,
                variant: None,
            },
        );
        self.store_import(name, serials, true);
        self.edit_terms(|terms| terms.access.extend([((id, None), Access::default())]))
    }

    /// A product with one variant of 4.00; its name is `product/variant`.
    #[must_use]
    pub fn variant(mut self, name: &str, serials: u32) -> Self {
        let (product, title) = name.split_once('/').expect("product/variant");
        let base = product.to_owned();
        let world = self.product_without_serials(&base);
        let id = VariantId::generate(world.clock.now(), &*world.random);
        let variant = Variant {
            id,
            title: title.to_owned(),
            base_price: usd("5.00"),
            wholesale_price: Some(usd("4.00")),
            status: Status::Active,
        };
        self = world.edit_product(&base, |product| product.variants.push(variant));
        let sku = Sku {
            variant: Some(id),
            ..self.sku(&base)
        };
        self.products.insert(name.to_owned(), sku);
        self.store_import(name, serials, true);
        self
    }

    fn product_without_serials(self, name: &str) -> Self {
        if self.products.contains_key(name) {
            self
        } else {
            self.product(name, 0)
        }
    }

    /// A product of another merchant.
    #[must_use]
    pub fn foreign_product(mut self, name: &str) -> Self {
        let other = merchant("Other", self.clock.now(), &self.vault, &self.random);
        let id = ProductId::generate(self.clock.now(), &*self.random);
        {
            let mut tables = self.store.tables();
            tables.products.insert(id, product(id, other.id, name));
            tables.merchants.insert(other.id, other);
        }
        self.products.insert(
            name.to_owned(),
            Sku {
                product: id,
                variant: None,
            },
        );
        self
    }

    /// Money in the live balance, as one credit of the past.
    #[must_use]
    pub fn balance(self, amount: &str) -> Self {
        self.seed_credit(LIVE, usd(amount));
        self
    }

    /// Money in the test balance, as one credit of the past.
    #[must_use]
    pub fn test_balance(self, amount: &str) -> Self {
        self.seed_credit(TEST, usd(amount));
        self
    }

    #[must_use]
    pub fn edit_terms(self, edit: impl FnOnce(&mut Terms)) -> Self {
        self.change_terms(edit);
        self
    }

    #[must_use]
    pub fn edit_product(self, name: &str, edit: impl FnOnce(&mut Product)) -> Self {
        self.change_product(name, edit);
        self
    }

    #[must_use]
    pub fn configure(mut self, edit: impl FnOnce(&mut Config)) -> Self {
        edit(&mut self.config);
        self
    }

    /// Writes changed terms as the cold path does: the version rises with them.
    pub fn change_terms(&self, edit: impl FnOnce(&mut Terms)) {
        let mut tables = self.store.tables();
        let terms = tables
            .terms
            .get_mut(&self.relationship)
            .expect("the world's terms");
        edit(terms);
        terms.version += 1;
    }

    /// Writes a changed product as the cold path does.
    pub fn change_product(&self, name: &str, edit: impl FnOnce(&mut Product)) {
        let id = self.sku(name).product;
        let mut tables = self.store.tables();
        edit(
            tables
                .products
                .get_mut(&id)
                .expect("a product of this world"),
        );
    }

    fn seed_credit(&self, balance: BalanceId, amount: Money) {
        let mut tables = self.store.tables();
        let (version, before) = tables
            .ledger(balance)
            .next_back()
            .map_or((1, Money::ZERO), |row| {
                (row.stamp().version + 1, row.stamp().balance_after)
            });
        let stamp = Stamp {
            id: EntryId::for_version(self.clock.now(), &*self.random, version),
            version,
            balance_after: before.checked_add(amount).expect("a bounded balance"),
            created_at: self.clock.now(),
        };
        let credit = Arc::new(credit(balance, &format!("seed-{version}"), amount));
        let key = (balance, credit.kind, credit.reference.clone());
        tables.references.insert(key, version);
        let row = EntryRow::Credit(CreditEntry { stamp, credit });
        tables.entries.insert((balance, version), row);
    }

    /// Stores an import of so many serials; it is on sale at once, or waits for its number.
    pub fn store_import(&self, name: &str, serials: u32, numbered: bool) -> Restock {
        let import = ImportId::for_import(self.clock.now(), &*self.random);
        let seal = |ordinal| {
            let secret = format!("{name}-{}-{ordinal}", import.serial(0));
            self.merchant
                .key
                .seal_serial(import.serial(ordinal), &secret)
        };
        let (merchant, sku) = (self.merchant.id, self.sku(name));
        let row = ImportRow {
            merchant,
            sku,
            number: None,
            test: false,
            serials: (0..serials).map(seal).collect(),
        };
        let mut tables = self.store.tables();
        tables.imports.insert(import, row);
        let restock = Restock {
            merchant,
            sku,
            import,
        };
        if numbered {
            tables.number(&[restock]);
        }
        restock
    }

    pub fn sku(&self, name: &str) -> Sku {
        *self.products.get(name).expect("a product of this world")
    }

    pub const fn scope(&self) -> RelationshipScope {
        RelationshipScope {
            merchant: self.merchant.id,
            relationship: self.relationship,
            balance: LIVE,
            test: false,
        }
    }

    /// The parts of a request as a shop sends them.
    pub fn draft(&self, order_id: &str, lines: &[(&str, u32)]) -> Draft {
        let line = |&(name, quantity): &(&str, u32)| Line {
            sku: self.sku(name),
            quantity,
            max_unit_price: None,
            custom_fields: BTreeMap::new(),
        };
        Draft {
            scope: self.scope(),
            key: self.key,
            order_id: OrderId::parse(order_id).expect("an order id"),
            channel: Channel::Api,
            lines: lines.iter().map(line).collect(),
            customer_email: None,
            max_total: None,
            metadata: BTreeMap::new(),
            idempotency_key: None,
            notify_customer: None,
        }
    }

    /// A valid request.
    pub fn request(&self, order_id: &str, lines: &[(&str, u32)]) -> Request {
        self.request_of(self.draft(order_id, lines))
    }

    pub fn request_of(&self, draft: Draft) -> Request {
        Request::new(draft, &self.vault).expect("a request within bounds")
    }

    /// Everything outside of an engine on this world.
    pub fn ports(&self) -> Ports {
        self.store
            .ports(Arc::new(self.clock.clone()), self.random.clone())
    }

    /// An engine on this world. The caller's thread runs an actix system, or `arbiters` do.
    pub async fn start(&self, arbiters: Arbiters) -> Result<Scene, StartError> {
        let (config, vault) = (self.config.clone(), self.vault.clone());
        let started = Engine::start(config, vault, self.ports(), arbiters);
        Ok(Scene {
            engine: started.await?,
            world: self.clone(),
        })
    }
}

/// A world with a running engine.
#[derive(Clone)]
pub struct Scene {
    pub engine: Engine,
    pub world: World,
}

impl Scene {
    pub async fn fulfill(&self, order_id: &str, lines: &[(&str, u32)]) -> Outcome {
        self.engine
            .fulfill(self.world.request(order_id, lines))
            .await
    }

    pub async fn credit(&self, reference: &str, amount: &str) -> Result<Credited, Fault> {
        let credit = credit(LIVE, reference, usd(amount));
        self.engine.credit(self.world.scope(), credit).await
    }

    /// The live balance as the engine tells it.
    ///
    /// # Panics
    /// If the engine cannot tell.
    pub async fn balance(&self) -> Balance {
        self.engine
            .balance(self.world.scope())
            .await
            .expect("a balance")
    }

    /// # Panics
    /// If the engine cannot tell.
    pub async fn stock(&self, name: &str) -> Stock {
        let stock = self
            .engine
            .stock(self.world.merchant.id, self.world.sku(name))
            .await;
        stock.expect("a stock")
    }

    /// Changes the terms and lets the engine acknowledge it.
    pub async fn change_terms(&self, edit: impl FnOnce(&mut Terms)) -> Result<(), Fault> {
        self.world.change_terms(edit);
        self.engine
            .terms_changed(self.world.relationship, &[LIVE, TEST])
            .await
    }

    /// Changes a product and lets the engine acknowledge it.
    ///
    /// # Panics
    /// If the engine does not.
    pub async fn change_product(&self, name: &str, edit: impl FnOnce(&mut Product)) {
        self.world.change_product(name, edit);
        let changed = self.engine.product_changed(self.world.sku(name).product);
        changed.await.expect("in force");
    }

    /// What happened to money and serials so far: it does not move when nothing is executed.
    pub fn footprint(&self) -> Footprint {
        let tables = self.world.store.tables();
        Footprint {
            entries: tables.entries.len(),
            claims: tables.claims.keys().copied().collect(),
        }
    }

    /// Nothing is held and memory says what storage says.
    ///
    /// # Panics
    /// If it does not.
    pub async fn check_at_rest(&self) {
        // Settlements are told, not asked: let the actors hear them.
        tokio::time::sleep(Duration::from_millis(1)).await;
        self.world.store.audit();
        let balance = self.balance().await;
        assert_eq!(balance.held, Money::ZERO, "nothing is held at rest");
        let last = {
            let tables = self.world.store.tables();
            let last = tables.ledger(LIVE).next_back().map(|row| *row.stamp());
            last.map_or((0, Money::ZERO), |stamp| {
                (stamp.version, stamp.balance_after)
            })
        };
        assert_eq!(
            (balance.version, balance.posted),
            last,
            "memory says what storage says"
        );
        for name in self.world.products.keys() {
            let free = self.free(name);
            let stock = self.stock(name).await;
            assert_eq!(
                (stock.stock, stock.available),
                (free, free),
                "stock of {name}"
            );
        }
    }

    /// Serials of a product on sale that storage has no claim of.
    fn free(&self, name: &str) -> u64 {
        let sku = self.world.sku(name);
        let tables = self.world.store.tables();
        let on_sale = tables.imports.iter();
        let on_sale = on_sale.filter(|(_, row)| row.sku == sku && row.number.is_some());
        let serials = on_sale.flat_map(|(id, row)| {
            let count = u32::try_from(row.serials.len()).expect("a small import");
            (0..count).map(|ordinal| id.serial(ordinal))
        });
        serials
            .filter(|serial| !tables.claims.contains_key(serial))
            .count() as u64
    }
}

/// See [`Scene::footprint`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Footprint {
    pub entries: usize,
    pub claims: BTreeSet<SerialId>,
}

/// A credit of the merchant's.
pub fn credit(balance: BalanceId, reference: &str, amount: Money) -> Credit {
    Credit {
        balance,
        kind: EntryKind::Credit,
        reference: reference.to_owned(),
        amount,
        description: "Goodwill".to_owned(),
        label: "PROMO".to_owned(),
        by: None,
    }
}

fn merchant(name: &str, now: Timestamp, vault: &Vault, random: &SeededRandom) -> Merchant {
    let id = MerchantId::generate(now, random);
    let key = vault.merchant_key(id, &vault.generate_merchant_key(id));
    Merchant {
        id,
        name: name.to_owned(),
        storefront_url: None,
        currency: Currency::USD,
        key: key.expect("a key that was just wrapped"),
        rate_limit_factor: 1,
    }
}

fn product(id: ProductId, merchant: MerchantId, title: &str) -> Product {
    Product {
        id,
        merchant,
        title: title.to_owned(),
        kind: ProductKind::Serials,
        status: Status::Active,
        base_price: usd("4.00"),
        wholesale_price: Some(usd("2.50")),
        min_quantity: None,
        max_quantity: None,
        custom_fields: Vec::new(),
        price_version: 1,
        variants: Vec::new(),
    }
}

fn terms(merchant: &Merchant, relationship: RelationshipId, key: KeyId) -> Terms {
    Terms {
        relationship,
        merchant: merchant.id,
        version: 1,
        program_enabled: true,
        dynamic_url_policy: DynamicUrlPolicy::Allowed,
        status: relationships::Status::Active,
        status_reason: None,
        code: "RESELLER".to_owned(),
        mode: Mode::Stock,
        discount: None,
        program_discount: None,
        purchase_limit_daily: None,
        purchase_limit_monthly: None,
        committed: relationships::Committed::NONE,
        access: BTreeMap::new(),
        keys: [(key, KeyTerms::default())].into(),
    }
}
