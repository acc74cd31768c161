//! What the server says about itself.

use crate::support::with_world;

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
