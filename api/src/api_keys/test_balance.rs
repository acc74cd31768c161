//! What keys of test mode spend: ten thousand of the currency at first, in a balance of their own.

use engine::{
    balances::{Credit, EntryKind},
    ids::{MerchantId, RelationshipId},
    money::Currency,
};
use persistence::relationships::find::find_scope;

use crate::{
    error::{ApiError, Code},
    state::App,
};

const AMOUNT: &str = "10000";
/// The same for every key, so that the balance is filled once.
const REFERENCE: &str = "consign:test";

/// Fills the test balance of a relationship, if it was not filled before.
pub(super) async fn fill(
    app: &App,
    (merchant, currency): (MerchantId, Currency),
    relationship: RelationshipId,
) -> Result<(), ApiError> {
    let scope = find_scope(&app.database, merchant, relationship, true).await?;
    let scope = scope.ok_or_else(|| ApiError::new(Code::InternalError))?;
    let amount = currency.parse_amount(AMOUNT).ok();
    let credit = Credit {
        balance: scope.balance,
        kind: EntryKind::Credit,
        reference: REFERENCE.to_owned(),
        amount: amount.ok_or_else(|| ApiError::new(Code::InternalError))?,
        description: "Test balance".to_owned(),
        label: "PROMO".to_owned(),
        by: None,
    };
    app.engine.credit(scope, credit).await?;
    Ok(())
}
