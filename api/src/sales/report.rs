//! `POST /dev/v1/resellers/sales`: the merchant's own shop reports a sale with the token that the customer
//! came with.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    clock::Timestamp,
    fulfillments::Email,
    ids::{InvoiceId, MerchantId, ProductId, SaleId, VariantId},
    links::Attribution,
    money::Currency,
    sales::{QUANTITY_MAX, Reported, Sale},
};
use persistence::sales::report::{Outcome, report};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::SaleView;
use crate::{
    auth::{MerchantKey, scope::ResellersWrite},
    error::{ApiError, Code},
    extract::Once,
    state::App,
    wire::{answer::Answer, fields::Whole, money::Amount, texts, time},
};

const INVOICE_CHARS_MAX: usize = 128;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReportSale {
    /// The `consign_ref` that the customer came with.
    attribution_token: String,
    /// Your own id of the invoice: it is reported once.
    external_invoice_id: String,
    product_id: String,
    variant_id: Option<String>,
    quantity: Whole,
    /// Of the whole line, with the tax in it, before the discount.
    amount: Amount,
    discount: Option<Amount>,
    tax: Option<Amount>,
    customer_email: Option<String>,
    /// Now, if it is not sent.
    sold_at: Option<String>,
}

/// A sale that was attributed.
#[derive(Serialize, ToSchema)]
pub(crate) struct AttributedSale {
    attributed: bool,
    #[serde(flatten)]
    sale: SaleView,
}

/// A sale that is no reseller's: nothing is stored.
#[derive(Serialize, ToSchema)]
pub(crate) struct UnattributedSale {
    attributed: bool,
    reason: &'static str,
}

/// What is told of a report that stored nothing.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(
    dead_code,
    reason = "each form is answered by itself; together they are described"
)]
pub(crate) enum ToldSale {
    Attributed(Box<AttributedSale>),
    Unattributed(UnattributedSale),
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellersWrite>,
    once: Once<ReportSale>,
) -> Result<Response, ApiError> {
    once.run(app, caller, answer).await
}

async fn answer(
    app: App,
    caller: MerchantKey<ResellersWrite>,
    wire: ReportSale,
) -> Result<Response, ApiError> {
    let (currency, now) = (caller.currency(), app.now());
    let clicked = Attribution::read(&wire.attribution_token, app.engine.vault());
    let id = SaleId::generate(now, &**app.engine.random());
    let read = wire.read(caller.merchant_id(), currency, now)?;
    let reported = Reported {
        id,
        clicked,
        ..read
    };
    let sent = reported.clone();
    let random = Arc::clone(app.engine.random());
    let by = (caller.actor(), now);
    let shown = |sale: &Sale| AttributedSale {
        attributed: true,
        sale: SaleView::of(sale, currency),
    };
    Ok(match report(&app.database, random, reported, by).await? {
        Outcome::Fresh(sale) => Answer::created(shown(&sale)).into_response(),
        Outcome::Known(sale) if sale.is_said_by(&sent) => {
            Answer::replayed(shown(&sale)).into_response()
        }
        Outcome::Known(_) => return Err(otherwise()),
        Outcome::Unattributed(why) => Answer::ok(UnattributedSale {
            attributed: false,
            reason: why.name(),
        })
        .into_response(),
        Outcome::UnknownProduct => return Err(ApiError::new(Code::NotFound)),
        Outcome::TooLarge => return Err(ApiError::field("amount", "earns more than can be kept")),
    })
}

fn otherwise() -> ApiError {
    ApiError::saying(
        Code::AlreadyExists,
        "This invoice was reported with other contents. Nothing was changed.",
    )
    .detail("external_invoice_id", "belongs to another sale")
}

