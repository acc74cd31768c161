//! The job that blocks listings which may not be offered any more, and brings them back.

use std::sync::Arc;

use engine::{ids::MailId, listings::Reason};
use persistence::{
    listings::{self, Blocked},
    mail::{Letter, Post},
};

use crate::state::App;

const REVIEWED_AT_ONCE: u32 = 200;

/// Reviews some whose causes may have changed; says how many there were, and how many are otherwise now.
pub async fn review(app: &App) -> Result<(usize, u32), persistence::Error> {
    let due = listings::due(&app.database, REVIEWED_AT_ONCE).await?;
    let count = due.len();
    let writer = app.clone();
    let letter = Arc::new(move |blocked: &Blocked| post(&writer, blocked));
    let vault = app.engine.vault();
    let changed = listings::review(&app.database, vault, due, letter, app.now()).await?;
    if changed > 0 {
        app.mail_queued.notify_one();
    }
    Ok((count, changed))
}

/// Whether another pass would find as much.
pub(crate) fn is_full(count: usize) -> bool {
    count >= REVIEWED_AT_ONCE as usize
}

fn post(app: &App, blocked: &Blocked) -> Post {
    let (title, merchant) = (&blocked.title, &blocked.merchant_name);
    let because = match blocked.reason {
        Reason::BelowFloor => {
            "its price is below what the product costs you, or below the smallest price"
        }
        Reason::AboveMaximum => "its price is above the largest price that the merchant allows",
        Reason::AccessRevoked => "you may not sell the product any more",
        Reason::NotEligible => "the product cannot be listed at the moment",
        Reason::Relationship => {
            "your relationship with the merchant does not allow it at the moment"
        }
        Reason::Program => "the merchant's program is switched off",
    };
    let text = format!(
        "Your listing of {title} at {merchant} is blocked: {because}. Nobody can buy it until that is \
         otherwise; invoices that are open already stay payable. It comes back by itself when the cause \
         is gone, or when you set a price that is allowed.\n\nSee {origin}.\n",
        origin = app.origin,
    );
    Post {
        id: MailId::generate(app.now(), &**app.engine.random()),
        letter: Letter {
            to: blocked.to.clone(),
            subject: format!("Your listing of {title} at {merchant} is blocked"),
            text,
        },
    }
}
