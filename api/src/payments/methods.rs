//! `GET` and `PUT /dev/v1/payment-methods`: in which coins the merchant takes money, and how.
//!
//! Invoices keep what they were opened with, so a change of instructions never misleads somebody who is
//! about to pay. A network is asked before its token is taken, so an address on the wrong one is found by the
//! merchant and not by somebody who pays.

use std::collections::BTreeSet;

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    chains::{Account, CONFIRMATIONS_MAX, DECIMALS_MAX, EvmAddress, Token},
    ids::MerchantId,
    payments::{Access, COIN_CHARS_MAX, Coin, Deposits, METHODS_MAX, Method, ProviderKind},
};
use persistence::payments;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::btcpay::{Given, MASK, store};
use crate::{
    auth::member::{Member, Owner, OwnerSteppedUp},
    error::ApiError,
    extract::Once,
    state::App,
    wire::{answer::Answer, fields::Object, texts::lines},
};

const INSTRUCTIONS_CHARS_MAX: usize = 2000;
/// Blocks that follow a payment, where the merchant does not say how many.
const CONFIRMATIONS: u16 = 12;

#[derive(Serialize, ToSchema)]
#[schema(as = PaymentMethod)]
pub(crate) struct MethodView {
    coin: String,
    provider: &'static str,
    enabled: bool,
    instructions: String,
    xpub: Option<String>,
    network: Option<String>,
    token: Option<String>,
    confirmations: Option<u16>,
    url: Option<String>,
    store_id: Option<String>,
    /// Asterisks, if there is one.
    webhook_secret: Option<&'static str>,
}

/// All methods there are to be, in the order in which they are shown.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplaceMethods {
    #[schema(value_type = Vec<ReplaceMethod>, max_items = 20)]
    methods: Vec<Object<ReplaceMethod>>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReplaceMethod {
    coin: String,
    provider: String,
    enabled: Option<bool>,
    /// What whoever pays is told; `manual` must have it.
    instructions: Option<String>,
    /// Of `evm_erc20`: the public key of an account, from which the address of each invoice is derived.
    xpub: Option<String>,
    /// One of the networks that this installation watches.
    network: Option<String>,
    /// Of `evm_erc20` the contract of a token that is worth one unit of your currency; of `btcpay` the key of
    /// your server, which is kept if it is left out.
    token: Option<String>,
    /// In how many blocks a payment is final, its own among them; 12 if it is left out.
    #[schema(minimum = 1, maximum = 256)]
    confirmations: Option<u16>,
    /// Of `btcpay`: where your server is.
    url: Option<String>,
    /// What your server calls the store.
    store_id: Option<String>,
    /// With which your server signs what it sends to `/hooks/btcpay/{mer}`; kept if it is left out.
    webhook_secret: Option<String>,
}

pub(crate) async fn get(
    State(app): State<App>,
    Owner(member): Owner,
) -> Result<Answer<Vec<MethodView>>, ApiError> {
    shown(&app, &member).await
}

pub(crate) async fn replace(
    State(app): State<App>,
    OwnerSteppedUp(member): OwnerSteppedUp,
    once: Once<ReplaceMethods>,
) -> Result<Response, ApiError> {
    once.run(app, member, answer).await
}

async fn answer(app: App, member: Member, wire: ReplaceMethods) -> Result<Response, ApiError> {
    let (merchant, actor) = (member.merchant.id, member.actor());
    let methods = wire.into_methods(&app, merchant).await?;
    payments::replace(&app.database, merchant, methods, actor, app.now()).await?;
    let answer = shown(&app, &member).await;
    Ok(answer.map_err(ApiError::after_change)?.into_response())
}

async fn shown(app: &App, member: &Member) -> Result<Answer<Vec<MethodView>>, ApiError> {
    let methods = payments::list(&app.database, member.merchant.id, false).await?;
    let views = methods.into_iter().map(MethodView::of);
    Ok(Answer::ok(views.collect()))
}

impl MethodView {
    fn of(method: Method) -> Self {
        let provider = method.provider().name();
        let (deposits, store) = match method.access {
            Access::Manual => (None, None),
            Access::EvmErc20(deposits) => (Some(deposits), None),
            Access::Btcpay(store) => (None, Some(store)),
        };
        let token = deposits.as_ref().map(|deposits| &deposits.token);
        let contract = token.map(|token| token.contract.to_string());
        let secret = store.as_ref().and_then(|store| store.notices.as_ref());
        Self {
            coin: method.coin.to_string(),
            provider,
            enabled: method.enabled,
            instructions: method.instructions,
            xpub: deposits.as_ref().map(|one| one.account.text().to_owned()),
            network: token.map(|token| token.network.clone()),
            token: contract.or(store.as_ref().map(|_| MASK.to_owned())),
            confirmations: token.map(|token| token.confirmations),
            url: store.as_ref().map(|store| store.url.clone()),
            webhook_secret: secret.map(|_| MASK),
            store_id: store.map(|store| store.name),
        }
    }
}

