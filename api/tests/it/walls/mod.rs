//! The walls between tenants: every operation of `openapi.json` with every kind of caller that must not
//! get through. Each is refused with the code of its kind, and nothing is changed.
//!
//! A new operation is tried from the day it is described: what it needs besides a path is made from its
//! schema.

mod operations;
mod tries;

use std::{collections::BTreeMap, sync::Arc};

use engine::{
    api_keys::{KeyKind, KeyText, Scope},
    clock::{Clock as _, EPOCH, SystemClock},
    ids::{ImportId, KeyId, PersonId, SerialId, SessionId, VariantId},
    persons::Role,
    random::SeededRandom,
    relationships::KeyTerms,
};
use persistence::{
    demo::{Cast, Reseller},
    persons,
};
use serde_json::json;

use operations::Operation;
use tries::{Allowed, Caller, NOT_FOUND, Try};

use crate::support::{ORIGIN, Reply, World, order_of, with_world};

const MISSING: &str = "00000000000000000000000000";

/// Whose things the path names.
#[derive(Clone, Copy)]
enum Ids {
    Victims,
    Missing,
}

/// Everybody, and what the rightful owner has.
struct Ground {
    ids: BTreeMap<&'static str, String>,
    /// Of a reseller of the same merchant, and of another one.
    sibling: String,
    stranger: Arc<Cast>,
    unknown: [String; 4],
    scopeless: (String, String),
    people: BTreeMap<&'static str, PersonId>,
}

impl Ground {
    async fn of(world: &World) -> Self {
        let stranger = world.another_merchant().await;
        world.sql("UPDATE merchants SET rate_limit_factor = 1000000");
        let victim = world.reseller("demo-both");
        let mut people = BTreeMap::new();
        for (who, role) in [
            ("owner", Role::Owner),
            ("manager", Role::Manager),
            ("viewer", Role::Viewer),
            ("former", Role::Owner),
        ] {
            let email = format!("{who}@merchant.example");
            people.insert(who, world.member(&email, role).await);
        }
        for who in ["victim", "sibling", "nobody", "rival"] {
            let email = format!("{who}@person.example");
            people.insert(who, world.person(&email).await);
        }
        let db = &world.server.app().database;
        for (who, code) in [("victim", "demo-both"), ("sibling", "demo-auto")] {
            let relationship = world.reseller(code).id;
            persons::bind(db, people[who], relationship).await.unwrap();
        }
        let now = SystemClock.now();
        persons::insert_member(db, stranger.merchant, people["rival"], Role::Owner, now)
            .await
            .unwrap();
        let former = people["former"].uuid();
        world.sql(&format!("DELETE FROM members WHERE person_id = '{former}'"));
        let key = async |scope| {
            let terms = KeyTerms::default();
            world.new_key("demo-both", &[scope], terms, |_| {}).await
        };
        let expired = key(Scope::BalanceRead).await;
        let revoked = key(Scope::BalanceRead).await;
        world.sql(&format!(
            "UPDATE api_keys SET expires_at = now() WHERE key_id = '{}'",
            expired.id.uuid()
        ));
        world.sql(&format!(
            "UPDATE api_keys SET revoked_at = now() WHERE key_id = '{}'",
            revoked.id.uuid()
        ));
        let mut ids = victims(world, victim, people["victim"]).await;
        ids.extend(selling(world).await);
        let balance = key(Scope::BalanceRead).await.text;
        let products = key(Scope::ProductsRead).await.text;
        Self {
            ids,
            sibling: world.key("demo-auto"),
            unknown: [
                "not a key".to_owned(),
                stranger_to_all(),
                expired.text,
                revoked.text,
            ],
            scopeless: (balance, products),
            stranger,
            people,
        }
    }

    fn session(&self, who: &str) -> Caller {
        self.session_for(who, None)
    }

    fn session_for(&self, who: &str, merchant: Option<String>) -> Caller {
        Caller::Session {
            person: self.people[who],
            merchant,
            origin: ORIGIN,
        }
    }

    fn elsewhere(&self, who: &str) -> Caller {
        Caller::Session {
            person: self.people[who],
            merchant: None,
            origin: "https://evil.example",
        }
    }
}

