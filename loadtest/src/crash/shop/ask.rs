//! What a shop asks for: orders of every form, money, stock, a look at its balance.
//!
//! Keeps: what is asked again under one id is the same, word for word, unless it is meant to differ.

use std::fmt::Write as _;

use auditor::{Account, Body, Call, Id, Line};
use serde_json::{Value, json};

use super::stage::{Stage, Ware};
use crate::schedule::Dice;

/// Which way an order is sent; all of them mean the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `POST /reseller/v1/fulfillments`, for one line only.
    Fulfillment,
    /// `POST /reseller/v1/orders`.
    Order,
}

/// Something a shop wants, until it knows what became of it.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) reseller: usize,
    pub(super) account: Option<Account>,
    /// Under which it is sent; none of a merchant's.
    pub(super) key: Option<Id>,
    pub(super) call: Call,
    pub(super) wish: Wish,
}

#[derive(Clone, Debug)]
pub(super) enum Wish {
    Buy { form: Form, body: Value },
    Credit { body: Value },
    Import { path: String, body: Value },
    Balance,
}

/// The parts of an order that its id is bound to.
struct Basket {
    lines: Vec<(Ware, u32)>,
    email: String,
}

const LINES_MAX: usize = 4;
/// Evenly chosen from: most buy one.
const QUANTITIES: [u32; 8] = [1, 1, 1, 1, 1, 1, 2, 3];
const SERIALS_MAX: usize = 40;

impl Ask {
    /// A new order under `order_id`.
    pub(super) fn order(
        stage: &Stage,
        reseller: usize,
        order_id: &str,
        dice: &mut Dice,
    ) -> anyhow::Result<Self> {
        let seller = &stage.resellers[reseller];
        let count = if dice.below(6) == 0 {
            1 + dice.below(LINES_MAX)
        } else {
            1
        };
        let mut lines: Vec<(Ware, u32)> = Vec::with_capacity(count);
        for _ in 0..count {
            let ware = seller.wares[dice.below(seller.wares.len())].clone();
            let quantity = QUANTITIES[dice.below(QUANTITIES.len())];
            let again = |(known, _): &(Ware, u32)| {
                known.product == ware.product && known.variant == ware.variant
            };
            if !lines.iter().any(again) {
                lines.push((ware, quantity));
            }
        }
        let email = format!("{order_id}@example.com");
        Self::of(stage, reseller, order_id, &Basket { lines, email })
    }

    fn of(stage: &Stage, reseller: usize, order_id: &str, basket: &Basket) -> anyhow::Result<Self> {
        let lines = basket.lines.iter().map(|(ware, quantity)| {
            anyhow::Ok(Line {
                sku: ware.sku()?,
                quantity: *quantity,
            })
        });
        let call = Call::Fulfill {
            order_id: order_id.into(),
            body: Body {
                lines: lines.collect::<Result<_, _>>()?,
                rest: Id::digest(basket.email.as_bytes()),
            },
            max_total: None,
        };
        let item = |(ware, quantity): &(Ware, u32)| {
            let mut item = json!({"product_id": ware.product, "quantity": quantity});
            if let Some(variant) = &ware.variant {
                item["variant_id"] = json!(variant);
            }
            item
        };
        let (form, mut body) = if let [line] = basket.lines.as_slice() {
            (Form::Fulfillment, item(line))
        } else {
            let items: Vec<Value> = basket.lines.iter().map(item).collect();
            (Form::Order, json!({ "items": items }))
        };
        body["external_order_id"] = json!(order_id);
        body["customer_email"] = json!(basket.email);
        Ok(Self {
            reseller,
            account: Some(stage.resellers[reseller].account()?),
            key: Some(stage.resellers[reseller].key_id()?),
            call,
            wish: Wish::Buy { form, body },
        })
    }

    /// Another order under an id that is taken.
    pub(super) fn mismatch(&self) -> Option<Self> {
        let (Call::Fulfill { order_id, body, .. }, Wish::Buy { form, body: sent }) =
            (&self.call, &self.wish)
        else {
            return None;
        };
        let email = format!("other-{order_id}@example.com");
        let mut other = self.clone();
        other.call = Call::Fulfill {
            order_id: order_id.clone(),
            body: Body {
                lines: body.lines.clone(),
                rest: Id::digest(email.as_bytes()),
            },
            max_total: None,
        };
        let mut sent = sent.clone();
        sent["customer_email"] = json!(email);
        other.wish = Wish::Buy {
            form: *form,
            body: sent,
        };
        Some(other)
    }

