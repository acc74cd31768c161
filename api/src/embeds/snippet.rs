//! What is placed in a page, in a component or in a chat.

use engine::embeds::{Subject, Token};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{error::ApiError, extract::Query, state::App, wire::texts::word};

/// For what a snippet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavor {
    Html,
    React,
    /// For chats.
    Link,
}

impl Flavor {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "HTML" => Some(Self::Html),
            "REACT" => Some(Self::React),
            "LINK" => Some(Self::Link),
            _ => None,
        }
    }

    /// What a query asks for, else HTML.
    pub(crate) fn read(query: &Query) -> Result<Self, ApiError> {
        let flavor = query.get("flavor").map(str::to_owned);
        Ok(word(flavor, "flavor", Self::parse)?.unwrap_or(Self::Html))
    }
}

/// Where the widget of this is.
pub(super) fn page(app: &App, subject: Subject) -> String {
    match subject {
        Subject::Campaign(id) => format!("{}/embed/{id}", app.origin),
        Subject::Listing(id) => format!("{}/embed/listing/{id}", app.origin),
    }
}

/// A snippet as it is told.
#[derive(Serialize, ToSchema)]
#[expect(
    clippy::struct_field_names,
    reason = "the contract names the text as it names the whole"
)]
pub(crate) struct Snippet {
    snippet: String,
    preview_url: String,
    token_version: u32,
}

/// A widget with a token of its own.
pub(crate) struct Placed {
    /// Where the widget is.
    page: String,
    version: u32,
    token: String,
}

impl Placed {
    pub(crate) fn of(app: &App, subject: Subject, version: u32) -> Self {
        let token = Token {
            subject,
            version,
            at: app.now(),
        };
        Self {
            page: page(app, subject),
            version,
            token: token.text(app.engine.vault()),
        }
    }

    fn url(&self) -> String {
        format!("{}?t={}", self.page, self.token)
    }

    pub(crate) fn snippet(&self, flavor: Flavor) -> String {
        let (page, token) = (&self.page, &self.token);
        match flavor {
            Flavor::Html => {
                format!("<script src=\"{page}.js\" data-token=\"{token}\" async></script>")
            }
            Flavor::React => format!(
                "<iframe title=\"Shop\" src=\"{}\" loading=\"lazy\" style={{{{ width: \"100%\", height: 720, border: 0 }}}} />",
                self.url()
            ),
            Flavor::Link => self.url(),
        }
    }

    pub(crate) fn shown(&self, flavor: Flavor) -> Snippet {
        Snippet {
            snippet: self.snippet(flavor),
            preview_url: self.url(),
            token_version: self.version,
        }
    }
}
