//! Whose balance a merchant or a person reads: found by the relationship, or the one 404.

use engine::{ids::RelationshipId, money::Currency, relationships::RelationshipScope};
use persistence::{persons, relationships::find::find_scope};

use crate::{
    auth::Session,
    error::{ApiError, Code},
    state::App,
};

/// The live balance of a relationship of the person who is signed in.
pub(crate) async fn own_scope(
    app: &App,
    caller: &Session,
    relationship: RelationshipId,
) -> Result<(RelationshipScope, Currency), ApiError> {
    let missing = || ApiError::new(Code::NotFound);
    let own = persons::program(&app.database, caller.person_id(), relationship).await?;
    let own = own.ok_or_else(missing)?;
    let scope = find_scope(&app.database, own.merchant, relationship, false).await?;
    Ok((scope.ok_or_else(missing)?, own.currency))
}
