//! What the server says about itself.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Value, json};

use crate::support::{check_contract, with_world};

#[test]
fn link_of_an_error_leads_to_its_place_in_the_page() {
    with_world(async |world| {
        let refused = world.call("GET", "/reseller/v1/nothing").send().await;
        let link = refused.refused(404, "NOT_FOUND")["doc_url"].clone();
        let link = link.as_str().unwrap().to_owned();
        let path = link.strip_prefix("https://consign.example").unwrap();
        let (path, anchor) = path.split_once('#').unwrap();
        let page = world.call("GET", path).send().await;
        assert_eq!(page.status, 200);
        assert_eq!(
            page.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        assert!(page.text().contains(&format!("<h2 id=\"{anchor}\">")));
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        let asked = page.header("strict-transport-security");
        assert_eq!(asked, Some("max-age=31536000"));
        // Everything is in the page itself.
        for elsewhere in ["src=", "@import", "url(", "<link"] {
            assert!(!page.text().contains(elsewhere), "{elsewhere}");
        }
    });
}

#[test]
fn contract_is_served_as_it_is_committed_and_the_reference_beside_it() {
    with_world(async |world| {
        let served = world.call("GET", "/openapi.json").send().await;
        assert_eq!(served.header("content-type"), Some("application/json"));
        assert_eq!(served.text(), include_str!("../../openapi.json"));
        let page = world.call("GET", "/docs").send().await;
        assert_eq!(page.status, 200);
        assert!(page.text().contains("POST /reseller/v1/fulfillments"));
        for elsewhere in [
            "src=", "@import", "url(", "<link", "<script", "http://", "https://",
        ] {
            assert!(!page.text().contains(elsewhere), "{elsewhere}");
        }
    });
}

#[test]
fn programs_that_read_text_are_told_where_everything_is() {
    with_world(async |world| {
        let told = world.call("GET", "/llms.txt").send().await;
        let plain = Some("text/plain; charset=utf-8");
        assert_eq!(
            (told.status.as_u16(), told.header("content-type")),
            (200, plain)
        );
        let (text, docs) = (told.text(), world.call("GET", "/docs").send().await);
        assert!(text.starts_with("# Consign\n\n> "), "{text}");
        // Every link leads somewhere.
        let links = text.split("](").skip(1);
        for link in links.filter_map(|rest| rest.split(')').next()) {
            if let Some(place) = link.strip_prefix("/docs#") {
                let anchor = format!("<h2 id=\"{place}\">");
                assert!(docs.text().contains(&anchor), "{link}");
            } else {
                assert_eq!(world.call("GET", link).send().await.status, 200, "{link}");
            }
        }
    });
}

/// The lock itself: every test of this suite looks at its answers through it.
#[test]
fn answer_that_differs_from_the_contract_is_noticed() {
    with_world(async |world| {
        let path = "/reseller/v1/balance";
        let mut reply = world
            .call("GET", path)
            .key(&world.key("demo-both"))
            .send()
            .await;
        let body = reply.json();
        let mut noticed = |change: &dyn Fn(&mut Value)| {
            let mut changed = body.clone();
            change(&mut changed);
            reply.body = changed.to_string().into();
            let checking = AssertUnwindSafe(|| check_contract("GET", path, &reply));
            catch_unwind(checking).is_err()
        };
        assert!(!noticed(&|_| {}));
        assert!(noticed(&|body| body["data"]["new"] = json!(1)));
        assert!(noticed(&|body| body["data"]["held"] = json!(1)));
        assert!(noticed(&|body| body["data"]["forecast"]["new"] = json!(1)));
        assert!(noticed(&|body| {
            body["data"].as_object_mut().unwrap().remove("held");
        }));
        reply.body = body.to_string().into();
        reply.status = 418.try_into().unwrap();
        let checking = AssertUnwindSafe(|| check_contract("GET", path, &reply));
        assert!(catch_unwind(checking).is_err());
    });
}
