//! A transaction that is said to have paid a payout is looked for on its chain, if that is watched.
//!
//! Keeps: a hash that paid somebody else, or something else, completes nothing where the chain can be asked;
//! where it cannot, the hash is stored as what nobody looked at.

use std::sync::Arc;

use engine::{
    chains::Token,
    ids::MerchantId,
    money::Currency,
    payments::Access,
    payouts::{Payout, Status, Unpaid, chain, paid},
    programs::PayoutAsset,
};
use persistence::{payments as stored, payouts::Verb};

use crate::{
    error::{ApiError, Code},
    payments::chains::Chain,
    state::App,
    wire::money::MoneyText,
};

/// The completion of a payout, with what its chain says of it.
pub(super) async fn checked(
    app: &App,
    payout: &Payout,
    currency: Currency,
    verb: Verb,
) -> Result<Verb, ApiError> {
    let Verb::Complete {
        tx_hash: Some(hash),
        asset_amount,
        ..
    } = &verb
    else {
        return Ok(verb);
    };
    if payout.status != Status::Approved {
        return Ok(verb);
    }
    let Some((chain, token)) = watched(app, payout.merchant, &payout.to).await? else {
        return Ok(verb);
    };
    let transaction = chain.transaction(hash).await?;
    let found = paid(payout, (&token, currency), transaction.as_ref());
    let sent = found.map_err(|unpaid| refusal(unpaid, currency))?;
    let sent = MoneyText(currency, sent).to_string();
    Ok(Verb::Complete {
        tx_hash: Some(hash.clone()),
        verified: true,
        asset_amount: Some(asset_amount.clone().unwrap_or(sent)),
    })
}

/// The token that is meant, and where to ask for it: the merchant's own method on that network whose coin is
/// the asset, by itself or with the network's name behind it.
async fn watched(
    app: &App,
    merchant: MerchantId,
    to: &PayoutAsset,
) -> Result<Option<(Arc<Chain>, Token)>, ApiError> {
    let asset = to.asset.to_ascii_uppercase();
    let named = |coin: &str| {
        coin.strip_prefix(&asset)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    for method in stored::list(&app.database, merchant, false).await? {
        let Access::EvmErc20(deposits) = method.access else {
            continue;
        };
        let token = deposits.token;
        let same = chain(&token.network) == chain(&to.network);
        if let Some(watched) = app.chains.find(&token.network)
            && same
            && named(method.coin.as_str())
        {
            return Ok(Some((Arc::clone(watched), token)));
        }
    }
    Ok(None)
}

fn refusal(unpaid: Unpaid, currency: Currency) -> ApiError {
    let differs = match unpaid {
        Unpaid::Missing => "is in no block of this network".to_owned(),
        Unpaid::Failed => "is that of a transaction that failed".to_owned(),
        Unpaid::OtherToken => "sent nothing of this asset".to_owned(),
        Unpaid::OtherRecipient => "sent nothing to the payout's address".to_owned(),
        Unpaid::Less(sent) => format!("sent {} only", MoneyText(currency, sent)),
        Unpaid::NotFinal {
            depth,
            confirmations,
        } => {
            let said = "The transaction is not deep enough yet: repeat the same request later.";
            let error = ApiError::saying(Code::InvalidState, said);
            let error = error.detail("confirmations", depth.to_string());
            return error.detail("confirmations_needed", confirmations.to_string());
        }
    };
    ApiError::field("tx_hash", differs)
}
