//! Owners are told by mail that a webhook of theirs was given up, once.

use engine::ids::MailId;
use persistence::{
    mail::{Letter, Post},
    webhooks::{self, Disabled},
};

use crate::{state::App, wire::time};

const TOLD_AT_ONCE: u32 = 100;

/// Tells the owners who do not know yet.
pub(super) async fn tell_owners(app: &App) -> Result<(), persistence::Error> {
    let (db, vault) = (&app.database, app.engine.vault());
    for one in webhooks::disabled(db, TOLD_AT_ONCE).await? {
        let posts = posts(app, &one);
        if webhooks::tell_disabled(db, vault, one.webhook, posts, app.now()).await? {
            app.mail_queued.notify_one();
        }
    }
    Ok(())
}

fn posts(app: &App, disabled: &Disabled) -> Vec<Post> {
    let (now, random) = (app.now(), &**app.engine.random());
    let since = disabled
        .failing_since
        .map_or_else(String::new, |since| format!(" since {}", time::text(since)));
    let recipients = disabled.recipients.iter();
    let posts = recipients.map(|to| Post {
        id: MailId::generate(now, random),
        letter: Letter {
            to: to.clone(),
            subject: "A webhook was switched off".to_owned(),
            text: format!(
                "Nothing that {merchant} sent to\n\n{url}\n\nwas accepted{since}, so nothing more is \
                 sent there. Events are kept for ninety days: set the status of {id} to ACTIVE at \
                 {origin} once the address answers, and they are sent from where they stopped.\n",
                merchant = disabled.merchant_name,
                url = disabled.url,
                id = disabled.webhook,
                origin = app.origin,
            ),
        },
    });
    posts.collect()
}