/// A key of the right form that nobody made.
fn stranger_to_all() -> String {
    let random = SeededRandom::new(7);
    let id = KeyId::generate(EPOCH, &random);
    text_of(&KeyText::generate(KeyKind::Reseller, false, id, &random))
}

/// One id of each sort that belongs to the victim or its merchant.
async fn victims(
    world: &World,
    victim: &Reseller,
    person: PersonId,
) -> BTreeMap<&'static str, String> {
    let key = world.key("demo-both");
    let product = world.product("Antivirus");
    let order = order_of("WALLS-1", product);
    let delivered = world.order(&key, &order).await.data(201);
    let item = delivered["lines"][0]["items"][0]["id"].as_str().unwrap();
    let path = format!(
        "/reseller/v1/fulfillments/{}/items/{item}/replacements",
        delivered["id"].as_str().unwrap()
    );
    let asked = world
        .call("POST", &path)
        .key(&key)
        .json(&json!({"reason": "OTHER"}));
    let asked = asked.send().await.data(201);
    let invite = world.call("POST", "/dev/v1/resellers/invite");
    let invite = invite.key(&world.merchant_key());
    let body = json!({"email": "invited@partner.example"});
    let invited = invite.json(&body).send().await.data(201)["invitation"].clone();
    let invoice = world.invoice("demo-both", "50.00").await.data(201);
    world.selling();
    let token = world.token("demo-both").await;
    let sale = world.report(&token, "WALLS-1", json!({})).await.data(201);
    world.open_session(person).await;
    let session = world.scalar(&format!(
        "SELECT session_id FROM sessions WHERE person_id = '{}' LIMIT 1",
        person.uuid()
    ));
    let session = SessionId::from_uuid(session.parse().unwrap());
    let variant = world.scalar("SELECT variant_id FROM variants LIMIT 1");
    let variant = VariantId::from_uuid(variant.parse().unwrap());
    let import = world.scalar(&format!(
        "SELECT import_id FROM imports WHERE product_id = '{}' LIMIT 1",
        product.id.uuid()
    ));
    let import = ImportId::from_uuid(import.parse().unwrap());
    let (webhook, delivery) = world.webhook_with_delivery().await;
    let bought = world.buy_stock("demo-both", "Antivirus", 1).await.data(201);
    let items = world.scalar("SELECT serial_id FROM inventory_items LIMIT 1");
    let stocked = SerialId::from_uuid(items.parse().unwrap()).inventory_item();
    BTreeMap::from([
        ("whk", webhook),
        ("dlv", delivery),
        ("stk", bought["id"].as_str().unwrap().to_owned()),
        ("itm", stocked.to_string()),
        ("bat", import.to_string()),
        ("item", item.to_owned()),
        ("rpl", asked["id"].as_str().unwrap().to_owned()),
        ("rel", victim.id.to_string()),
        ("key", victim.key.id.to_string()),
        ("id", delivered["id"].as_str().unwrap().to_owned()),
        ("ful", delivered["id"].as_str().unwrap().to_owned()),
        ("ivt", invited["id"].as_str().unwrap().to_owned()),
        ("token", invited["token"].as_str().unwrap().to_owned()),
        ("pay", world.payout_of("demo-both")),
        ("sal", sale["id"].as_str().unwrap().to_owned()),
        ("com", sale["commission"]["id"].as_str().unwrap().to_owned()),
        ("ses", session.to_string()),
        ("inv", invoice["id"].as_str().unwrap().to_owned()),
        ("product_id", product.id.to_string()),
        ("product", product.id.to_string()),
        ("variant", variant.to_string()),
    ])
}

