//! The link that opens an offer, and the mail that carries it.

use engine::{ids::MailId, invitations, vault::Opened};
use persistence::mail::{Letter, Post};

use crate::state::App;

/// What opens an offer.
pub(super) struct Link {
    pub(super) token: Opened,
    pub(super) url: Opened,
}

impl Link {
    pub(super) fn new(app: &App) -> Self {
        let token = invitations::new_token(&**app.engine.random());
        let url = Opened::new(format!("{}/invite/{}", app.origin, token.expose()));
        Self { token, url }
    }

    pub(super) fn digest(&self) -> [u8; 32] {
        invitations::token_digest(self.token.expose())
    }

    /// The mail that carries the link.
    pub(super) fn post(&self, app: &App, of: &Occasion<'_>) -> Post {
        let written = of.message.map_or_else(String::new, |message| {
            let quoted: Vec<_> = message.lines().map(|line| format!("> {line}")).collect();
            format!("{} writes:\n\n{}\n\n", of.merchant, quoted.join("\n"))
        });
        Post {
            id: MailId::generate(app.now(), &**app.engine.random()),
            letter: Letter {
                to: of.email.to_owned(),
                subject: format!("{} invites you as a reseller", of.merchant),
                text: format!(
                    "{merchant} invites you to sell its products.\n\n{written}\
                     Read the terms, and accept or decline, within {days} days:\n\n{url}\n\n\
                     If you do not know {merchant}, do nothing.\n",
                    merchant = of.merchant,
                    days = of.days,
                    url = self.url.expose(),
                ),
            },
        }
    }
}

/// What a mail is about.
pub(super) struct Occasion<'a> {
    pub(super) merchant: &'a str,
    pub(super) email: &'a str,
    pub(super) message: Option<&'a str>,
    pub(super) days: u16,
}
