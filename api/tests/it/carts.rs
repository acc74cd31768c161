//! Several things in one visit: one invoice, one payment, all of it or nothing.

use serde_json::{Value, json};

use crate::{
    checkout::{is_page, is_widget_page, location},
    listings::LISTABLE,
    support::{Reply, World, with_world},
};

const CODE: &str = "demo-both";
const EMAIL: &str = "max@partner.example";
pub(crate) const ANN: &str = "ann%40example.com";
pub(crate) const YES: &str = "email=ann%40example.com&coin=BANK";

impl World {
    pub(crate) fn named(&self, title: &str) -> String {
        self.product(title).id.to_string()
    }

    async fn add_to(&self, visit: &str, title: &str, quantity: u32) -> Reply {
        let form = format!("product={}&quantity={quantity}", self.named(title));
        self.submit(&format!("{visit}/add"), &form).await
    }

    pub(crate) async fn set_quantity(&self, visit: &str, title: &str, quantity: &str) -> Reply {
        let form = format!("quantity%5B{}%5D={quantity}", self.named(title));
        self.submit(&format!("{visit}/cart"), &form).await
    }

    /// A visit for these, so many of each, of whoever has this cookie.
    pub(crate) async fn cart(&self, lines: &[(&str, u32)], cookie: &str) -> String {
        let (first, quantity) = lines[0];
        let form = format!("quantity={quantity}&email={ANN}");
        let visit = self.visit(&self.named(first), &form, cookie).await;
        for (title, quantity) in &lines[1..] {
            assert_eq!(
                location(&self.add_to(&visit, title, *quantity).await),
                visit
            );
        }
        visit
    }

    /// The page of its invoice.
    pub(crate) async fn cart_bought(&self, lines: &[(&str, u32)], cookie: &str) -> String {
        let visit = self.cart(lines, cookie).await;
        location(&self.submit(&visit, YES).await)
    }

    pub(crate) async fn import_into(&self, title: &str, serials: &[&str]) {
        let path = format!("/dev/v1/products/{}/serials", self.named(title));
        let call = self.call("POST", &path).key(&self.merchant_key());
        let import = call.json(&json!({"serials": serials})).send().await;
        import.data(201);
    }

    /// Takes so many off a shelf.
    pub(crate) async fn claim_of(&self, title: &str, amount: u32) {
        let path = format!("/dev/v1/products/{}/serials/claim", self.named(title));
        let call = self.call("POST", &path).key(&self.merchant_key());
        call.json(&json!({"amount": amount})).send().await.data(200);
    }

    /// Units that an order could have now.
    pub(crate) async fn free_of(&self, title: &str) -> u64 {
        let (app, product) = (self.server.app(), self.product(title));
        let sku = engine::catalog::Sku {
            product: product.id,
            variant: None,
        };
        let stock = app.engine.stock(self.cast.merchant, sku).await;
        stock.unwrap().available
    }

    /// The sales of the only invoice, by their products.
    async fn sales_by_title(&self) -> Vec<Value> {
        let sales = self.dev_of(CODE, "GET", "sales").send().await.data(200);
        let mut sales = sales.as_array().unwrap().clone();
        sales.sort_by_key(|sale| sale["product_id"].to_string());
        sales
    }

