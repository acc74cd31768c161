//! What resellers are mailed about top-ups.

use engine::{
    ids::{InvoiceId, MailId},
    money::{Currency, Money},
    payments::Pay,
};
use persistence::{
    mail::{Letter, Post},
    top_ups::{Announcement, Payer},
};

use crate::{state::App, wire::money::MoneyText};

/// An invoice was opened that the reseller did not ask for at this moment.
pub(super) fn opened(app: &App, payer: Payer, currency: Currency) -> Announcement {
    let app = app.clone();
    Box::new(move |invoice| {
        let (merchant, id, coin) = (&payer.merchant_name, invoice.id, &invoice.coin);
        let amount = MoneyText(currency, invoice.amount);
        let amount = format!("{amount} {}", currency.code());
        let how = how(&invoice.pay);
        let text = format!(
            "Please pay {amount} in {coin} to top your balance at {merchant} up.\n\n{how}\n\n\
             The invoice is {id}; it is open for 24 hours. See {origin}.\n",
            origin = app.origin,
        );
        let subject = format!("Top up your balance at {merchant}");
        post(&app, &payer, subject, text)
    })
}

/// Where to pay, in words.
pub(crate) fn how(pay: &Pay) -> String {
    let address = pay.deposit.as_ref().map(|deposit| {
        let (address, token) = (deposit.address, &deposit.token);
        format!(
            "Send it on the network {network}, as the token {contract}, to {address}. Nothing else arrives.",
            network = token.network,
            contract = token.contract,
        )
    });
    let page = pay
        .hosted
        .as_ref()
        .map(|hosted| format!("Pay at {}", hosted.url));
    let told = pay
        .instructions
        .clone()
        .into_iter()
        .chain(address)
        .chain(page);
    told.collect::<Vec<_>>().join("\n\n")
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

/// A top-up was taken back, and what is missing is owed.
pub(super) fn owed(
    app: &App,
    payer: &Payer,
    id: InvoiceId,
    (currency, amount): (Currency, Money),
) -> Post {
    let merchant = &payer.merchant_name;
    let amount = format!("{} {}", MoneyText(currency, amount), currency.code());
    let text = format!(
        "The payment of the invoice {id} was taken back after its money was spent. {amount} are owed to \
         {merchant}: nothing new is delivered until later top-ups have settled them. See {origin}.\n",
        origin = app.origin,
    );
    post(app, payer, format!("{amount} are owed to {merchant}"), text)
}

/// A balance is low.
pub(super) fn low(
    app: &App,
    payer: &Payer,
    (currency, left): (Currency, Money),
    hours_left: Option<i64>,
) -> Post {
    let merchant = &payer.merchant_name;
    let left = format!("{} {}", MoneyText(currency, left), currency.code());
    let lasts = hours_left.map_or_else(String::new, |hours| {
        format!(" If sales go on as they did, it lasts for {hours} hours.")
    });
    let text = format!(
        "Your balance at {merchant} is {left}.{lasts}\n\nTop it up at {origin}: orders that it \
         does not cover are refused.\n",
        origin = app.origin,
    );
    post(
        app,
        payer,
        format!("Your balance at {merchant} is low"),
        text,
    )
}

/// No automatic invoices come any more.
pub(super) fn paused(app: &App, payer: &Payer) -> Post {
    let merchant = &payer.merchant_name;
    let text = format!(
        "Three automatic top-ups of your balance at {merchant} in a row were not paid in time, so \
         no more are opened.\n\nSave the settings of your balance again at {origin} to go on.\n",
        origin = app.origin,
    );
    let subject = format!("Automatic top-ups at {merchant} are paused");
    post(app, payer, subject, text)
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