impl ReplaceMethods {
    async fn into_methods(self, app: &App, merchant: MerchantId) -> Result<Vec<Method>, ApiError> {
        if self.methods.len() > METHODS_MAX {
            let message = format!("must be at most {METHODS_MAX} methods");
            return Err(ApiError::field("methods", message));
        }
        let mut coins = BTreeSet::new();
        for Object(one) in &self.methods {
            if !coins.insert(coin(&one.coin)?) {
                return Err(ApiError::field("methods", "must name each coin once"));
            }
        }
        let before = payments::list(&app.database, merchant, false).await?;
        let mut methods = Vec::with_capacity(self.methods.len());
        for Object(one) in self.methods {
            methods.push(one.into_method(app, &before).await?);
        }
        Ok(methods)
    }
}

impl ReplaceMethod {
    async fn into_method(self, app: &App, before: &[Method]) -> Result<Method, ApiError> {
        let instructions = self.instructions.clone();
        let instructions = lines(instructions, "instructions", INSTRUCTIONS_CHARS_MAX)?;
        let (coin, enabled) = (coin(&self.coin)?, self.enabled.unwrap_or(true));
        let (access, instructions) = match ProviderKind::parse(&self.provider) {
            None => return Err(no_provider()),
            Some(ProviderKind::Manual) => {
                self.has_no(&[
                    "xpub",
                    "network",
                    "token",
                    "confirmations",
                    "url",
                    "store_id",
                ])?;
                let empty = || ApiError::field("instructions", "must not be empty");
                (Access::Manual, instructions.ok_or_else(empty)?)
            }
            Some(ProviderKind::Btcpay) => {
                self.has_no(&["xpub", "network", "confirmations"])?;
                let mut stores = before.iter().filter_map(|method| match &method.access {
                    Access::Btcpay(store) if method.coin == coin => Some(&**store),
                    Access::Btcpay(_) | Access::Manual | Access::EvmErc20(_) => None,
                });
                let store = store(app, self.given(), stores.next()).await?;
                (
                    Access::Btcpay(Box::new(store)),
                    instructions.unwrap_or_default(),
                )
            }
            Some(ProviderKind::EvmErc20) => {
                self.has_no(&["url", "store_id"])?;
                let deposits = self.deposits(app).await?;
                (
                    Access::EvmErc20(Box::new(deposits)),
                    instructions.unwrap_or_default(),
                )
            }
        };
        Ok(Method {
            coin,
            enabled,
            instructions,
            access,
        })
    }

    /// Fields of other providers say that something else was meant.
    fn has_no(&self, others: &[&'static str]) -> Result<(), ApiError> {
        let given = |field: &str| match field {
            "xpub" => self.xpub.is_some(),
            "network" => self.network.is_some(),
            "token" => self.token.is_some(),
            "confirmations" => self.confirmations.is_some(),
            "url" => self.url.is_some(),
            _ => self.store_id.is_some(),
        };
        match others.iter().find(|field| given(field)) {
            Some(field) => Err(ApiError::field(*field, "is not of this provider")),
            None => Ok(()),
        }
    }

    fn given(self) -> Given {
        Given {
            url: self.url,
            store_id: self.store_id,
            token: self.token,
            webhook_secret: self.webhook_secret,
        }
    }

    /// The account and the token, as the network knows it.
    async fn deposits(self, app: &App) -> Result<Deposits, ApiError> {
        let account = self.xpub.as_deref().and_then(Account::parse);
        let account = account.ok_or_else(|| {
            ApiError::field("xpub", "must be the public key of an account, as `xpub...`")
        })?;
        let chain = self
            .network
            .as_deref()
            .and_then(|name| app.chains.find(name));
        let chain = chain.ok_or_else(|| {
            let message = match app.chains.names() {
                none if none.is_empty() => "must be watched here, and no network is".to_owned(),
                names => format!("must be one of {names}"),
            };
            ApiError::field("network", message)
        })?;
        let contract = self.token.as_deref().and_then(EvmAddress::parse);
        let contract = contract.ok_or_else(|| {
            ApiError::field(
                "token",
                "must be the address of a contract, with its checksum",
            )
        })?;
        let confirmations = self.confirmations.unwrap_or(CONFIRMATIONS);
        if !(1..=CONFIRMATIONS_MAX).contains(&confirmations) {
            let message = format!("must be 1 to {CONFIRMATIONS_MAX}");
            return Err(ApiError::field("confirmations", message));
        }
        let known = chain.node.decimals(contract).await?;
        let decimals = known.filter(|decimals| *decimals <= DECIMALS_MAX);
        let decimals = decimals.ok_or_else(|| ApiError::field("token", "is no token there"))?;
        let (chain_id, head) = (chain.node.chain_id().await?, chain.node.head().await?);
        payments::begin_cursor(&app.database, &chain.network, head, app.now()).await?;
        Ok(Deposits {
            account,
            token: Token {
                network: chain.network.clone(),
                chain_id,
                contract,
                decimals,
                confirmations,
            },
        })
    }
}

fn no_provider() -> ApiError {
    let all: Vec<_> = ProviderKind::ALL
        .iter()
        .map(|kind| format!("`{}`", kind.name()))
        .collect();
    ApiError::field("provider", format!("must be {}", all.join(" or ")))
}

/// A coin as it is written, in any case.
pub(crate) fn coin(text: &str) -> Result<Coin, ApiError> {
    Coin::parse(text).ok_or_else(|| {
        let message = format!("must be 1 to {COIN_CHARS_MAX} letters, digits, `-` or `_`");
        ApiError::field("coin", message)
    })
}