    pub(crate) fn kept_lines(&self) -> String {
        self.scalar("SELECT COUNT(*) FROM reservations WHERE ended_at IS NULL")
    }
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "one story from the first page to the last"
)]
fn cart_is_one_invoice_one_payment_and_one_delivery() {
    with_world(async |world| {
        let cookie = world.brought_by_link().await;
        let visit = world.cart(&[("Antivirus", 1)], &cookie).await;
        let page = is_page(&world.see(&visit).await, 200);
        // The page offers what the merchant has on sale beside it, at the price of this moment.
        assert!(page.contains("Starfall, Deluxe · 29.99 USD"), "{page}");
        assert!(page.contains("Gift card, 10 USD · 10.00 USD"), "{page}");
        location(&world.add_to(&visit, "Gift", 2).await);
        location(&world.add_to(&visit, "Setup", 1).await);
        location(&world.add_to(&visit, "Gift", 1).await);
        location(&world.add_to(&visit, "Closed", 1).await);
        location(&world.set_quantity(&visit, "Antivirus", "2").await);
        let out = format!("remove={}", world.named("Closed"));
        location(&world.submit(&format!("{visit}/cart"), &out).await);
        let page = is_page(&world.see(&visit).await, 200);
        assert!(
            page.contains("Your cart") && page.contains("188.98 USD"),
            "{page}"
        );
        let named = |title: &str| page.contains(&format!("aria-label=\"Quantity of {title}"));
        assert!(named("Gift card") && !named("Closed beta"), "{page}");

        let invoice = location(&world.submit(&visit, YES).await);
        assert_eq!(
            world.scalar("SELECT COUNT(*) FROM invoices WHERE purpose = 'CHECKOUT'"),
            "1"
        );
        assert_eq!(world.kept_lines(), "2", "services have no stock");
        let open = world.newest().await;
        assert_eq!(open["amount"], "188.98");
        let lines = open["lines"].as_array().unwrap();
        let lines: Vec<_> = lines
            .iter()
            .map(|line| {
                (
                    line["quantity"].as_u64().unwrap(),
                    line["total"].as_str().unwrap(),
                )
            })
            .collect();
        assert_eq!(lines, [(2, "59.98"), (3, "30.00"), (1, "99.00")]);
        let page = is_page(&world.see(&invoice).await, 200);
        assert!(
            page.contains("3 x 10.00 USD") && page.contains("Setup service"),
            "{page}"
        );
        let letter = world.letter("Your invoice").await;
        assert!(
            letter.contains("2 x Antivirus Plus, 1 year, 3 x Gift card"),
            "{letter}"
        );

        assert_eq!(world.pay(&open).await["status"], "COMPLETED");
        let rows = "SELECT (SELECT COUNT(*) FROM payments WHERE relationship_id IS NULL) || ' '
            || (SELECT COUNT(*) FROM sold_serials) || ' ' || (SELECT COUNT(*) FROM sales)";
        assert_eq!(world.scalar(rows), "1 5 3");
        assert_eq!(world.kept_lines(), "0");
        let sold = "SELECT string_agg(amount || ' ' || commission, ', ' ORDER BY place) FROM sales";
        assert_eq!(world.scalar(sold), "5998 600, 3000 300, 9900 990");
        assert_eq!(world.earnings_that_do_not_add_up(), "");
        for sale in world.sales_by_title().await {
            assert_eq!(sale["invoice_id"], open["id"]);
        }
        let letter = world.letter("and 2 more").await;
        assert!(
            letter.contains("/delivery/") && letter.contains("Of Setup service"),
            "{letter}"
        );
        let page = is_page(&world.submit(&format!("{invoice}/reveal"), "").await, 200);
        assert_eq!(page.matches("<pre>").count(), 5, "{page}");
        let (before, gifts) = page.split_once("<h2>Gift card").unwrap();
        assert_eq!(
            (
                before.matches("<pre>").count(),
                gifts.matches("<pre>").count()
            ),
            (2, 3)
        );
        // Each serial is shown under what it is of.
        let strays = "SELECT COUNT(*) FROM sold_serials AS g
            JOIN imports AS i ON i.import_id = (LEFT(g.serial_id::text, 28) || '00000000')::uuid
            JOIN invoice_lines AS l ON l.invoice_id = g.invoice_id AND l.place = CASE WHEN g.place <= 2 THEN 0 ELSE 1 END
            WHERE i.product_id <> l.product_id";
        assert_eq!(world.scalar(strays), "0");
    });
}

