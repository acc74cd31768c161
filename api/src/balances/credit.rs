//! `POST /dev/v1/resellers/{id}/balance/credit`: add money to a balance, once per reference.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    audit::Actor,
    balances::{Credit, CreditEntry, EntryKind},
    engine::Credited,
    ids::RelationshipId,
    money::{Currency, Money},
    relationships::RelationshipScope,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{entry::Entry, owner::scope_of};
use crate::{
    auth::{MerchantKey, scope::BalanceWrite},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{
        answer::Answer,
        money::{Amount, CurrencyCode, MoneyText},
        texts,
    },
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreditBalance {
    amount: Amount,
    #[serde(rename = "type")]
    label: String,
    description: String,
    reference: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct CreditedBalance {
    transaction_id: String,
    amount: MoneyText,
    currency: CurrencyCode,
    new_balance: MoneyText,
    available_balance: MoneyText,
    entry: Entry,
}

const LABELS: [&str; 4] = ["PROMO", "CORRECTION", "REFUND", "WITHDRAWAL"];
const DESCRIPTION_CHARS_MAX: usize = 500;

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<BalanceWrite>,
    PathIds(relationship): PathIds<RelationshipId>,
    once: Once<CreditBalance>,
) -> Result<Response, ApiError> {
    let work = move |app, caller, wire| credit(app, caller, relationship, wire);
    once.run(app, caller, work).await
}

async fn credit(
    app: App,
    caller: MerchantKey<BalanceWrite>,
    relationship: RelationshipId,
    wire: CreditBalance,
) -> Result<Response, ApiError> {
    let (merchant, currency) = (caller.merchant_id(), caller.currency());
    let scope = scope_of(&app, merchant, relationship).await?;
    let credit = wire.into_credit(scope, currency, caller.actor())?;
    let amount = credit.amount;
    let entered = app.engine.credit(scope, credit).await?;
    told(&app, (scope, currency), amount, entered).await
}

/// The answer to a credit or a debit of this amount that is in the ledger.
pub(super) async fn told(
    app: &App,
    (scope, currency): (RelationshipScope, Currency),
    amount: Money,
    entered: Credited,
) -> Result<Response, ApiError> {
    match entered {
        Credited::Fresh(committed) => {
            let answer = answer(app, scope, currency, &committed).await?;
            Ok(Answer::created(answer).into_response())
        }
        Credited::Replayed(stored) if stored.credit.amount == amount => {
            let answer = answer(app, scope, currency, &stored).await?;
            Ok(Answer::replayed(answer).into_response())
        }
        Credited::Replayed(stored) => {
            let (did, thing) = if stored.credit.kind.takes() {
                ("debited", "debit")
            } else {
                ("credited", "credit")
            };
            let said =
                format!("This reference was {did} with another amount. Nothing was changed.");
            let error = ApiError::saying(Code::AlreadyExists, said);
            Err(error.detail("reference", format!("belongs to another {thing}")))
        }
    }
}

async fn answer(
    app: &App,
    scope: RelationshipScope,
    currency: Currency,
    committed: &CreditEntry,
) -> Result<CreditedBalance, ApiError> {
    // The credit is in the ledger, whatever becomes of this answer.
    let balance = app.engine.balance(scope).await;
    let balance = balance.map_err(|fault| ApiError::from(fault).after_change())?;
    let available = balance.available();
    let money = |amount| MoneyText(currency, amount);
    Ok(CreditedBalance {
        transaction_id: committed.stamp.id.to_string(),
        amount: money(committed.credit.amount),
        currency: CurrencyCode(currency),
        new_balance: money(committed.stamp.balance_after),
        available_balance: money(available),
        entry: Entry::of_credit(committed, currency),
    })
}

impl CreditBalance {
    pub(super) fn into_credit(
        self,
        scope: RelationshipScope,
        currency: Currency,
        by: Actor,
    ) -> Result<Credit, ApiError> {
        let amount = self.amount.read(currency, "amount")?;
        if amount <= Money::ZERO {
            return Err(ApiError::field("amount", "must be above zero"));
        }
        let label = self.label.trim().to_ascii_uppercase();
        if !LABELS.contains(&label.as_str()) {
            return Err(ApiError::field(
                "type",
                "must be PROMO, CORRECTION, REFUND or WITHDRAWAL",
            ));
        }
        let description = texts::one_line(self.description, "description", DESCRIPTION_CHARS_MAX)?;
        let reference = texts::one_line(self.reference, "reference", texts::REFERENCE_CHARS_MAX)?;
        Ok(Credit {
            balance: scope.balance,
            kind: EntryKind::Credit,
            reference,
            amount,
            description,
            label,
            by: Some(by),
        })
    }
}
