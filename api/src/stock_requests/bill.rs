//! In what a purchase may be paid.

use engine::{
    catalog::Sku,
    fulfillments::Refusal,
    ids::{InvoiceId, MerchantId, StockRequestId, WithdrawalId},
    inventory::{Reservation, ReserveCall, Reserved},
    money::{Currency, Money},
    payments::{Coin, Method},
    stock_requests::{BALANCE, Bill, INVOICE_HOURS, RequestedBy},
};
use persistence::{payments, stock_requests::Billing};

use crate::{error::ApiError, payments::open, state::App};

/// Where the money is to come from.
pub(super) enum Payable {
    Balance,
    Elsewhere(Box<Method>),
}

/// How a purchase is paid in this coin, or in the merchant's first; by the balance if there is none.
pub(super) async fn payable(
    app: &App,
    merchant: MerchantId,
    coin: Option<Coin>,
) -> Result<Payable, ApiError> {
    if coin.as_ref().is_some_and(|coin| coin.as_str() == BALANCE) {
        return Ok(Payable::Balance);
    }
    let mut offered = payments::list(&app.database, merchant, true)
        .await?
        .into_iter();
    let method = match coin {
        None => offered.next(),
        Some(coin) => {
            let method = offered.find(|method| method.coin == coin);
            let not_offered = || ApiError::field("coin", "is not offered by this merchant");
            Some(method.ok_or_else(not_offered)?)
        }
    };
    Ok(method.map_or(Payable::Balance, |method| {
        Payable::Elsewhere(Box::new(method))
    }))
}

/// Opens the invoice of a purchase whose units are kept: nobody else is asked for one before.
pub(super) async fn billing(
    app: &App,
    currency: Currency,
    (id, total): (StockRequestId, Money),
    method: Method,
) -> Result<Billing, ApiError> {
    let pay = open(app, &method, (currency, total, INVOICE_HOURS * 60)).await?;
    Ok(Billing {
        bill: Bill {
            // One request has one invoice: it is the request, under another prefix.
            id: InvoiceId::from_uuid(id.uuid()),
            provider: method.provider(),
            pay,
            coin: method.coin,
            invoice: None,
        },
        access: method.access,
    })
}

/// Keeps the units of a purchase for it, as long as its invoice waits for money and until they are given out. To
/// which its merchant said yes, that may be all there are; what a reseller asks for by itself is out of the
/// share of those who have not paid.
pub(super) async fn keep(
    app: &App,
    (merchant, currency): (MerchantId, Currency),
    (id, sku, quantity): (WithdrawalId, Sku, u32),
    by: RequestedBy,
) -> Result<Reservation, ApiError> {
    let call = ReserveCall {
        id,
        merchant,
        sku,
        quantity,
    };
    let reserved = match by {
        RequestedBy::Merchant => app.engine.reserve(call).await?,
        RequestedBy::Reseller => app.engine.reserve_unpaid(call).await?,
    };
    match reserved {
        Reserved::Held(kept) => Ok(kept),
        Reserved::OutOfStock => Err(out_of_stock(sku, currency)),
    }
}

/// Nobody is to ask for what is not there.
pub(super) async fn in_stock(
    app: &App,
    (merchant, currency): (MerchantId, Currency),
    (sku, quantity): (Sku, u32),
) -> Result<(), ApiError> {
    let stock = app.engine.stock(merchant, sku).await?;
    if stock.available >= u64::from(quantity) {
        return Ok(());
    }
    Err(out_of_stock(sku, currency))
}

fn out_of_stock(sku: Sku, currency: Currency) -> ApiError {
    let product = sku.product;
    let refusal = Refusal::OutOfStock { product };
    ApiError::from_engine(refusal.into(), currency)
}
