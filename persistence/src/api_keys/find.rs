//! The key behind a request.

use std::net::IpAddr;

use engine::{api_keys::ApiKey, clock::Timestamp, ids::KeyId};
use uuid::Uuid;

use super::rows::{Row, select_key};
use crate::{Database, Error, database::in_time, owned};

/// The key with this id, whoever's, revoked or not; its digest says whether the caller has it.
pub async fn find(db: &Database, id: KeyId) -> Result<Option<ApiKey>, Error> {
    let db = db.clone();
    let read = async move {
        let mut connection = db.read().await?;
        let row: Option<Row> = sqlx::query_as(select_key!("WHERE k.key_id = $1"))
            .bind(id.uuid())
            .fetch_optional(&mut *connection)
            .await?;
        row.map(ApiKey::try_from).transpose()
    };
    owned(in_time(read)).await
}

/// Those of these ids that keys have.
pub async fn existing(db: &Database, ids: &[KeyId]) -> Result<Vec<KeyId>, Error> {
    let (db, ids) = (
        db.clone(),
        ids.iter().map(|id| id.uuid()).collect::<Vec<_>>(),
    );
    let read = async move {
        let mut connection = db.read().await?;
        let found: Vec<Uuid> =
            sqlx::query_scalar("SELECT key_id FROM api_keys WHERE key_id = ANY($1)")
                .bind(ids)
                .fetch_all(&mut *connection)
                .await?;
        Ok(found.into_iter().map(KeyId::from_uuid).collect())
    };
    owned(in_time(read)).await
}

/// That a key was used.
#[derive(Debug, Clone, Copy)]
pub struct KeyUse {
    pub key: KeyId,
    pub from: IpAddr,
    pub at: Timestamp,
}

/// Records when and from where keys were last used, each at most once a minute; says of how many it did.
pub async fn record_uses(db: &Database, uses: &[KeyUse]) -> Result<u64, Error> {
    let keys: Vec<_> = uses.iter().map(|used| used.key.uuid()).collect();
    let addresses: Vec<_> = uses.iter().map(|used| used.from.to_string()).collect();
    let times: Vec<_> = uses.iter().map(|used| used.at).collect();
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        let recorded = sqlx::query(
            "UPDATE api_keys AS k SET last_used_at = used.at, last_used_ip = used.ip
             FROM UNNEST($1::uuid[], $2::text[], $3::timestamptz[]) AS used (key_id, ip, at)
             WHERE k.key_id = used.key_id
               AND (k.last_used_at IS NULL OR k.last_used_at <= used.at - interval '1 minute')",
        )
        .bind(keys)
        .bind(addresses)
        .bind(times)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(recorded.rows_affected())
    })
    .await
}
