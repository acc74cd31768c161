//! What customers are mailed.

use engine::{
    catalog::ProductKind, checkout::Quote, fulfillments::Email, ids::MailId, merchants::Merchant,
    payments::ProviderKind, vault::Opened,
};
use persistence::{
    checkout::Due,
    mail::{Letter, Post},
    top_ups::Announcement,
};

use super::{delivery_token, invoice_path, look::amount};
use crate::{
    error::{ApiError, Code},
    state::App,
    top_ups::letters::how,
};

/// An invoice was opened.
pub(super) fn opened(
    app: &App,
    merchant: &Merchant,
    (email, quote): (&Email, &Quote),
) -> Announcement {
    let (app, email) = (app.clone(), email.clone());
    let (name, total) = (
        merchant.name.clone(),
        amount(merchant.currency, quote.total),
    );
    let (quantity, title) = (quote.quantity, quote.title.clone());
    Box::new(move |invoice| {
        let (how, id) = (how(&invoice.pay), invoice.id);
        let named = match invoice.provider {
            ProviderKind::Manual => format!("Name the invoice {id} with your payment. "),
            ProviderKind::EvmErc20 | ProviderKind::Btcpay => String::new(),
        };
        let text = format!(
            "You want to buy {quantity} x {title} from {name} for {total}.\n\n{how}\n\n\
             {named}How to pay in {coin}, and whether your payment was seen:\n\
             {origin}{path}\n\nIf this was not you, do nothing.\n",
            coin = invoice.coin,
            origin = app.origin,
            path = invoice_path(&app, id),
        );
        post(
            &app,
            email.as_str(),
            format!("Your invoice of {name}"),
            text,
        )
    })
}

/// What was bought is there: its texts, if the merchant wants them in mails, else where they are.
pub(super) fn delivered(
    app: &App,
    merchant: &Merchant,
    due: &Due,
    texts: &[Opened],
) -> Result<Post, ApiError> {
    let to = customer(merchant, due)?;
    let (line, name) = (&due.line, &merchant.name);
    let what = match line.kind {
        ProductKind::Service => format!("{name} was told and gets in touch with you."),
        ProductKind::Serials if texts.is_empty() => format!(
            "It is here, whenever you want to see it:\n{}/delivery/{}",
            app.origin,
            delivery_token(app, due.invoice.id).expose()
        ),
        ProductKind::Serials => {
            let texts: Vec<_> = texts.iter().map(Opened::expose).collect();
            texts.join("\n")
        }
    };
    let text = format!(
        "Thank you. You bought {} x {} from {name}.\n\n{what}\n\nKeep it to yourself.\n",
        line.quantity, line.title
    );
    let subject = format!("Your purchase: {}", line.title);
    Ok(post(app, to.expose(), subject, text))
}

/// Money is there, and less than the price.
pub(super) fn part(app: &App, merchant: &Merchant, sold: &Due) -> Result<Announcement, ApiError> {
    let to = customer(merchant, sold)?.expose().to_owned();
    let (app, name, currency) = (app.clone(), merchant.name.clone(), merchant.currency);
    let (quantity, title) = (sold.line.quantity, sold.line.title.clone());
    Ok(Box::new(move |invoice| {
        let text = format!(
            "A part of your payment for {quantity} x {title} arrived: {missing} are still missing. Send the \
             rest within a day, and it is sent to you; {name} may also take less, or give you back what \
             you sent. How to pay, and where it stands:\n{origin}{path}\n",
            missing = amount(currency, invoice.missing()),
            origin = app.origin,
            path = invoice_path(&app, invoice.id),
        );
        let subject = format!("A part of your payment for {title} is missing");
        post(&app, &to, subject, text)
    }))
}

/// The money is there, and too little of what was bought.
pub(super) fn short(app: &App, merchant: &Merchant, due: &Due) -> Result<Post, ApiError> {
    let to = customer(merchant, due)?;
    let text = format!(
        "Your payment for {quantity} x {title} arrived, and there is not enough in stock at this \
         moment.\n\nIt is sent to you as soon as there is; {name} was told. Where it stands:\n\
         {origin}{path}\n",
        quantity = due.line.quantity,
        title = due.line.title,
        name = merchant.name,
        origin = app.origin,
        path = invoice_path(app, due.invoice.id),
    );
    let subject = format!("Your purchase of {} is waiting", due.line.title);
    Ok(post(app, to.expose(), subject, text))
}

/// Money went back. How much, the page says: it may be more by the time that this is read.
pub(super) fn refunded(app: &App, merchant: &Merchant, sold: &Due) -> Result<Post, ApiError> {
    let to = customer(merchant, sold)?;
    let text = format!(
        "{name} gave you money back for {quantity} x {title}. How much, and where your invoice \
         stands:\n{origin}{path}\n\nIf it has not reached you yet, ask {name}.\n",
        quantity = sold.line.quantity,
        title = sold.line.title,
        name = merchant.name,
        origin = app.origin,
        path = invoice_path(app, sold.invoice.id),
    );
    let subject = format!("Money back for {}", sold.line.title);
    Ok(post(app, to.expose(), subject, text))
}

/// A payment did not come after all.
pub(super) fn reversed(app: &App, merchant: &Merchant, sold: &Due) -> Result<Post, ApiError> {
    let to = customer(merchant, sold)?;
    let text = format!(
        "A payment for {quantity} x {title} was taken back, so it does not count any more. Where your \
         invoice stands:\n{origin}{path}\n\nIf you did not take it back, ask {name}.\n",
        quantity = sold.line.quantity,
        title = sold.line.title,
        name = merchant.name,
        origin = app.origin,
        path = invoice_path(app, sold.invoice.id),
    );
    let subject = format!("Your payment for {} was taken back", sold.line.title);
    Ok(post(app, to.expose(), subject, text))
}

fn customer(merchant: &Merchant, due: &Due) -> Result<Opened, ApiError> {
    let opened = merchant
        .key
        .open_customer(due.invoice.id.uuid(), &due.customer);
    opened.map_err(|_| ApiError::new(Code::InternalError))
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
