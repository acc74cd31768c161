//! What anybody can ask for again and again is bounded: mails to others, rows of the audit log.

use crate::{
    checkout::{is_page, location},
    support::{World, with_world},
};

const CODE: &str = "demo-both";
const EMAIL: &str = "max@partner.example";
/// Mails to one address about invoices that nobody has paid, in one window; and serials that one person reads.
const MAILS: usize = 6;
const READINGS: usize = 120;
/// Yeses of one network, in one window.
const YESES: usize = 60;

impl World {
    /// An invoice that somebody in this network opens for this address, and nobody pays.
    async fn left_open(&self, email: &str, from: &str) -> String {
        let visit = self.visit(&self.antivirus(), "quantity=1", "").await;
        let call = self.call("POST", &visit).header("x-forwarded-for", from);
        let form = format!("email={email}&coin=BANK");
        let page = call.body("application/x-www-form-urlencoded", form);
        let page = location(&page.send().await);
        self.sql("UPDATE invoices SET expires_at = now() WHERE status = 'OPEN'");
        page
    }

    async fn mails_to(&self, to: &str) -> usize {
        let letters = self.letters().await.into_iter();
        letters.filter(|letter| letter.to.starts_with(to)).count()
    }
}

#[test]
fn invoices_that_anybody_opens_for_anybody_are_mailed_a_few_times() {
    with_world(async |world| {
        // Two windows of counting hold it all, whenever the first one ends.
        for number in 0..=2 * MAILS {
            let (tag, network) = (number % 3, format!("192.0.2.{number}"));
            let page = world
                .left_open(&format!("ann%2B{tag}%40example.com"), &network)
                .await;
            is_page(&world.see(&page).await, 200);
        }
        let mails = world.mails_to("ann+").await;
        assert!((MAILS..=2 * MAILS).contains(&mails), "{mails}");
        // Others are told as before. One of them may share Ann's slot, and so her count; all of them do not.
        let mut told = 0;
        for name in ["bob", "cat", "dan", "eve"] {
            let email = format!("{name}%40example.com");
            world.left_open(&email, "192.0.2.250").await;
            told += world.mails_to(&format!("{name}@")).await;
        }
        assert!((3..=4).contains(&told), "{told}");
    });
}

#[test]
fn yeses_are_counted_whatever_becomes_of_them() {
    with_world(async |world| {
        for _ in 0..3 {
            world.invoiced(1, "ann%40example.com", "").await;
        }
        let visit = world.visit(&world.antivirus(), "quantity=1", "").await;
        let mut yeses = 3;
        loop {
            let yes = "email=ann%40example.com&coin=BANK";
            let reply = world.submit(&visit, yes).await;
            match reply.status.as_u16() {
                409 => yeses += 1,
                _ if is_page(&reply, 429).contains("Too many purchases") => break,
                // Pages are shown so often, whatever is on them.
                _ => {}
            }
            assert!(yeses <= 2 * YESES, "two windows of counting hold it all");
        }
        assert!(yeses >= YESES, "{yeses}");
    });
}

#[test]
fn person_reads_so_many_serials_one_by_one_and_each_is_noted() {
    with_world(async |world| {
        let mut sessions = vec![world.as_reseller(CODE, EMAIL).await];
        for _ in 0..5 {
            sessions.push(world.session(EMAIL).await);
        }
        world.buy_stock(CODE, "Antivirus", 1).await.data(201);
        let item = world.owned_items().await[0].clone();
        let path = format!("inventory/{}/reveal", item["id"].as_str().unwrap());
        let mut shown = 0;
        let refused = loop {
            let session = &sessions[shown % sessions.len()];
            let reply = world.in_portal(session, "POST", &path).send().await;
            if reply.status != 200 {
                break reply;
            }
            shown += 1;
            assert!(shown <= 2 * READINGS);
        };
        assert!(shown >= READINGS, "{shown}");
        let error = refused.refused(429, "RATE_LIMITED");
        assert!(
            error["message"].as_str().unwrap().contains("export"),
            "{error}"
        );
        assert!(refused.header("retry-after").is_some());
        let noted = "SELECT COUNT(*) FROM audit_log WHERE action = 'inventory.reveal'";
        assert_eq!(world.scalar(noted), shown.to_string());
    });
}

#[test]
fn customer_who_looks_again_adds_nothing_to_the_audit_log() {
    with_world(async |world| {
        let page = world.invoiced(2, "ann%40example.com", "").await;
        world.pay(&world.newest().await).await;
        let reveal = format!("{page}/reveal");
        let first = is_page(&world.submit(&reveal, "").await, 200);
        let entries = world.scalar("SELECT COUNT(*) FROM audit_log");
        for _ in 0..5 {
            assert_eq!(is_page(&world.submit(&reveal, "").await, 200), first);
        }
        assert_eq!(world.scalar("SELECT COUNT(*) FROM audit_log"), entries);
        let noted = "SELECT COUNT(*) FROM audit_log WHERE action = 'invoice.reveal'";
        assert_eq!(world.scalar(noted), "1");
    });
}
