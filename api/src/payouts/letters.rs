//! Mails about payouts: to the reseller whenever one moves and when an address is new, to the merchant's
//! owners when one is asked for.

use std::sync::Arc;

use engine::{
    ids::MailId,
    money::Currency,
    payouts::{Payout, Status},
};
use persistence::{
    mail::{Letter, Post},
    payouts::{Letters, Recipients},
};

use crate::{state::App, wire::money::MoneyText};

/// What is mailed about a payout as it stands.
pub(super) fn letters(app: &App, currency: Currency) -> Letters {
    let app = app.clone();
    Arc::new(move |payout: &Payout, whom: &Recipients, is_new: bool| {
        let mut posts = vec![moved(&app, currency, payout, whom)];
        if is_new {
            posts.push(new_address(&app, payout, whom));
        }
        if payout.status == Status::Pending {
            let asked = whom.owners.iter();
            posts.extend(asked.map(|owner| asked_for(&app, currency, payout, owner)));
        }
        posts
    })
}

fn amount(currency: Currency, payout: &Payout) -> String {
    format!("{} {}", MoneyText(currency, payout.amount), currency.code())
}

fn moved(app: &App, currency: Currency, payout: &Payout, whom: &Recipients) -> Post {
    let (merchant, amount) = (&whom.merchant_name, amount(currency, payout));
    let what = match payout.status {
        Status::Pending => "was asked for, and waits for the merchant",
        Status::Approved => "was approved, and will be paid",
        Status::Completed => "was paid",
        Status::Rejected => "was rejected; the amount is available again",
        Status::Cancelled => "was cancelled; the amount is available again",
    };
    let because = payout.status_reason.as_deref();
    let because = because.map_or_else(String::new, |reason| format!(" The reason given: {reason}"));
    let text = format!(
        "Your payout of {amount} at {merchant} {what}.{because}\n\nIt is {id}. See {origin}.\n",
        id = payout.id,
        origin = app.origin,
    );
    let subject = format!("Your payout of {amount} at {merchant}");
    post(app, &whom.reseller, subject, text)
}

/// The address is not written out: whoever reads the mail is not always its owner.
fn new_address(app: &App, payout: &Payout, whom: &Recipients) -> Post {
    let merchant = &whom.merchant_name;
    let text = format!(
        "A payout at {merchant} was asked for to an address on {network} that was never used before. \
         It cannot be approved for a day.\n\nIf this was not you, change your password and cancel the \
         payout {id} at {origin}.\n",
        network = payout.to.network,
        id = payout.id,
        origin = app.origin,
    );
    let subject = format!("A new payout address at {merchant}");
    post(app, &whom.reseller, subject, text)
}

fn asked_for(app: &App, currency: Currency, payout: &Payout, owner: &str) -> Post {
    let amount = amount(currency, payout);
    let text = format!(
        "A reseller asks for a payout of {amount}: {id}. It waits for you at {origin}.\n",
        id = payout.id,
        origin = app.origin,
    );
    post(
        app,
        owner,
        format!("A payout of {amount} was asked for"),
        text,
    )
}

fn post(app: &App, to: &str, subject: String, text: String) -> Post {
    Post {
        id: MailId::generate(app.now(), &**app.engine.random()),
        letter: Letter {
            to: to.to_owned(),
            subject,
            text,
        },
    }
}
