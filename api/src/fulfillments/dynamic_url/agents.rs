//! Who opens an address without being a shop: browsers, prefetchers, link previews.

use axum::http::{HeaderMap, header};

/// Parts of the names, in lower case, under which previews and crawlers introduce themselves.
const PREVIEWS: [&str; 36] = [
    "ahrefsbot",
    "applebot",
    "baiduspider",
    "bingbot",
    "bingpreview",
    "bytespider",
    "chatgpt-user",
    "claudebot",
    "crawler",
    "discordbot",
    "duckduckbot",
    "embedly",
    "facebookcatalog",
    "facebookexternalhit",
    "flipboard",
    "google-inspectiontool",
    "google-safety",
    "googlebot",
    "gptbot",
    "iframely",
    "linkedinbot",
    "mastodon",
    "microsoftpreview",
    "petalbot",
    "pinterest",
    "redditbot",
    "semrushbot",
    "skypeuripreview",
    "slackbot",
    "snapchat",
    "telegrambot",
    "twitterbot",
    "viber",
    "vkshare",
    "whatsapp",
    "yandexbot",
];

pub(super) fn is_browser_or_preview(headers: &HeaderMap) -> bool {
    let navigates =
        lower(headers, "sec-fetch-mode").any(|mode| mode == "navigate" || mode == "no-cors");
    let renders = lower(headers, "sec-fetch-dest").any(|dest| dest != "empty");
    is_fetched_ahead(headers) || navigates || renders
}

/// Whether no person is about to look: a browser that fetches ahead, a preview, a crawler.
pub(crate) fn is_fetched_ahead(headers: &HeaderMap) -> bool {
    let prefetches = ["sec-purpose", "purpose", "x-moz", "x-purpose"]
        .into_iter()
        .any(|name| {
            lower(headers, name).any(|value| {
                ["prefetch", "prerender", "preview"]
                    .iter()
                    .any(|w| value.contains(w))
            })
        });
    let previews = lower(headers, header::USER_AGENT.as_str())
        .any(|agent| PREVIEWS.iter().any(|known| agent.contains(known)));
    prefetches || previews
}

fn lower(headers: &HeaderMap, name: &str) -> impl Iterator<Item = String> {
    let values = headers.get_all(name).iter();
    values.map(|value| String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn refused(name: &'static str, value: &'static str) -> bool {
        let headers = HeaderMap::from_iter([(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )]);
        is_browser_or_preview(&headers)
    }

    #[test]
    fn browsers_prefetchers_and_previews_are_known() {
        for (name, value) in [
            ("sec-purpose", "prefetch;prerender"),
            ("purpose", "Prefetch"),
            ("x-moz", "prefetch"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-mode", "no-cors"),
            ("sec-fetch-dest", "document"),
            ("sec-fetch-dest", "image"),
            (
                "user-agent",
                "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
            ),
            ("user-agent", "TelegramBot (like TwitterBot)"),
            ("user-agent", "WhatsApp/2.23.20.0"),
        ] {
            assert!(refused(name, value), "{name}: {value}");
        }
    }

    #[test]
    fn servers_pass() {
        assert!(!is_browser_or_preview(&HeaderMap::new()));
        for (name, value) in [
            ("user-agent", "curl/8.5.0"),
            ("user-agent", "GuzzleHttp/7"),
            ("user-agent", "python-requests/2.32"),
            ("sec-fetch-mode", "cors"),
            ("sec-fetch-dest", "empty"),
        ] {
            assert!(!refused(name, value), "{name}: {value}");
        }
    }
}