    /// The same order, for which hardly anything is paid any more: it is answered if it was delivered, and
    /// refused if it was not.
    pub(super) fn unwilling(&self) -> Self {
        let mut again = self.clone();
        if let (Call::Fulfill { max_total, .. }, Wish::Buy { body, .. }) =
            (&mut again.call, &mut again.wish)
        {
            *max_total = Some(1);
            body["max_total"] = json!("0.01");
        }
        again
    }

    pub(super) fn credit(
        stage: &Stage,
        reseller: usize,
        reference: &str,
        amount: i64,
    ) -> anyhow::Result<Self> {
        let account = stage.resellers[reseller].account()?;
        let text = format!("{}.{:02}", amount / 100, amount % 100);
        let body = json!({
            "amount": text, "type": "CORRECTION", "description": "more money",
            "reference": reference,
        });
        Ok(Self {
            reseller,
            account: Some(account),
            key: None,
            call: Call::Credit {
                reference: reference.into(),
                amount,
            },
            wish: Wish::Credit { body },
        })
    }

    /// A small upload of serials that nobody ever had.
    pub(super) fn import(
        stage: &Stage,
        reseller: usize,
        name: &str,
        dice: &mut Dice,
    ) -> anyhow::Result<Self> {
        let wares = &stage.resellers[reseller].wares;
        let ware = &wares[dice.below(wares.len())];
        let count = 1 + dice.below(SERIALS_MAX);
        let serials: Vec<String> = (0..count).map(|n| format!("RIG-{name}-{n}")).collect();
        let secrets = serials.iter().map(|text| Id::digest(text.as_bytes()));
        let mut path = format!("/dev/v1/products/{}", ware.product);
        if let Some(variant) = &ware.variant {
            write!(path, "/variants/{variant}")?;
        }
        path.push_str("/serials");
        Ok(Self {
            reseller,
            account: None,
            key: None,
            call: Call::Import {
                sku: ware.sku()?,
                secrets: secrets.collect(),
            },
            wish: Wish::Import {
                path,
                body: json!({"serials": serials, "remove_duplicates": true}),
            },
        })
    }

    pub(super) fn balance(stage: &Stage, reseller: usize) -> anyhow::Result<Self> {
        Ok(Self {
            reseller,
            account: Some(stage.resellers[reseller].account()?),
            key: Some(stage.resellers[reseller].key_id()?),
            call: Call::ReadBalance,
            wish: Wish::Balance,
        })
    }

    /// Whether somebody must know in the end what became of it.
    pub(super) fn must_be_known(&self) -> bool {
        !matches!(self.wish, Wish::Balance)
    }

    /// Whether it fits into a row of the bulk call.
    pub(super) fn fits_a_row(&self) -> bool {
        matches!(
            self.wish,
            Wish::Buy {
                form: Form::Fulfillment,
                ..
            }
        )
    }

    /// The call over HTTP.
    pub(super) fn request(&self, stage: &Stage) -> String {
        let seller = &stage.resellers[self.reseller];
        match &self.wish {
            Wish::Buy { form, body } => {
                let path = match form {
                    Form::Fulfillment => "/reseller/v1/fulfillments",
                    Form::Order => "/reseller/v1/orders",
                };
                post(path, &seller.key, &body.to_string())
            }
            Wish::Credit { body } => {
                let path = format!("/dev/v1/resellers/{}/balance/credit", seller.relationship);
                post(&path, &stage.supplier.key, &body.to_string())
            }
            Wish::Import { path, body } => post(path, &stage.supplier.key, &body.to_string()),
            Wish::Balance => get("/reseller/v1/balance", &seller.key),
        }
    }
}

/// The last of what a reseller's feed tells.
pub(super) fn events(stage: &Stage, reseller: usize) -> String {
    get(
        "/reseller/v1/events?limit=1",
        &stage.resellers[reseller].key,
    )
}

/// Several orders of one reseller in one call.
pub(super) fn bulk(stage: &Stage, asks: &[Ask]) -> String {
    let rows = asks.iter().filter_map(|ask| match &ask.wish {
        Wish::Buy { body, .. } => Some(body),
        Wish::Credit { .. } | Wish::Import { .. } | Wish::Balance => None,
    });
    let key = asks
        .first()
        .map_or("", |ask| &stage.resellers[ask.reseller].key);
    let rows: Vec<&Value> = rows.collect();
    post(
        "/reseller/v1/fulfillments/bulk",
        key,
        &json!({ "rows": rows }).to_string(),
    )
}

fn get(path: &str, key: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {key}\r\n\r\n")
}

fn post(path: &str, key: &str, body: &str) -> String {
    with_body("POST", path, key, body)
}

pub(super) fn with_body(method: &str, path: &str, key: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}
