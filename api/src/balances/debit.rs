//! `POST /dev/v1/resellers/{id}/balance/debit`: take money out of a balance, once per reference.
//!
//! What is taken is held like an order's cost, so it is never money that an order spends meanwhile.

use axum::{extract::State, response::Response};
use engine::{
    audit::Actor,
    balances::{Cover, Credit, EntryKind},
    engine::{Credited, Debited},
    ids::RelationshipId,
    money::{Currency, Money},
    relationships::RelationshipScope,
};

use super::{
    credit::{CreditBalance, told},
    owner::scope_of,
};
use crate::{
    auth::{MerchantKey, scope::BalanceWrite},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::money::MoneyText,
};

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<BalanceWrite>,
    PathIds(relationship): PathIds<RelationshipId>,
    once: Once<CreditBalance>,
) -> Result<Response, ApiError> {
    let work = move |app, caller, wire| debit(app, caller, relationship, wire);
    once.run(app, caller, work).await
}

async fn debit(
    app: App,
    caller: MerchantKey<BalanceWrite>,
    relationship: RelationshipId,
    wire: CreditBalance,
) -> Result<Response, ApiError> {
    let currency = caller.currency();
    let scope = scope_of(&app, caller.merchant_id(), relationship).await?;
    let debit = wire.into_debit(scope, currency, caller.actor())?;
    let amount = debit.amount;
    match app.engine.debit(scope, debit, Cover::Whole).await? {
        Debited::Fresh(entry) => {
            let entered = Credited::Fresh(entry);
            told(&app, (scope, currency), amount, entered).await
        }
        Debited::Replayed(entry) => {
            let entered = Credited::Replayed(entry);
            told(&app, (scope, currency), amount, entered).await
        }
        Debited::Short { available } => Err(short(currency, -amount, available)),
        Debited::Running => Err(ApiError::saying(
            Code::RequestInProgress,
            "This reference is being debited.",
        )),
    }
}

fn short(currency: Currency, required: Money, available: Money) -> ApiError {
    let text = |amount| MoneyText(currency, amount).to_string();
    let (required, available, code) = (text(required), text(available), currency.code());
    let message =
        format!("Required {required} {code}, available {available} {code}. Nothing was debited.");
    ApiError::saying(Code::InsufficientBalance, message)
        .detail("required", required)
        .detail("available", available)
}

impl CreditBalance {
    fn into_debit(
        self,
        scope: RelationshipScope,
        currency: Currency,
        by: Actor,
    ) -> Result<Credit, ApiError> {
        let credit = self.into_credit(scope, currency, by)?;
        Ok(Credit {
            kind: EntryKind::Debit,
            amount: -credit.amount,
            ..credit
        })
    }
}
