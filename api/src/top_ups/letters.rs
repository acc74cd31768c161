//! What resellers are mailed about top-ups.

use engine::{
    ids::{InvoiceId, MailId},
    money::{Currency, Money},
    payments::{Coin, Pay},
};
use persistence::{
    mail::{Letter, Post},
    top_ups::Payer,
};

use crate::{state::App, wire::money::MoneyText};

/// An invoice was opened that the reseller did not ask for at this moment.
pub(super) fn opened(
    app: &App,
    payer: &Payer,
    (id, coin, pay): (InvoiceId, &Coin, &Pay),
    (currency, amount): (Currency, Money),
) -> Post {
    let merchant = &payer.merchant_name;
    let amount = format!("{} {}", MoneyText(currency, amount), currency.code());
    let how = pay.instructions.as_deref().unwrap_or_default();
    let text = format!(
        "Please pay {amount} in {coin} to top your balance at {merchant} up.\n\n{how}\n\n\
         The invoice is {id}; it is open for 24 hours. See {origin}.\n",
        origin = app.origin,
    );
    post(
        app,
        payer,
        format!("Top up your balance at {merchant}"),
        text,
    )
}

/// Money was added.
pub(super) fn completed(
    app: &App,
    payer: &Payer,
    id: InvoiceId,
    (currency, amount): (Currency, Money),
) -> Post {
    let merchant = &payer.merchant_name;
    let amount = format!("{} {}", MoneyText(currency, amount), currency.code());
    let text = format!(
        "{amount} were added to your balance at {merchant}, for the invoice {id}. See {origin}.\n",
        origin = app.origin,
    );
    post(
        app,
        payer,
        format!("{amount} were added to your balance at {merchant}"),
        text,
    )
}

fn post(app: &App, payer: &Payer, subject: String, text: String) -> Post {
    Post {
        id: MailId::generate(app.now(), &**app.engine.random()),
        letter: Letter {
            to: payer.email.clone(),
            subject,
            text,
        },
    }
}
