//! What somebody is offered who comes with a token.

use engine::{
    campaigns::shows,
    embeds::{Subject, Token},
    ids::{CampaignId, ListingId},
};
use persistence::{campaigns, listings};

use crate::{error::ApiError, listings::snippet::TOKEN_VERSION, state::App};

/// The campaign, or none if there is nothing to buy: the token is not of this campaign as it stands, or
/// whose campaign it is may not sell by it now.
pub(crate) async fn campaign(
    app: &App,
    id: CampaignId,
    token: &str,
) -> Result<Option<campaigns::Offer>, ApiError> {
    let Some(token) = Token::read(token, app.engine.vault()) else {
        return Ok(None);
    };
    let found = campaigns::find(&app.database, id).await?;
    Ok(found.filter(|offer| shows(&offer.standing, &token)))
}

/// The listing, or none: the token is not of it, or it is not offered at this moment.
pub(crate) async fn listing(
    app: &App,
    id: ListingId,
    token: &str,
) -> Result<Option<listings::Offer>, ApiError> {
    let token = Token::read(token, app.engine.vault());
    let fits =
        |token: &Token| token.subject == Subject::Listing(id) && token.version == TOKEN_VERSION;
    if !token.as_ref().is_some_and(fits) {
        return Ok(None);
    }
    Ok(listings::find(&app.database, id).await?)
}