#[test]
fn texts_in_a_mail_stand_under_what_they_are_of() {
    with_world(async |world| {
        world.sql("UPDATE programs SET customer_mail = 'INLINE'");
        world
            .cart_bought(&[("Antivirus", 2), ("Gift", 1)], "")
            .await;
        world.pay(&world.newest().await).await;
        let letter = world.letter("and 1 more").await;
        let (before, gift) = letter.split_once("Gift card, 10 USD:\n").unwrap();
        let (_, antivirus) = before.split_once("Antivirus Plus, 1 year:\n").unwrap();
        assert_eq!(antivirus.trim().lines().count(), 2, "{letter}");
        assert!(
            !gift.is_empty() && !letter.contains("/delivery/"),
            "{letter}"
        );
    });
}

#[test]
fn price_that_changed_in_any_line_is_shown_before_anything_is_bought() {
    with_world(async |world| {
        let visit = world.cart(&[("Antivirus", 1), ("Gift", 2)], "").await;
        let gift = world.product("Gift").id;
        let path = format!("/dev/v1/products/{gift}");
        let change = world.call("PATCH", &path).key(&world.merchant_key());
        change
            .json(&json!({"base_price": "12.00"}))
            .send()
            .await
            .data(200);
        let before = world.purchases_made();
        let page = is_page(&world.submit(&visit, YES).await, 422);
        assert!(
            page.contains("price has changed") && page.contains("53.99 USD"),
            "{page}"
        );
        assert_eq!(
            (world.purchases_made(), world.kept_lines()),
            (before, "0".to_owned())
        );
        location(&world.submit(&visit, YES).await);
        assert_eq!(world.newest().await["amount"], "53.99");
    });
}

#[test]
fn cart_that_was_changed_meanwhile_is_shown_before_it_is_bought() {
    with_world(async |world| {
        let visit = world.cart(&[("Antivirus", 1)], "").await;
        let seen = |page: &str| {
            let (_, rest) = page.split_once("name=\"seen\" value=\"").unwrap();
            rest.split_once('"').unwrap().0.to_owned()
        };
        let first = seen(&is_page(&world.see(&visit).await, 200));
        // In another window.
        location(&world.add_to(&visit, "Gift", 1).await);
        let before = world.purchases_made();
        let yes = format!("{YES}&seen={first}");
        let page = is_page(&world.submit(&visit, &yes).await, 422);
        assert!(
            page.contains("was changed") && page.contains("39.99 USD"),
            "{page}"
        );
        assert_eq!(world.purchases_made(), before);
        let yes = format!("{YES}&seen={}", seen(&page));
        let invoice = location(&world.submit(&visit, &yes).await);
        // What is invoiced is changed no more.
        assert_eq!(location(&world.add_to(&visit, "Gift", 1).await), invoice);
        assert_eq!(
            location(&world.set_quantity(&visit, "Gift", "5").await),
            invoice
        );
        assert_eq!(world.newest().await["amount"], "39.99");
    });
}

#[test]
fn campaign_sells_what_its_token_allows_and_a_listing_nothing_else() {
    with_world(async |world| {
        world.selling();
        let session = world.as_reseller(CODE, EMAIL).await;
        let (antivirus, gift) = (world.named("Antivirus"), world.named("Gift"));
        let body = json!({"name": "Blog", "product_ids": [antivirus, gift]});
        let made = world.make_campaign(&session, &body).await.data(201);
        let path = world.button_of(&session, &made).await;
        let visit = location(&world.send_form(&path, "quantity=1", "").await);
        let page = is_widget_page(&world.see(&visit).await, 200);
        assert!(
            !page.contains("Starfall") && page.contains("Gift card"),
            "{page}"
        );
        for title in ["Closed", "Setup"] {
            is_widget_page(&world.add_to(&visit, title, 1).await, 403);
        }
        location(&world.add_to(&visit, "Gift", 1).await);
        location(&world.add_to(&visit, "Antivirus", 1).await);
        // It is asked again at the customer's yes: of the cart, and of each line.
        let less = json!({"product_ids": [antivirus]});
        world
            .change_campaign(&session, &made, &less)
            .await
            .data(200);
        let before = world.purchases_made();
        let page = is_widget_page(&world.submit(&visit, YES).await, 403);
        assert!(page.contains("not on sale any more"), "{page}");
        assert_eq!(world.purchases_made(), before);
        let out = format!("remove={gift}");
        location(&world.submit(&format!("{visit}/cart"), &out).await);
        location(&world.submit(&visit, YES).await);
        assert_eq!(world.newest().await["lines"].as_array().unwrap().len(), 1);

        world.sql(LISTABLE);
        let listing = world
            .list_at(&session, "Antivirus", "39.99")
            .await
            .data(201);
        let page = world.page_of(&session, &listing).await;
        let visit = location(&world.send_form(&page, "quantity=1", "").await);
        let page = is_widget_page(&world.see(&visit).await, 200);
        assert!(!page.contains("Something else"), "{page}");
        for title in ["Gift", "Antivirus"] {
            is_widget_page(&world.add_to(&visit, title, 1).await, 403);
        }
        location(&world.set_quantity(&visit, "Antivirus", "3").await);
        location(&world.submit(&visit, YES).await);
        assert_eq!(world.newest().await["amount"], "119.97");
    });
}

