//! What customers are mailed.

use engine::{
    catalog::ProductKind,
    checkout::Line,
    fulfillments::Email,
    ids::{MailId, SerialId},
    merchants::Merchant,
    money::Money,
    payments::ProviderKind,
    programs::CustomerMail,
    vault::Opened,
};
use persistence::{
    checkout::{Due, OpeningLine},
    inventory::list::sealed,
    mail::{Letter, Post},
    programs,
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
    (email, lines, total): (&Email, &[OpeningLine], Money),
) -> Announcement {
    let (app, email) = (app.clone(), email.clone());
    let (name, total) = (merchant.name.clone(), amount(merchant.currency, total));
    let lines = lines.iter().map(|line| &line.quote);
    let what = listed(lines.map(|quote| (quote.quantity, quote.title.as_str())));
    Box::new(move |invoice| {
        let (how, id) = (how(&invoice.pay), invoice.id);
        let named = match invoice.provider {
            ProviderKind::Manual => format!("Name the invoice {id} with your payment. "),
            ProviderKind::EvmErc20 | ProviderKind::Btcpay => String::new(),
        };
        let text = format!(
            "You want to buy {what} from {name} for {total}.\n\n{how}\n\n\
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

/// The texts of these serials, if the merchant wants them in mails; else none.
pub(super) async fn inline(
    app: &App,
    merchant: &Merchant,
    serials: &[SerialId],
) -> Result<Vec<Opened>, ApiError> {
    let program = programs::find(&app.database, merchant.id).await?;
    if program.is_none_or(|it| it.customer_mail != CustomerMail::Inline) {
        return Ok(Vec::new());
    }
    let texts = sealed(&app.database, merchant.id, serials).await?;
    let texts = serials.iter().zip(texts);
    let texts = texts.map(|(serial, (text, _))| merchant.key.open_serial(*serial, &text));
    let texts: Result<Vec<_>, _> = texts.collect();
    texts.map_err(|_| ApiError::new(Code::InternalError))
}

/// What was bought is there: its texts, if the merchant wants them in mails, else where they are.
pub(super) fn delivered(
    app: &App,
    merchant: &Merchant,
    due: &Due,
    texts: &[Opened],
) -> Result<Post, ApiError> {
    let to = customer(merchant, due)?;
    let name = &merchant.name;
    let shelved = |line: &&Line| line.kind == ProductKind::Serials;
    let mut parts = Vec::new();
    if due.lines.iter().any(|line| shelved(&line)) && texts.is_empty() {
        parts.push(format!(
            "It is here, whenever you want to see it:\n{}/delivery/{}",
            app.origin,
            delivery_token(app, due.invoice.id).expose()
        ));
    }
    let mut texts = texts.iter().map(Opened::expose);
    for line in due.lines.iter().filter(shelved) {
        let units = usize::try_from(line.quantity).unwrap_or(usize::MAX);
        let own: Vec<_> = texts.by_ref().take(units).collect();
        if due.lines.len() > 1 && !own.is_empty() {
            parts.push(format!("{}:\n{}", line.title, own.join("\n")));
        } else if !own.is_empty() {
            parts.push(own.join("\n"));
        }
    }
    let services = due.lines.iter().filter(|line| !shelved(line));
    let services: Vec<_> = services.map(|line| line.title.as_str()).collect();
    if services.len() == due.lines.len() {
        parts.push(format!("{name} was told and gets in touch with you."));
    } else if !services.is_empty() {
        let services = services.join(" and ");
        parts.push(format!(
            "Of {services} {name} was told and gets in touch with you."
        ));
    }
    let text = format!(
        "Thank you. You bought {} from {name}.\n\n{}\n\nKeep it to yourself.\n",
        what(due),
        parts.join("\n\n")
    );
    let subject = format!("Your purchase: {}", title(due));
    Ok(post(app, to.expose(), subject, text))
}

/// So many of what was bought were no good, and others took their places: old and new texts, if the merchant wants
/// them in mails, else where they are.
pub(super) fn replaced(
    app: &App,
    merchant: &Merchant,
    sold: &Due,
    (units, texts): (usize, &[(Opened, Opened)]),
) -> Result<Post, ApiError> {
    let to = customer(merchant, sold)?;
    let pairs = texts.iter();
    let pairs = pairs.map(|(old, new)| format!("{}\nin place of {}", new.expose(), old.expose()));
    let parts: Vec<_> = pairs.collect();
    let shown = if parts.is_empty() {
        format!(
            "You see it beside the old one here:\n{}/delivery/{}",
            app.origin,
            delivery_token(app, sold.invoice.id).expose()
        )
    } else {
        parts.join("\n\n")
    };
    let text = format!(
        "{name} replaced {units} of what you bought ({what}).\n\n{shown}\n\nKeep it to yourself.\n",
        name = merchant.name,
        what = what(sold),
    );
    let subject = format!("Replaced: {}", title(sold));
    Ok(post(app, to.expose(), subject, text))
}

/// Money is there, and less than the price.
pub(super) fn part(app: &App, merchant: &Merchant, sold: &Due) -> Result<Announcement, ApiError> {
    let to = customer(merchant, sold)?.expose().to_owned();
    let (app, name, currency) = (app.clone(), merchant.name.clone(), merchant.currency);
    let (what, title) = (what(sold), title(sold));
    Ok(Box::new(move |invoice| {
        let text = format!(
            "A part of your payment for {what} arrived: {missing} are still missing. Send the \
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

/// What was bought, with how many of each.
fn what(due: &Due) -> String {
    let lines = due.lines.iter();
    listed(lines.map(|line| (line.quantity, line.title.as_str())))
}

fn listed<'a>(lines: impl Iterator<Item = (u32, &'a str)>) -> String {
    let lines = lines.map(|(quantity, title)| format!("{quantity} x {title}"));
    lines.collect::<Vec<_>>().join(", ")
}

/// What a purchase is called in few words.
fn title(due: &Due) -> String {
    match &due.lines[..] {
        [] => String::new(),
        [one] => one.title.clone(),
        [first, others @ ..] => format!("{} and {} more", first.title, others.len()),
    }
}

/// The money is there, and too little of what was bought.
pub(super) fn short(app: &App, merchant: &Merchant, due: &Due) -> Result<Post, ApiError> {
    let to = customer(merchant, due)?;
    let text = format!(
        "Your payment for {what} arrived, and there is not enough in stock at this \
         moment.\n\nIt is sent to you as soon as there is; {name} was told. Where it stands:\n\
         {origin}{path}\n",
        what = what(due),
        name = merchant.name,
        origin = app.origin,
        path = invoice_path(app, due.invoice.id),
    );
    let subject = format!("Your purchase of {} is waiting", title(due));
    Ok(post(app, to.expose(), subject, text))
}

/// Money went back. How much, the page says: it may be more by the time that this is read.
pub(super) fn refunded(app: &App, merchant: &Merchant, sold: &Due) -> Result<Post, ApiError> {
    let to = customer(merchant, sold)?;
    let text = format!(
        "{name} gave you money back for {what}. How much, and where your invoice \
         stands:\n{origin}{path}\n\nIf it has not reached you yet, ask {name}.\n",
        what = what(sold),
        name = merchant.name,
        origin = app.origin,
        path = invoice_path(app, sold.invoice.id),
    );
    let subject = format!("Money back for {}", title(sold));
    Ok(post(app, to.expose(), subject, text))
}

/// A payment did not come after all.
pub(super) fn reversed(app: &App, merchant: &Merchant, sold: &Due) -> Result<Post, ApiError> {
    let to = customer(merchant, sold)?;
    let text = format!(
        "A payment for {what} was taken back, so it does not count any more. Where your \
         invoice stands:\n{origin}{path}\n\nIf you did not take it back, ask {name}.\n",
        what = what(sold),
        name = merchant.name,
        origin = app.origin,
        path = invoice_path(app, sold.invoice.id),
    );
    let subject = format!("Your payment for {} was taken back", title(sold));
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
