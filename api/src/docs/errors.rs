//! `GET /docs/errors`: every error code, each under the anchor that `doc_url` of an error names.

use std::{fmt::Write as _, sync::LazyLock};

use axum::response::Response;

use super::page::{Page, text};
use crate::error::Code;

static PAGE: LazyLock<Page> = LazyLock::new(|| Page::new("Consign: errors", &body()));

pub(crate) async fn page() -> Response {
    PAGE.answer()
}

const OPENING: &str = "<h1>Errors</h1>\n\
    <p>Match on the code: it never changes its meaning. The message is for people and may change. \
    <code>x-request-id</code> is in the headers of every answer: name it when you ask.</p>\n\
    <p><b>Not executed</b> is true for ever for that attempt: nothing was debited, nothing delivered, \
    the order id is still free. <b>Maybe executed</b>, or no answer at all: send the same request with \
    the same order id again, never with a new one.</p>\n";

fn body() -> String {
    let mut body = OPENING.to_owned();
    for &code in Code::ALL {
        section(&mut body, code).expect("writing to a string");
    }
    body
}

fn section(body: &mut String, code: Code) -> std::fmt::Result {
    let (name, status) = (code.name(), code.status().as_u16());
    writeln!(
        body,
        "<h2 id=\"{name}\"><a href=\"#{name}\">{name}</a></h2>"
    )?;
    writeln!(
        body,
        "<p><small>{status}, {}</small></p>",
        code.executed().words()
    )?;
    writeln!(
        body,
        "<p>{} {}</p>",
        text(code.message()),
        text(code.advice())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_anchor_and_says_whether_it_was_executed() {
        let html = PAGE.html();
        for code in Code::ALL {
            let anchor = format!("<h2 id=\"{}\">", code.name());
            assert_eq!(html.matches(&anchor).count(), 1, "{anchor}");
            let (_, section) = html.split_once(&anchor).unwrap();
            let status = format!(
                "<small>{}, {}<",
                code.status().as_u16(),
                code.executed().words()
            );
            let advice = text(code.advice());
            let section = section.split("<h2").next().unwrap();
            assert!(
                section.contains(&status) && section.contains(&advice),
                "{section}"
            );
        }
        assert_eq!(html.matches("<h2").count(), Code::ALL.len());
    }

    /// The page for people tells the same as the one for callers.
    #[test]
    fn document_gives_each_code_the_same_status_and_effect() {
        let document = include_str!("../../../docs/ERRORS.md");
        for code in Code::ALL {
            let (_, section) = document
                .split_once(&format!("\n## {}\n", code.name()))
                .unwrap();
            let section = section.trim_start();
            let status = code.status().as_u16().to_string();
            assert!(section.starts_with(&status), "{}", code.name());
            let effect = match code.executed() {
                crate::error::Executed::No => ", not executed.",
                crate::error::Executed::NotThisBody => "t this body",
                crate::error::Executed::Maybe => ", maybe.",
            };
            let line = section
                .lines()
                .next()
                .unwrap()
                .replace("*this* body was not", "not this body");
            assert!(line.contains(effect), "{}: {line}", code.name());
        }
    }
}
