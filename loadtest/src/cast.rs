//! Who sells what: the load cast, and the requests it makes.
//!
//! Keeps: every order id is used once, for ever, unless a scenario repeats it on purpose; requests
//! are written into one buffer without an allocation each.

use std::{collections::HashSet, path::Path, sync::Arc};

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use crate::schedule::Dice;

/// What `consign dev` writes about itself. Fields not needed here are left unread.
#[derive(Deserialize)]
pub(crate) struct Demo {
    pub(crate) base_url: String,
    pub(crate) database_url: String,
    #[serde(default)]
    pub(crate) resellers: Vec<DemoReseller>,
    pub(crate) load: Option<Cast>,
    #[serde(default)]
    pub(crate) products: Vec<Product>,
}

#[derive(Deserialize)]
pub(crate) struct DemoReseller {
    pub(crate) relationship_id: String,
    pub(crate) status: String,
    pub(crate) key: String,
    pub(crate) balance: Option<String>,
}

#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct Cast {
    pub(crate) resellers: Vec<Reseller>,
    pub(crate) products: Vec<Product>,
    pub(crate) hot: Option<HotPair>,
}

#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct Reseller {
    pub(crate) relationship_id: String,
    pub(crate) key: String,
    pub(crate) product_ids: Vec<String>,
}

#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct Product {
    pub(crate) product_id: String,
}

#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct HotPair {
    pub(crate) key: String,
    pub(crate) product_id: String,
}

impl Demo {
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("reading {}", path.display()))
    }

    /// The load cast; without one, the demo's own resellers sell the demo's own products.
    pub(crate) fn cast(&self) -> Cast {
        if let Some(cast) = &self.load
            && !cast.resellers.is_empty()
        {
            return cast.clone();
        }
        let product_ids: Vec<String> = self
            .products
            .iter()
            .map(|product| product.product_id.clone())
            .collect();
        let resellers = self
            .resellers
            .iter()
            .filter(|reseller| reseller.status == "ACTIVE");
        Cast {
            resellers: resellers
                .map(|reseller| Reseller {
                    relationship_id: reseller.relationship_id.clone(),
                    key: reseller.key.clone(),
                    product_ids: product_ids.clone(),
                })
                .collect(),
            products: self.products.clone(),
            hot: None,
        }
    }
}

impl Cast {
    /// One reseller that sells one product.
    pub(crate) fn of_one(pair: &HotPair) -> Self {
        Self {
            resellers: vec![Reseller {
                relationship_id: String::new(),
                key: pair.key.clone(),
                product_ids: vec![pair.product_id.clone()],
            }],
            products: vec![Product {
                product_id: pair.product_id.clone(),
            }],
            hot: Some(pair.clone()),
        }
    }

    /// The same cast reduced to its hot pair.
    pub(crate) fn hot(&self) -> anyhow::Result<Self> {
        let pair = self
            .hot
            .as_ref()
            .context("the cast has no hot product and reseller")?;
        Ok(Self::of_one(pair))
    }

    /// A pair for each reseller, of products not yet in another pair as long as there are any.
    pub(crate) fn everyone_once(&self) -> Vec<HotPair> {
        let mut used = HashSet::new();
        let pairs = self.resellers.iter().filter_map(|reseller| {
            let fresh = reseller
                .product_ids
                .iter()
                .find(|product| !used.contains(*product));
            let product = fresh.or_else(|| reseller.product_ids.first())?;
            used.insert(product);
            Some(HotPair {
                key: reseller.key.clone(),
                product_id: product.clone(),
            })
        });
        pairs.collect()
    }

    /// Everybody who may sell it, on one product.
    pub(crate) fn one_product(&self) -> anyhow::Result<Self> {
        let product = self.products.first().context("the cast has no product")?;
        let mut cast = self.clone();
        cast.resellers
            .retain(|reseller| reseller.product_ids.contains(&product.product_id));
        for reseller in &mut cast.resellers {
            reseller.product_ids = vec![product.product_id.clone()];
        }
        ensure!(
            !cast.resellers.is_empty(),
            "nobody may sell the first product"
        );
        Ok(cast)
    }

    /// One reseller on everything it may sell.
    pub(crate) fn one_reseller(&self) -> Self {
        let mut cast = self.clone();
        cast.resellers.truncate(1);
        cast
    }
}

