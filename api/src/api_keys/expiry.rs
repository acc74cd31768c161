//! The mail that a key ends soon.

use engine::ids::MailId;
use persistence::{
    api_keys::Expiring,
    mail::{Letter, Post},
};

use crate::{state::App, wire::time};

/// One mail for each who is to hear of it.
pub(crate) fn posts(app: &App, key: &Expiring) -> Vec<Post> {
    let (now, random) = (app.now(), &**app.engine.random());
    let recipients = key.recipients.iter();
    let posts = recipients.map(|to| Post {
        id: MailId::generate(now, random),
        letter: Letter {
            to: to.clone(),
            subject: format!("The key \"{}\" ends soon", key.name),
            text: format!(
                "The key \"{name}\" (it ends in {last4}) for {merchant} stops working at {end}.\n\n\
                 Rotate it before then at {origin}: the old and the new one work side by side \
                 for a while.\n",
                name = key.name,
                last4 = key.last4,
                merchant = key.merchant_name,
                end = time::text(key.expires_at),
                origin = app.origin,
            ),
        },
    });
    posts.collect()
}
