//! A page without anything from elsewhere, and the headers that keep it so.

use axum::{
    body::Bytes,
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use sha2::{Digest as _, Sha256};

const PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");
const OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// What the policy of a page ends with that nobody may frame.
const NOBODY: &str = "frame-ancestors 'none'";
const STYLE: &str = include_str!("page.css");

/// A page as it is sent.
pub(crate) struct Page {
    html: Bytes,
    policy: HeaderValue,
}

impl Page {
    /// A page of this title; the body is HTML already.
    pub(crate) fn new(title: &str, body: &str) -> Self {
        Self::styled(title, body, STYLE)
    }

    /// The same with a look of its own.
    pub(crate) fn styled(title: &str, body: &str, style: &str) -> Self {
        let html = html(title, style, body);
        let policy = format!(
            "default-src 'self'; style-src 'sha256-{}'; object-src 'none'; base-uri 'none'; \
             form-action 'self'; {NOBODY}",
            BASE64_STANDARD.encode(Sha256::digest(style))
        );
        Self {
            html: html.into(),
            policy: HeaderValue::from_str(&policy).expect("a digest is plain text"),
        }
    }

    /// A page for frames in other pages: those of these origins, as they are written in a policy. It runs
    /// no script, asks for nothing and sends nothing anywhere.
    pub(crate) fn framed(title: &str, style: &str, body: &str, ancestors: &str) -> Self {
        let html = html(title, style, body);
        let policy = format!(
            "default-src 'none'; script-src 'none'; style-src 'sha256-{}'; base-uri 'none'; \
             form-action 'none'; frame-ancestors {ancestors}",
            BASE64_STANDARD.encode(Sha256::digest(style))
        );
        let policy = HeaderValue::from_str(&policy);
        Self {
            html: html.into(),
            policy: policy.expect("a digest and origins are plain text"),
        }
    }

    pub(crate) fn answer(&self) -> Response {
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        let permissions = HeaderValue::from_static("camera=(), geolocation=(), microphone=()");
        let head = [
            (header::CONTENT_TYPE, html),
            (header::CONTENT_SECURITY_POLICY, self.policy.clone()),
            (PERMISSIONS, permissions),
            (OPENER, HeaderValue::from_static("same-origin")),
        ];
        (head, self.html.clone()).into_response()
    }

    #[cfg(test)]
    pub(super) fn html(&self) -> &str {
        std::str::from_utf8(&self.html).expect("made of text")
    }
}

/// Lets pages of these origins, as they are written in a policy, frame this one, on which no script runs then. What is
/// no page, and what says already who may frame it, stays as it is.
pub(crate) fn framable(mut page: Response, ancestors: &str) -> Response {
    let policy = page.headers().get(header::CONTENT_SECURITY_POLICY);
    let policy = policy.and_then(|policy| policy.to_str().ok());
    let Some(rest) = policy.and_then(|policy| policy.strip_suffix(NOBODY)) else {
        return page;
    };
    let policy = format!("{rest}script-src 'none'; frame-ancestors {ancestors}");
    let policy = HeaderValue::from_str(&policy).expect("a policy and origins are plain text");
    let head = page.headers_mut();
    head.insert(header::CONTENT_SECURITY_POLICY, policy);
    page
}

/// A text as HTML; what stands in backticks is code.
pub(crate) fn text(text: &str) -> String {
    let parts = text.split('`').enumerate().map(|(at, part)| {
        if at % 2 == 1 {
            format!("<code>{}</code>", escaped(part))
        } else {
            escaped(part)
        }
    });
    parts.collect()
}

fn html(title: &str, style: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n\
         <style>{style}</style>\n</head>\n<body>\n{body}</body>\n</html>\n",
        escaped(title)
    )
}

/// A text as HTML, in an attribute too.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_backticks_are_code() {
        assert_eq!(
            text("a < `b & c` \"d\""),
            "a &lt; <code>b &amp; c</code> &quot;d&quot;"
        );
    }

    #[test]
    fn page_is_framed_by_whom_it_names_and_runs_no_script_there() {
        let of = |page: &Response| {
            let policy = &page.headers()["content-security-policy"];
            policy.to_str().unwrap().to_owned()
        };
        let page = framable(Page::new("A", "<p>b</p>").answer(), "https://a.example");
        let policy = of(&page);
        assert!(
            policy.ends_with(
                "form-action 'self'; script-src 'none'; frame-ancestors https://a.example"
            ),
            "{policy}"
        );
        assert_eq!(of(&framable(page, "https:")), policy);
        let nothing = framable(().into_response(), "https:");
        assert!(nothing.headers().is_empty());
    }

    #[test]
    fn page_has_the_headers_of_pages() {
        let response = Page::new("A", "<p>b</p>").answer();
        let head = response.headers();
        assert_eq!(head["content-type"], "text/html; charset=utf-8");
        let policy = head["content-security-policy"].to_str().unwrap();
        for part in [
            "default-src 'self';",
            "style-src 'sha256-",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert_eq!(head["cross-origin-opener-policy"], "same-origin");
        assert!(head.contains_key("permissions-policy"));
    }
}
