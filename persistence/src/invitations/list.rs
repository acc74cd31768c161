//! The invitations of a merchant, newest first.

use engine::{
    clock::Timestamp,
    ids::{InvitationId, MerchantId},
    invitations::{Invitation, Status},
};

use super::rows::{Row, select_invitation};
use crate::{
    Database, Error,
    database::ReadScope,
    owned,
    page::{self, Page},
};

/// One page, below the invitation `before` or from the newest. No status is any; an offer whose time is
/// over counts as expired, whether or not that is stored yet.
pub async fn list(
    db: &Database,
    merchant: MerchantId,
    (statuses, now): (Vec<Status>, Timestamp),
    before: Option<InvitationId>,
    limit: u32,
) -> Result<Page<Invitation>, Error> {
    let db = db.clone();
    owned(async move {
        let names: Vec<_> = statuses.iter().map(|status| status.name()).collect();
        let rows: Vec<Row> = sqlx::query_as(select_invitation!(
            "WHERE i.merchant_id = $1
               AND ($2::text[] = '{}' OR CASE WHEN i.status = 'PENDING' AND i.expires_at <= $3
                 THEN 'EXPIRED' ELSE i.status END = ANY ($2))
               AND ($4::uuid IS NULL OR i.invitation_id < $4)
             ORDER BY i.merchant_id DESC, i.invitation_id DESC LIMIT $5"
        ))
        .bind(merchant.uuid())
        .bind(names)
        .bind(now)
        .bind(before.map(InvitationId::uuid))
        .bind(page::asked(limit))
        .fetch_all(&mut *db.scoped(ReadScope::of(merchant)).await?)
        .await?;
        Page::cut(rows, limit).try_map(Invitation::try_from)
    })
    .await
}