/// The same of what the victim sells with.
async fn selling(world: &World) -> [(&'static str, String); 4] {
    let make = async |path| {
        let call = world.dev_of("demo-both", "POST", path);
        let made = call.json(&json!({"name": "Walls"})).send().await;
        made.data(201)["id"].as_str().unwrap().to_owned()
    };
    [
        ("lnk", make("links").await),
        ("cmp", make("embed-campaigns").await),
        ("lst", world.listing_of("demo-both")),
        ("con", world.connection_of("demo-both")),
    ]
}

impl Ground {
    /// The path with ids of the victim, or with ids that nothing has.
    fn path(&self, operation: &Operation, ids: Ids) -> String {
        let words = operation.path.split('/').map(|word| {
            let Some(name) = word
                .strip_prefix('{')
                .and_then(|word| word.strip_suffix('}'))
            else {
                return word.to_owned();
            };
            let found = self.id(operation, name);
            match (ids, found.split_once('_')) {
                (Ids::Victims, _) => found,
                (Ids::Missing, Some((prefix, _))) => format!("{prefix}_{MISSING}"),
                (Ids::Missing, None) => MISSING.to_owned(),
            }
        });
        words.collect::<Vec<_>>().join("/")
    }

    /// `{id}` is what the word before it says.
    fn id(&self, operation: &Operation, name: &str) -> String {
        let name = match name {
            "id" if operation.path.starts_with("/dev/v1/resellers/") => "rel",
            "id" if operation.path.starts_with("/dev/v1/products/") => "product",
            "id" if operation.path.starts_with("/reseller/v1/replacements/") => "rpl",
            name => name,
        };
        let found = self.ids.get(name);
        found
            .unwrap_or_else(|| panic!("{} names `{name}`: say whose it is", operation.name()))
            .clone()
    }
}

fn text_of(key: &KeyText) -> String {
    key.expose().expose().to_owned()
}

impl World {
    async fn attempt(&self, path: &str, operation: &Operation, one: &Try, from: u32) -> Reply {
        let [_, high, middle, low] = from.to_be_bytes();
        let address = format!("10.{high}.{middle}.{low}");
        let call = self.call(operation.method, path);
        let call = call.header("x-forwarded-for", &address);
        let call = match &one.caller {
            Caller::Nobody => call.header("origin", ORIGIN),
            Caller::Key(key) => call.key(key),
            Caller::Ended(cookie) => call.header("cookie", cookie).header("origin", ORIGIN),
            Caller::Session {
                person,
                merchant,
                origin,
            } => {
                let cookie = self.open_session(*person).await;
                let call = call.header("cookie", &cookie).header("origin", origin);
                match merchant {
                    Some(merchant) => call.header("consign-merchant", merchant),
                    None => call,
                }
            }
        };
        match &operation.body {
            Some(body) => call.json(body).send().await,
            None => call.send().await,
        }
    }

    /// Everything that belongs to anybody, but for what a refused call leaves behind: sessions that were
    /// opened for it, and notes of when keys were used.
    fn belongings(&self) -> String {
        self.scalar(
            "SELECT md5(
               (SELECT COALESCE(string_agg(to_jsonb(t)::text, '' ORDER BY t.relationship_id), '')
                  FROM relationships AS t)
               || (SELECT COALESCE(string_agg(to_jsonb(t)::text, '' ORDER BY to_jsonb(t)::text), '')
                  FROM product_access AS t)
               || (SELECT string_agg(to_jsonb(t)::text, '' ORDER BY t.merchant_id) FROM programs AS t)
               || (SELECT string_agg(to_jsonb(t)::text, '' ORDER BY t.product_id) FROM products AS t)
               || (SELECT COALESCE(string_agg(to_jsonb(t)::text, '' ORDER BY t.variant_id), '')
                  FROM variants AS t)
               || (SELECT string_agg((to_jsonb(t) - 'last_used_at' - 'last_used_ip')::text, ''
                  ORDER BY t.key_id) FROM api_keys AS t)
               || (SELECT COALESCE(string_agg(to_jsonb(t)::text, '' ORDER BY t.invitation_id), '')
                  FROM invitations AS t)
               || (SELECT string_agg(to_jsonb(t)::text, '' ORDER BY t.person_id)
                  FROM persons AS t)
               || (SELECT string_agg(to_jsonb(t)::text, '' ORDER BY t.invoice_id) FROM invoices AS t)
               || (SELECT string_agg(to_jsonb(t)::text, '' ORDER BY t.merchant_id)
                  FROM payment_methods AS t)
               || (SELECT string_agg(to_jsonb(t)::text, '' ORDER BY t.payout_id) FROM payouts AS t)
               || (SELECT COUNT(*) FROM verifications) || ' '
               || (SELECT string_agg(to_jsonb(t)::text, '' ORDER BY t.sale_id) FROM sales AS t)
               || (SELECT string_agg(to_jsonb(t)::text, '' ORDER BY t.relationship_id)
                  FROM earnings AS t)
               || (SELECT string_agg(to_jsonb(t)::text, '' ORDER BY t.link_id) FROM links AS t)
               || (SELECT string_agg(to_jsonb(t)::text, '' ORDER BY t.campaign_id)
                  FROM embed_campaigns AS t)
               || (SELECT string_agg((to_jsonb(t) - 'reviewed_at')::text, '' ORDER BY t.listing_id)
                  FROM listings AS t)
               || (SELECT string_agg(to_jsonb(t)::text, '' ORDER BY t.connection_id)
                  FROM connections AS t)
               || (SELECT COUNT(*) FROM checkout_sessions) || ' '
               || (SELECT COUNT(*) FROM payments) || ' ' || (SELECT COUNT(*) FROM balance_settings)
               || (SELECT string_agg(to_jsonb(t)::text, '' ORDER BY t.person_id, t.merchant_id)
                  FROM members AS t)
               || (SELECT COUNT(*) FROM ledger_entries) || ' ' || (SELECT COUNT(*) FROM serials)
               || ' ' || (SELECT COUNT(*) FROM serial_claims)
               || ' ' || (SELECT COUNT(*) FROM mails WHERE kind <> 'news')
               || ' ' || (SELECT COUNT(*) FROM idempotency_keys)
               || (SELECT string_agg(to_jsonb(t)::text, '' ORDER BY t.webhook_id) FROM webhooks AS t)
               || (SELECT string_agg(to_jsonb(t)::text, '' ORDER BY t.delivery_id)
                  FROM webhook_deliveries AS t)
               || ' ' || (SELECT COUNT(*) FROM audit_log WHERE action <> 'session.open'))",
        )
    }
}

