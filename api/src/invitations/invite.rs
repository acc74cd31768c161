//! `POST /dev/v1/resellers/invite`: offer somebody to join the program, with terms, by mail.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    catalog::Edit,
    fulfillments::Email,
    ids::{InvitationId, ProductId, RelationshipId},
    invitations::{VALID_DAYS, VALID_DAYS_DEFAULT},
    money::Currency,
    relationships::{Change, random_code},
};
use persistence::invitations::{self, NewInvitation, NotInvited};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Invited, Link, Occasion};
use crate::{
    auth::{MerchantKey, scope::ResellersWrite},
    error::{ApiError, Code},
    extract::Once,
    layers::rate_limit,
    relationships::{
        mode,
        terms::{self, GrantAccess, NAME_CHARS_MAX},
    },
    state::App,
    wire::{
        answer::Answer,
        fields::{Object, Text, Whole},
        money::Amount,
        percent,
        texts::{line, lines, word},
    },
};

const MESSAGE_CHARS_MAX: usize = 1000;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InviteReseller {
    #[schema(value_type = String)]
    email: Text<Email>,
    name: Option<String>,
    message: Option<String>,
    mode: Option<String>,
    custom_commission_percent: Option<Amount>,
    custom_wholesale_discount_percent: Option<Amount>,
    purchase_limit_daily: Option<Amount>,
    purchase_limit_monthly: Option<Amount>,
    #[schema(value_type = Option<Vec<String>>, max_items = 500)]
    product_ids: Option<Vec<Text<ProductId>>>,
    #[schema(value_type = Option<Vec<GrantAccess>>, max_items = 500)]
    product_access: Option<Vec<Object<GrantAccess>>>,
    expires_in_days: Option<Whole>,
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellersWrite>,
    once: Once<InviteReseller>,
) -> Result<Response, ApiError> {
    once.run(app, caller, answer).await
}

async fn answer(
    app: App,
    caller: MerchantKey<ResellersWrite>,
    wire: InviteReseller,
) -> Result<Response, ApiError> {
    let (now, link) = (app.now(), Link::new(&app));
    let new = wire.into_new(&app, &caller, &link)?;
    if !app.invitations.take(&new.email, now) {
        return Err(rate_limit::too_many_sign_ins(now));
    }
    let (vault, mail) = (app.engine.vault(), new.post.id);
    let who = (caller.merchant_id(), caller.actor());
    let invited = invitations::invite(&app.database, vault, who, new, now).await?;
    let invitation = invited.map_err(refusal)?;
    app.mail_queued.notify_one();
    let told = Invited::of(&invitation, Some(&link), mail, now);
    let kept = Invited::of(&invitation, None, mail, now);
    Ok(Answer::created(told).kept_as(kept).into_response())
}

fn refusal(refused: NotInvited) -> ApiError {
    match refused {
        NotInvited::ProgramDisabled => ApiError::saying(
            Code::ProgramDisabled,
            "The reseller program is switched off: switch it on first.",
        ),
        NotInvited::Member => ApiError::field("email", "must not be a member of this merchant"),
        NotInvited::EmailTaken => ApiError::saying(
            Code::AlreadyExists,
            "Somebody with this address is in the program, or invited already.",
        )
        .detail("email", "is taken"),
        // Nobody chose it: the next one will be free.
        NotInvited::CodeTaken => ApiError::new(Code::Overloaded),
        NotInvited::UnknownWare(ware) => terms::unknown_ware(ware),
        NotInvited::Bounds(ware) => terms::bounds(ware),
    }
}

impl InviteReseller {
    fn into_new(
        self,
        app: &App,
        caller: &MerchantKey<ResellersWrite>,
        link: &Link,
    ) -> Result<NewInvitation, ApiError> {
        let (now, random) = (app.now(), &**app.engine.random());
        let (email, message) = (self.email.0.as_str().to_owned(), self.message.clone());
        let message = lines(message, "message", MESSAGE_CHARS_MAX)?;
        let days = days(self.expires_in_days)?;
        let terms = self.into_terms(caller.currency())?;
        let occasion = Occasion {
            merchant: &caller.merchant().name,
            email: &email,
            message: message.as_deref(),
            days,
        };
        Ok(NewInvitation {
            id: InvitationId::generate(now, random),
            relationship: RelationshipId::generate(now, random),
            token: link.digest(),
            code: random_code(random),
            post: link.post(app, &occasion),
            terms,
            message,
            valid_days: days,
            email,
        })
    }

    fn into_terms(self, currency: Currency) -> Result<Change, ApiError> {
        let limit = |sent: Option<Amount>, field| match sent {
            None => Ok(Edit::Keep),
            Some(amount) => amount.read(currency, field).map(Edit::Set),
        };
        let percentage = |sent: Option<Amount>, field| match sent {
            None => Ok(Edit::Keep),
            Some(amount) => percent::read(&amount, field).map(Edit::Set),
        };
        Ok(Change {
            name: line(self.name, "name", NAME_CHARS_MAX)?,
            mode: word(self.mode, "mode", mode)?,
            commission: percentage(self.custom_commission_percent, "custom_commission_percent")?,
            discount: percentage(
                self.custom_wholesale_discount_percent,
                "custom_wholesale_discount_percent",
            )?,
            purchase_limit_daily: limit(self.purchase_limit_daily, "purchase_limit_daily")?,
            purchase_limit_monthly: limit(self.purchase_limit_monthly, "purchase_limit_monthly")?,
            access: terms::access(self.product_ids, self.product_access, currency)?,
            ..Change::default()
        })
    }
}

fn days(sent: Option<Whole>) -> Result<u16, ApiError> {
    let Some(Whole(days)) = sent else {
        return Ok(VALID_DAYS_DEFAULT);
    };
    let days = u16::try_from(days).ok();
    let days = days.filter(|days| VALID_DAYS.contains(days));
    days.ok_or_else(|| ApiError::field("expires_in_days", "must be from 1 to 90"))
}
