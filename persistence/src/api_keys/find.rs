//! The key behind a request.

use std::net::IpAddr;

use engine::{api_keys::ApiKey, clock::Timestamp, ids::KeyId};

use super::rows::{Row, select_key};
use crate::{Database, Error, owned};

/// The key with this id, whoever's, revoked or not; its digest says whether the caller has it.
pub async fn find(db: &Database, id: KeyId) -> Result<Option<ApiKey>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.read().await?;
        let row: Option<Row> = sqlx::query_as(select_key!("WHERE k.key_id = $1"))
            .bind(id.uuid())
            .fetch_optional(&mut *connection)
            .await?;
        row.map(ApiKey::try_from).transpose()
    })
    .await
}

/// Records when and from where a key was last used, at most once a minute; says whether it did.
pub async fn record_use(
    db: &Database,
    id: KeyId,
    from: IpAddr,
    now: Timestamp,
) -> Result<bool, Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        let recorded = sqlx::query(
            "UPDATE api_keys SET last_used_at = $2, last_used_ip = $3
             WHERE key_id = $1 AND (last_used_at IS NULL OR last_used_at <= $2 - interval '1 minute')",
        )
        .bind(id.uuid())
        .bind(now)
        .bind(from.to_string())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(recorded.rows_affected() == 1)
    })
    .await
}
