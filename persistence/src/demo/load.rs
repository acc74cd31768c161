//! A cast to measure with: many products, many resellers, and one pair that is hot.

use engine::{
    catalog::ProductKind,
    random::Random,
    relationships::{Mode, Status},
};

use super::{
    cast::{self, Access, Cast, Product, Reseller, money},
    ids::{Role, Troupe},
};

/// How large a load cast is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Products beside the hot one.
    pub products: u32,
    /// Resellers beside the hot one.
    pub resellers: u32,
    /// How many products each of them may sell; at most all.
    pub access: u32,
    /// Serials of each product.
    pub serials: u32,
    /// Serials of the hot product; 0: there is no hot pair.
    pub hot_serials: u32,
}

/// What a product costs a reseller, in cents.
const PRICE: i64 = 100;
/// What each balance starts with, in cents: more than any run spends.
const CREDIT: i64 = 500_000_000_000;

/// A load cast. Only the secrets of its keys come from `random`.
///
/// Reseller `r` of `R` may sell the `access` products from `r * products / R` on, in a circle, so that
/// all products are sold by equally many, whatever the numbers are. The hot pair comes last.
pub fn load(load: Load, random: &dyn Random) -> Cast {
    let hot = load.hot_serials > 0;
    let counts = (0..load.products).map(|_| load.serials);
    let mut products: Vec<_> = (0..)
        .zip(counts)
        .map(|(n, serials)| product(n, serials))
        .collect();
    let mut resellers: Vec<_> = (0..load.resellers)
        .map(|number| reseller(number, Access::These(access(&load, number)), random))
        .collect();
    if hot {
        products.push(product(load.products, load.hot_serials));
        resellers.push(reseller(load.resellers, Access::All, random));
    }
    Cast {
        troupe: Troupe::Load,
        merchant: cast::merchant(Troupe::Load),
        name: "Load".to_owned(),
        key: cast::key(Troupe::Load, Role::MerchantKey, 0, random),
        hot: hot.then(|| (products.len() - 1, resellers.len() - 1)),
        products,
        resellers,
    }
}

/// The places of the products that the reseller with this number may sell.
fn access(load: &Load, number: u32) -> Vec<usize> {
    let (products, resellers) = (u64::from(load.products), u64::from(load.resellers));
    let first = u64::from(number) * products / resellers;
    let places = (first..first + u64::from(load.access.min(load.products)))
        .map(|place| usize::try_from(place % products).expect("a place in a list"));
    places.collect()
}

fn product(number: u32, serials: u32) -> Product {
    Product {
        id: cast::product(Troupe::Load, number.into()),
        title: format!("Load product {number}"),
        description: String::new(),
        kind: ProductKind::Serials,
        base_price: money(PRICE),
        variants: Vec::new(),
        serials,
    }
}

fn reseller(number: u32, access: Access, random: &dyn Random) -> Reseller {
    Reseller {
        id: cast::reseller(Troupe::Load, number.into()),
        code: format!("load-{number}"),
        name: format!("Load reseller {number}"),
        mode: Mode::Both,
        status: Status::Active,
        status_reason: None,
        discount: Some(0),
        access,
        key: cast::key(Troupe::Load, Role::Key, number.into(), random),
        dynamic: None,
        test: None,
        credit: money(CREDIT),
    }
}

#[cfg(test)]
mod tests {
    use engine::random::SeededRandom;

    use super::*;

    #[test]
    fn access_reaches_every_product_evenly() {
        let load = Load {
            products: 10,
            resellers: 20,
            access: 4,
            serials: 1,
            hot_serials: 1,
        };
        let mut sellers = [0; 10];
        for number in 0..load.resellers {
            let places = access(&load, number);
            assert_eq!(places.len(), 4);
            for place in places {
                sellers[place] += 1;
            }
        }
        assert_eq!(sellers, [8; 10]);
    }

    #[test]
    fn cast_of_the_same_bytes_is_the_same() {
        let cast = || {
            let load = Load {
                products: 2,
                resellers: 2,
                access: 9,
                serials: 1,
                hot_serials: 1,
            };
            super::load(load, &SeededRandom::new(1))
        };
        let (one, other) = (cast(), cast());
        assert_eq!(one.hot, Some((2, 2)));
        assert_eq!(one.products_of(&one.resellers[0]).len(), 2);
        for (one, other) in one.resellers.iter().zip(&other.resellers) {
            assert_eq!(one.id, other.id);
            assert!(one.key.expose() == other.key.expose());
        }
    }
}
