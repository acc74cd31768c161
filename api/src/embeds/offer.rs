//! What somebody is offered who comes with a token.

use engine::{campaigns::shows, embeds::Token, ids::CampaignId};
use persistence::campaigns::{self, Offer};

use crate::{error::ApiError, state::App};

/// The campaign, or none if there is nothing to buy: the token is not of this campaign as it stands, or
/// whose campaign it is may not sell by it now.
pub(crate) async fn campaign(
    app: &App,
    id: CampaignId,
    token: &str,
) -> Result<Option<Offer>, ApiError> {
    let Some(token) = Token::read(token, app.engine.vault()) else {
        return Ok(None);
    };
    let found = campaigns::find(&app.database, id).await?;
    Ok(found.filter(|offer| shows(&offer.standing, &token)))
}