impl ReportSale {
    /// All that the body says; what it does not is set by the caller.
    fn read(
        self,
        merchant: MerchantId,
        currency: Currency,
        now: Timestamp,
    ) -> Result<Reported, ApiError> {
        let money = |sent: &Option<Amount>, field| {
            let read = sent.as_ref().map(|amount| amount.read(currency, field));
            Ok::<_, ApiError>(read.transpose()?.unwrap_or_default())
        };
        let amount = self.amount.read(currency, "amount")?;
        let discount = money(&self.discount, "discount")?;
        let tax = money(&self.tax, "tax")?;
        let paid = amount.checked_sub(discount).unwrap_or_default();
        if discount > amount {
            return Err(ApiError::field("discount", "must not be above the amount"));
        }
        if tax > paid {
            return Err(ApiError::field("tax", "must not be above what was paid"));
        }
        if !(1..=QUANTITY_MAX).contains(&self.quantity.0) {
            return Err(ApiError::field("quantity", "must be 1 to 100000"));
        }
        let nothing = uuid::Uuid::nil();
        let product = ProductId::parse(&self.product_id);
        let variant = self.variant_id.as_deref().map(|id| {
            let variant = VariantId::parse(id);
            variant.unwrap_or(VariantId::from_uuid(nothing))
        });
        Ok(Reported {
            id: SaleId::from_uuid(nothing),
            merchant,
            invoice: own_invoice(self.external_invoice_id)?,
            billed: None,
            product: product.unwrap_or(ProductId::from_uuid(nothing)),
            variant,
            quantity: self.quantity.0,
            amount,
            discount,
            tax,
            customer: self.customer_email.as_deref().map(customer).transpose()?,
            sold_at: sold_at(self.sold_at.as_deref(), now)?,
            clicked: None,
        })
    }
}

/// The merchant's own id of an invoice. What is paid at our own checkout is not reported.
fn own_invoice(sent: String) -> Result<String, ApiError> {
    let field = "external_invoice_id";
    let id = texts::one_line(sent, field, INVOICE_CHARS_MAX)?;
    if InvoiceId::parse(&id).is_some() {
        return Err(ApiError::field(field, "must not be an id of Consign's own"));
    }
    Ok(id)
}

fn customer(sent: &str) -> Result<String, ApiError> {
    let email = Email::parse(sent);
    let email = email.ok_or_else(|| ApiError::field("customer_email", "must be an e-mail address"));
    Ok(email?.as_str().to_owned())
}

fn sold_at(sent: Option<&str>, now: Timestamp) -> Result<Timestamp, ApiError> {
    let Some(sent) = sent else { return Ok(now) };
    let at = time::read(sent).filter(|at| *at <= now);
    at.ok_or_else(|| ApiError::field("sold_at", "must be a time that is not in the future"))
}

#[cfg(test)]
mod tests {
    use engine::{clock::EPOCH, money::Money};

    use super::*;

    #[test]
    fn time_of_a_sale_is_past_or_now() {
        assert_eq!(sold_at(None, EPOCH), Ok(EPOCH));
        assert_eq!(sold_at(Some("1970-01-01T00:00:00Z"), EPOCH), Ok(EPOCH));
        for sent in ["1970-01-01T00:00:00.001Z", "yesterday", ""] {
            assert!(sold_at(Some(sent), EPOCH).is_err(), "{sent}");
        }
    }

    #[test]
    fn amounts_that_contradict_each_other_are_refused() {
        let now = EPOCH;
        let random = engine::random::SeededRandom::new(1);
        let merchant = MerchantId::generate(now, &random);
        let read = |discount: &str, tax: &str| {
            let wire = ReportSale {
                attribution_token: String::new(),
                external_invoice_id: "1".to_owned(),
                product_id: String::new(),
                variant_id: None,
                quantity: Whole(1),
                amount: Amount::new("10.00"),
                discount: Some(Amount::new(discount)),
                tax: Some(Amount::new(tax)),
                customer_email: None,
                sold_at: None,
            };
            wire.read(merchant, Currency::USD, now).map(|read| read.tax)
        };
        assert_eq!(read("4.00", "6.00"), Ok(Money::from_minor(600).unwrap()));
        assert!(read("10.01", "0").is_err());
        assert!(read("4.00", "6.01").is_err());
    }
}