#[test]
fn what_the_list_of_a_page_has_no_room_for_is_sold_beside_another_thing_too() {
    with_world(async |world| {
        world.sql(
            "INSERT INTO products (product_id, merchant_id, title, kind, base_price)
             SELECT gen_random_uuid(), p.merchant_id, 'A' || n, 'SERVICE', 100
             FROM products AS p CROSS JOIN generate_series(1, 100) AS n WHERE p.title LIKE 'Antivirus%'",
        );
        let visit = world.cart(&[("Antivirus", 1)], "").await;
        let page = is_page(&world.see(&visit).await, 200);
        assert!(!page.contains("Setup service"), "{page}");
        location(&world.add_to(&visit, "Setup", 1).await);
        let page = is_page(&world.see(&visit).await, 200);
        assert!(page.contains("Quantity of Setup service"), "{page}");
    });
}

#[test]
fn page_that_another_window_made_old_says_so() {
    with_world(async |world| {
        let visit = world.cart(&[("Antivirus", 1), ("Gift", 1)], "").await;
        let (gift, antivirus) = (world.named("Gift"), world.named("Antivirus"));
        let to = format!("{visit}/cart");
        location(&world.submit(&to, &format!("remove={gift}")).await);
        let old = format!("quantity%5B{antivirus}%5D=3&quantity%5B{gift}%5D=2");
        let page = is_page(&world.submit(&to, &old).await, 422);
        assert!(page.contains("not in the cart any more"), "{page}");
        let page = is_page(&world.see(&visit).await, 200);
        assert!(
            page.contains("29.99 USD") && !page.contains("Quantity of Gift"),
            "{page}"
        );
        // Taken out of the old page, the other one is all that is left.
        let out = format!("remove={antivirus}&quantity%5B{gift}%5D=2");
        let page = is_page(&world.submit(&to, &out).await, 422);
        assert!(page.contains("something to buy"), "{page}");
    });
}