/// One order of a request: its number, and who asks for what, by their places in the cast.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) number: u64,
    pub(crate) reseller: usize,
    /// Among the reseller's products.
    pub(crate) product: usize,
}

/// Writes the requests of one worker.
pub(crate) struct Orders {
    cast: Arc<Cast>,
    dice: Dice,
    /// First part of each order id: names run and worker.
    prefix: String,
    rows: usize,
    pub(crate) sent: u64,
    /// The orders of the last request.
    pub(crate) asked: Vec<Asked>,
    body: String,
    request: String,
}

impl Orders {
    /// `rows` above 1 makes bulk calls.
    pub(crate) fn new(cast: Arc<Cast>, prefix: String, seed: u64, rows: usize) -> Self {
        let dice = Dice::new(seed);
        Self {
            cast,
            dice,
            prefix,
            rows,
            sent: 0,
            asked: Vec::with_capacity(rows),
            body: String::new(),
            request: String::new(),
        }
    }

    /// The next request, with order ids never used before. All rows of a bulk call have one seller.
    pub(crate) fn next(&mut self) -> &[u8] {
        let cast = Arc::clone(&self.cast);
        let place = self.dice.below(cast.resellers.len());
        let reseller = &cast.resellers[place];
        self.body.clear();
        self.asked.clear();
        if self.rows == 1 {
            self.row(place, reseller);
        } else {
            self.body.push_str("{\"rows\":[");
            for row in 0..self.rows {
                if row > 0 {
                    self.body.push(',');
                }
                self.row(place, reseller);
            }
            self.body.push_str("]}");
        }
        self.head(&reseller.key);
        self.request.as_bytes()
    }

    /// The last request again.
    pub(crate) fn request(&self) -> &[u8] {
        self.request.as_bytes()
    }

    fn row(&mut self, place: usize, reseller: &Reseller) {
        use std::fmt::Write as _;

        let choice = self.dice.below(reseller.product_ids.len());
        let product = &reseller.product_ids[choice];
        let (prefix, number) = (&self.prefix, self.sent);
        self.asked.push(Asked {
            number,
            reseller: place,
            product: choice,
        });
        write!(
            self.body,
            "{{\"external_order_id\":\"{prefix}-{number}\",\"product_id\":\"{product}\",\
             \"quantity\":1,\"customer_email\":\"buyer{number}@example.com\"}}"
        )
        .expect("a string takes all that is written");
        self.sent += 1;
    }

    fn head(&mut self, key: &str) {
        use std::fmt::Write as _;

        let path = if self.rows == 1 { "" } else { "/bulk" };
        let length = self.body.len();
        self.request.clear();
        write!(
            self.request,
            "POST /reseller/v1/fulfillments{path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\
             authorization: Bearer {key}\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n{}",
            self.body
        )
        .expect("a string takes all that is written");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cast() -> Arc<Cast> {
        let product = Product {
            product_id: "prd_1".to_owned(),
        };
        Arc::new(Cast {
            resellers: vec![Reseller {
                relationship_id: "rel_1".to_owned(),
                key: "crk_live_1_s".to_owned(),
                product_ids: vec!["prd_1".to_owned()],
            }],
            products: vec![product],
            hot: None,
        })
    }

    #[test]
    fn order_ids_never_repeat() {
        let mut orders = Orders::new(cast(), "r1-0".to_owned(), 1, 1);
        let first = orders.next().to_vec();
        let second = orders.next().to_vec();
        assert_ne!(first, second);
        assert!(
            String::from_utf8(first)
                .unwrap()
                .contains("\"external_order_id\":\"r1-0-0\"")
        );
    }

    #[test]
    fn bulk_call_has_all_its_rows() {
        let mut orders = Orders::new(cast(), "r1-0".to_owned(), 1, 100);
        let request = String::from_utf8(orders.next().to_vec()).unwrap();
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST /reseller/v1/fulfillments/bulk "));
        assert!(head.contains(&format!("content-length: {}", body.len())));
        let parsed: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(parsed["rows"].as_array().unwrap().len(), 100);
        assert_eq!(orders.sent, 100);
    }

    #[test]
    fn nobody_without_access_sells_the_one_product() {
        let mut wide = (*cast()).clone();
        wide.resellers.push(Reseller {
            relationship_id: "rel_2".to_owned(),
            key: "k".to_owned(),
            product_ids: vec!["prd_2".to_owned()],
        });
        assert_eq!(wide.one_product().unwrap().resellers.len(), 1);
    }
}