/// Whether a reply is one of these, and shows nothing of the victim.
fn fits(reply: &Reply, allowed: Allowed) -> bool {
    let status = reply.status.as_u16();
    let code = || {
        reply.json()["error"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let known = allowed
        .iter()
        .any(|(wanted, name)| *wanted == status && (*wanted == 200 || code() == *name));
    known && !reply.text().contains("@person.example") && !reply.text().contains("crk_live_")
}

#[test]
#[expect(
    clippy::print_stdout,
    reason = "how much was tried is what a reader asks for"
)]
fn nobody_gets_through_a_wall_and_nothing_is_changed() {
    with_world(async |world| {
        let ground = Ground::of(world).await;
        let operations = Operation::all();
        let (mut cases, mut wrong) = (0_u32, Vec::new());
        for operation in &operations {
            let before = world.belongings();
            for one in ground.tries(world, operation) {
                cases += 1;
                let path = ground.path(operation, Ids::Victims);
                let reply = world.attempt(&path, operation, &one, cases).await;
                let (name, who) = (operation.name(), one.who);
                if !fits(&reply, one.allowed) {
                    wrong.push(format!("{name}, {who}: {} {}", reply.status, reply.text()));
                    continue;
                }
                if one.allowed == NOT_FOUND {
                    // What is foreign and what is missing cannot be told apart.
                    cases += 1;
                    let path = ground.path(operation, Ids::Missing);
                    let missing = world.attempt(&path, operation, &one, cases).await;
                    if (missing.status, missing.text()) != (reply.status, reply.text()) {
                        let (foreign, missing) = (reply.text(), missing.text());
                        wrong.push(format!("{name}, {who}: {foreign} is not {missing}"));
                    }
                }
            }
            if world.belongings() != before {
                wrong.push(format!("{} changed something", operation.name()));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        println!("walls: {} operations, {cases} cases", operations.len());
        let told = told(operations.len());
        assert!(
            cases >= told,
            "{cases} cases, and docs/SECURITY.md says {told}"
        );
    });
}

/// How many cases docs/SECURITY.md speaks of at least; the operations that it speaks of are these.
fn told(operations: usize) -> u32 {
    let text = include_str!("../../../../docs/SECURITY.md");
    let number = |before: &str| {
        let (_, rest) = text.split_once(before).unwrap();
        let digits = rest.split(' ').next().unwrap();
        digits.parse::<u32>().unwrap()
    };
    let told = number("tries all ");
    assert_eq!(
        told as usize, operations,
        "`make openapi` writes it into docs/SECURITY.md"
    );
    number("more than ")
}