#[test]
fn nothing_that_a_browser_sends_is_a_price_or_sells_what_is_not_sold() {
    with_world(async |world| {
        let visit = world.cart(&[("Antivirus", 1)], "").await;
        let page = is_page(&world.see(&visit).await, 200);
        let (gift, antivirus) = (world.named("Gift"), world.named("Antivirus"));
        for field in [
            "price",
            "unit_price",
            "total",
            "reseller_id",
            "relationship_id",
            "seen",
        ] {
            let forms = [
                ("add", format!("product={gift}&quantity=1&{field}=1")),
                ("cart", format!("quantity%5B{antivirus}%5D=2&{field}=1")),
            ];
            for (to, form) in forms {
                let refused = world.submit(&format!("{visit}/{to}"), &form).await;
                assert!(is_page(&refused, 422).contains(field));
            }
        }
        for (to, form, status) in [
            ("add", "product=prd_1".to_owned(), 403),
            ("add", String::new(), 403),
            ("add", format!("product={gift}&quantity=0"), 422),
            ("add", format!("product={gift}&quantity=20"), 422),
            ("add", format!("product={gift}&quantity=-1"), 422),
            ("cart", format!("quantity%5B{gift}%5D=1"), 422),
            ("cart", format!("remove={gift}"), 422),
            ("cart", format!("remove={antivirus}"), 422),
            ("cart", format!("quantity%5B{antivirus}%5D=21"), 422),
            ("cart", format!("quantity%5B{antivirus}%5D=0"), 422),
            ("cart", format!("quantity%5B{antivirus}%5D=x"), 422),
        ] {
            is_page(&world.submit(&format!("{visit}/{to}"), &form).await, status);
        }
        assert_eq!(
            is_page(&world.see(&visit).await, 200),
            page,
            "nothing was changed"
        );
        // What another merchant sells is sold by nobody here.
        let other = world.another_merchant().await;
        let foreign = format!("product={}&quantity=1", other.products[0].id);
        is_page(&world.submit(&format!("{visit}/add"), &foreign).await, 403);
        let unknown = format!("/checkout/{}/add", "0".repeat(64));
        is_page(
            &world.submit(&unknown, &format!("product={gift}")).await,
            404,
        );
        world.sql("UPDATE checkout_sessions SET expires_at = now()");
        is_page(&world.add_to(&visit, "Gift", 1).await, 410);
    });
}

#[test]
fn each_line_is_asked_what_its_product_wants_to_know() {
    with_world(async |world| {
        for title in ["Antivirus", "Gift"] {
            let path = format!("/dev/v1/products/{}", world.named(title));
            let change = world.call("PATCH", &path).key(&world.merchant_key());
            let fields = json!([{"name": "Device", "type": "TEXT", "required": true}]);
            change
                .json(&json!({"custom_fields": fields}))
                .send()
                .await
                .data(200);
        }
        let visit = world.cart(&[("Antivirus", 1), ("Gift", 1)], "").await;
        let page = is_page(&world.see(&visit).await, 200);
        assert!(page.contains("custom_fields[1: Device]"), "{page}");
        assert!(page.contains("custom_fields[2: Device]"), "{page}");
        let one = format!("{YES}&custom_fields%5B1%3A%20Device%5D=left");
        is_page(&world.submit(&visit, &one).await, 422);
        let other = format!("{one}&custom_fields%5BDevice%5D=none");
        is_page(&world.submit(&visit, &other).await, 422);
        let both = format!("{one}&custom_fields%5B2%3A%20Device%5D=right");
        location(&world.submit(&visit, &both).await);
        let lines = world.newest().await["lines"].clone();
        let said = |at: usize| lines[at]["custom_fields"]["Device"].clone();
        assert_eq!((said(0), said(1)), (json!("left"), json!("right")));
    });
}

#[test]
fn eleventh_line_is_refused_and_ten_are_bought() {
    with_world(async |world| {
        let mut services = Vec::new();
        for number in 1..=10 {
            let body =
                json!({"title": format!("Hour {number}"), "type": "SERVICE", "base_price": "1.00"});
            let call = world
                .call("POST", "/dev/v1/products")
                .key(&world.merchant_key());
            let made = call.json(&body).send().await.data(201);
            services.push(made["id"].as_str().unwrap().to_owned());
        }
        let visit = world.cart(&[("Antivirus", 1)], "").await;
        let add = async |service: &str| {
            let form = format!("product={service}&quantity=1");
            world.submit(&format!("{visit}/add"), &form).await
        };
        let (last, others) = services.split_last().unwrap();
        for service in others {
            location(&add(service).await);
        }
        let full = is_page(&world.see(&visit).await, 200);
        let page = is_page(&add(last).await, 422);
        assert!(page.contains("10 different things at most"), "{page}");
        assert_eq!(is_page(&world.see(&visit).await, 200), full);
        // More of what is in it is no line.
        location(&add(&others[0]).await);
        location(&world.submit(&visit, YES).await);
        let open = world.newest().await;
        assert_eq!(open["lines"].as_array().unwrap().len(), 10);
        assert_eq!(open["amount"], "39.99");
        assert_eq!(world.pay(&open).await["status"], "COMPLETED");
    });
}
