//! Up to which block a network was read for good.
//!
//! Keeps: a cursor only advances, and only from where its reader found it, so two readers skip nothing.

use engine::clock::Timestamp;

use crate::{
    Database, Error, database::commit, error::at_most_one, owned, relationships::rows::named,
};

/// The last block of a network that was read for good; none if nobody ever watched it.
pub async fn cursor(db: &Database, network: &str) -> Result<Option<u64>, Error> {
    let (db, network) = (db.clone(), network.to_owned());
    owned(async move {
        let found: Option<i64> =
            sqlx::query_scalar("SELECT block FROM chain_cursors WHERE network = $1")
                .bind(network)
                .fetch_optional(&mut *db.find().await?)
                .await?;
        let block = found.map(|block| named(u64::try_from(block).ok(), "chain_cursors.block"));
        block.transpose()
    })
    .await
}

/// Begins to watch a network after this block, unless it is watched already.
pub async fn begin_cursor(
    db: &Database,
    network: &str,
    block: u64,
    now: Timestamp,
) -> Result<(), Error> {
    let (db, network) = (db.clone(), network.to_owned());
    owned(async move {
        let mut tx = db.begin().await?;
        sqlx::query(
            "INSERT INTO chain_cursors (network, block, updated_at) VALUES ($1, $2, $3)
             ON CONFLICT ON CONSTRAINT chain_cursors_pkey DO NOTHING",
        )
        .bind(network)
        .bind(block.cast_signed())
        .bind(now)
        .execute(&mut *tx)
        .await?;
        commit(tx).await
    })
    .await
}

/// Notes that a network was read for good up to a block; false if somebody else did meanwhile.
pub async fn advance_cursor(
    db: &Database,
    network: &str,
    (from, to): (u64, u64),
    now: Timestamp,
) -> Result<bool, Error> {
    let (db, network) = (db.clone(), network.to_owned());
    owned(async move {
        let mut tx = db.begin().await?;
        let advanced = sqlx::query(
            "UPDATE chain_cursors SET block = $3, updated_at = $4
             WHERE network = $1 AND block = $2 AND block < $3",
        )
        .bind(network)
        .bind(from.cast_signed())
        .bind(to.cast_signed())
        .bind(now)
        .execute(&mut *tx)
        .await?;
        let advanced = at_most_one(&advanced, "the cursor of a network")?;
        commit(tx).await?;
        Ok(advanced)
    })
    .await
}
