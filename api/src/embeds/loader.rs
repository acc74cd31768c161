//! `GET /embed/{campaign}.js`: the script of a snippet. It frames the widget and does nothing else: no
//! cookie, no request of its own, nothing secret.

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};

/// For five minutes.
const CACHED: HeaderValue = HeaderValue::from_static("public, max-age=300");
const SCRIPT: &str = include_str!("loader.js");

/// The script that frames this address.
pub(super) fn answer(url: &str) -> Response {
    let script = HeaderValue::from_static("text/javascript; charset=utf-8");
    let head = [
        (header::CONTENT_TYPE, script),
        (header::CACHE_CONTROL, CACHED),
    ];
    (head, SCRIPT.replace("__URL__", url)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn script_names_its_address_once_and_asks_for_nothing() {
        assert_eq!(SCRIPT.matches("__URL__").count(), 1);
        for word in [
            "cookie",
            "fetch",
            "XMLHttpRequest",
            "innerHTML",
            "eval",
            "localStorage",
        ] {
            assert!(!SCRIPT.contains(word), "{word}");
        }
        assert!(SCRIPT.len() < 1024);
    }

    #[test]
    fn whatever_a_snippet_may_say_is_documented() {
        let read = SCRIPT.split("getAttribute(\"").skip(1);
        let read: Vec<_> = read.filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(read.len(), 4, "{read:?}");
        for attribute in read {
            let documented = include_str!("../../../docs/API.md").contains(attribute);
            assert!(documented, "{attribute}");
        }
    }
}
