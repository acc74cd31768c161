//! The demo: a product of every sort, a reseller in every mode.

use engine::{
    catalog::ProductKind,
    random::Random,
    relationships::{Mode, Status},
};

use super::{
    cast::{self, Access, Cast, Product, Reseller, Variant, money},
    ids::{Role, Troupe},
};

/// A product as a line of a table. Prices are in cents.
struct ProductLine {
    title: &'static str,
    description: &'static str,
    kind: ProductKind,
    price: i64,
    variants: &'static [(&'static str, i64)],
    serials: u32,
}

const PRODUCTS: [ProductLine; 5] = [
    ProductLine {
        title: "Antivirus Plus, 1 year",
        description: "A licence for one device.",
        kind: ProductKind::Serials,
        price: 2999,
        variants: &[],
        serials: 1000,
    },
    ProductLine {
        title: "Starfall",
        description: "A game in three editions.",
        kind: ProductKind::Serials,
        price: 1999,
        variants: &[("Standard", 1999), ("Deluxe", 2999), ("Ultimate", 4999)],
        serials: 500,
    },
    ProductLine {
        title: "Gift card, 10 USD",
        description: "Fifty thousand of them.",
        kind: ProductKind::Serials,
        price: 1000,
        variants: &[],
        serials: 50_000,
    },
    ProductLine {
        title: "Closed beta invitation",
        description: "Three are left.",
        kind: ProductKind::Serials,
        price: 499,
        variants: &[],
        serials: 3,
    },
    ProductLine {
        title: "Setup service",
        description: "An hour with an engineer. Not sold by serials.",
        kind: ProductKind::Service,
        price: 9900,
        variants: &[],
        serials: 0,
    },
];

/// Code, name, mode, credit in cents.
const RESELLERS: [(&str, &str, Mode, i64); 6] = [
    ("demo-affiliate", "Anna's Blog", Mode::Affiliate, 10_000),
    ("demo-stock", "Keyhole", Mode::Stock, 250_000),
    ("demo-auto", "Autoshop", Mode::AutoFulfilled, 250_000),
    ("demo-both", "Northwind Keys", Mode::Both, 1_000_000),
    ("demo-broke", "Last Coin", Mode::Both, 1200),
    ("demo-suspended", "Frozen Goods", Mode::Both, 50_000),
];
const SUSPENDED: &str = "demo-suspended";
const DAILY_SPEND_CAP: i64 = 100_000;
/// Variants are numbered by product, this many apart.
const VARIANTS_MAX: u64 = 100;

/// The demo cast. Only the secrets of its keys come from `random`.
pub fn demo(random: &dyn Random) -> Cast {
    let resellers = (0..).zip(RESELLERS);
    let mut cast = Cast {
        troupe: Troupe::Demo,
        merchant: cast::merchant(Troupe::Demo),
        name: "Lumen Software".to_owned(),
        key: cast::key(Troupe::Demo, Role::MerchantKey, 0, random),
        products: (0..)
            .zip(&PRODUCTS)
            .map(|(number, line)| product(number, line))
            .collect(),
        resellers: resellers
            .map(|(number, line)| reseller(number, line, random))
            .collect(),
        hot: None,
    };
    // After all others, so that it does not change what they are made of.
    for (number, reseller) in (0..).zip(&mut cast.resellers) {
        reseller.test = Some(cast::key(Troupe::Demo, Role::TestKey, number, random));
    }
    cast
}

fn product(number: u64, line: &ProductLine) -> Product {
    let variant = |(place, (title, price)): (u64, &(&str, i64))| Variant {
        id: cast::variant(Troupe::Demo, number * VARIANTS_MAX + place),
        title: (*title).to_owned(),
        base_price: money(*price),
    };
    Product {
        id: cast::product(Troupe::Demo, number),
        title: line.title.to_owned(),
        description: line.description.to_owned(),
        kind: line.kind,
        base_price: money(line.price),
        variants: (0..).zip(line.variants).map(variant).collect(),
        serials: line.serials,
    }
}

fn reseller(
    number: u64,
    (code, name, mode, credit): (&str, &str, Mode, i64),
    random: &dyn Random,
) -> Reseller {
    let suspended = code == SUSPENDED;
    Reseller {
        id: cast::reseller(Troupe::Demo, number),
        code: code.to_owned(),
        name: name.to_owned(),
        mode,
        status: if suspended {
            Status::Suspended
        } else {
            Status::Active
        },
        status_reason: suspended.then(|| "Too many complaints: write to us.".to_owned()),
        discount: (mode == Mode::Both).then_some(2000),
        access: Access::All,
        key: cast::key(Troupe::Demo, Role::Key, number, random),
        dynamic: Some(cast::dynamic_key(
            Troupe::Demo,
            number,
            money(DAILY_SPEND_CAP),
            random,
        )),
        test: None,
        credit: money(credit),
    }
}
