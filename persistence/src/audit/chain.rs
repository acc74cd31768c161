//! The chain itself: appended, listed, proved.
//!
//! Keeps: one chain per merchant without a gap. The head's row is locked by every append, so an append
//! is the last thing that a transaction locks.

use std::net::IpAddr;

use engine::{
    audit::{Actor, ActorKind, Deed, Digest, Entry, Head},
    clock::Timestamp,
    ids::{ConnectionId, KeyId, MerchantId, RelationshipId},
};
use futures_util::{Stream, TryStreamExt as _, stream};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Database, Error,
    database::ReadScope,
    error::exactly_one,
    owned,
    page::{self, Page},
};

/// Rows that an export reads at once.
const EXPORTED_AT_ONCE: u32 = 500;
/// Entries that are proved at once.
const PROVED_AT_ONCE: i64 = 1000;

/// Which entries to list; none of a field is any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The id of who acted.
    pub actor: Option<String>,
    pub action: Option<String>,
    pub target: Option<String>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

/// What a look through the whole chain found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// The end that the chain should have.
    pub head: Head,
    /// The number of the first entry that is missing or not what it was.
    pub first_bad: Option<i64>,
}

/// Appends a deed to its merchant's chain.
pub async fn append(
    connection: &mut PgConnection,
    merchant: MerchantId,
    deed: Deed,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO audit_heads (merchant_id, seq, hash) VALUES ($1, $2, $3)
         ON CONFLICT ON CONSTRAINT audit_heads_pkey DO NOTHING",
    )
    .bind(merchant.uuid())
    .bind(Head::EMPTY.seq)
    .bind(&Head::EMPTY.hash[..])
    .execute(&mut *connection)
    .await?;
    let (seq, hash): (i64, Vec<u8>) =
        sqlx::query_as("SELECT seq, hash FROM audit_heads WHERE merchant_id = $1 FOR UPDATE")
            .bind(merchant.uuid())
            .fetch_one(&mut *connection)
            .await?;
    let head = Head {
        seq,
        hash: digest(hash)?,
    };
    let entry = head.next(merchant, deed);
    insert(connection, merchant, &entry).await?;
    let moved = sqlx::query("UPDATE audit_heads SET seq = $2, hash = $3 WHERE merchant_id = $1")
        .bind(merchant.uuid())
        .bind(entry.seq)
        .bind(&entry.hash[..])
        .execute(connection)
        .await?;
    exactly_one(&moved, "the head of an audit log")
}

async fn insert(
    connection: &mut PgConnection,
    merchant: MerchantId,
    entry: &Entry,
) -> Result<(), Error> {
    let (deed, actor) = (&entry.deed, &entry.deed.actor);
    sqlx::query(
        "INSERT INTO audit_log (merchant_id, seq, actor_type, actor_id, actor_label, ip, action,
           target, before_digest, after_digest, created_at, prev_hash, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(merchant.uuid())
    .bind(entry.seq)
    .bind(actor.kind.name())
    .bind(&actor.id)
    .bind(&actor.label)
    .bind(actor.ip.map(|ip| ip.to_string()))
    .bind(&deed.action)
    .bind(&deed.target)
    .bind(deed.before.as_ref().map(|digest| &digest[..]))
    .bind(deed.after.as_ref().map(|digest| &digest[..]))
    .bind(deed.at)
    .bind(&entry.prev_hash[..])
    .bind(&entry.hash[..])
    .execute(connection)
    .await?;
    Ok(())
}

/// Every column of an entry, and the rest of the query.
macro_rules! entries {
    ($rest:literal) => {
        concat!(
            "SELECT seq, actor_type, actor_id, actor_label, ip, action, target, before_digest,
               after_digest, created_at, prev_hash, hash FROM audit_log ",
            $rest
        )
    };
}

/// One page of entries, below the number `before` or from the newest.
pub async fn list(
    db: &Database,
    merchant: MerchantId,
    filter: Filter,
    before: Option<i64>,
    limit: u32,
) -> Result<Page<Entry>, Error> {
    let db = db.clone();
    owned(async move {
        let rows: Vec<Row> = sqlx::query_as(entries!(
            "WHERE merchant_id = $1 AND ($2::bigint IS NULL OR seq < $2)
               AND ($3::text IS NULL OR actor_id = $3) AND ($4::text IS NULL OR action = $4)
               AND ($5::text IS NULL OR target = $5)
               AND ($6::timestamptz IS NULL OR created_at >= $6)
               AND ($7::timestamptz IS NULL OR created_at < $7)
             ORDER BY merchant_id DESC, seq DESC LIMIT $8"
        ))
        .bind(merchant.uuid())
        .bind(before)
        .bind(filter.actor)
        .bind(filter.action)
        .bind(filter.target)
        .bind(filter.from)
        .bind(filter.to)
        .bind(page::asked(limit))
        .fetch_all(&mut *db.scoped(ReadScope::of(merchant)).await?)
        .await?;
        Page::cut(rows, limit).try_map(Entry::try_from)
    })
    .await
}

/// All of them, a few at a time.
pub fn stream(
    db: Database,
    merchant: MerchantId,
    filter: Filter,
) -> impl Stream<Item = Result<Entry, Error>> + Send + 'static {
    let pages = stream::try_unfold(Some(None), move |at| {
        let (db, filter) = (db.clone(), filter.clone());
        async move {
            let Some(before) = at else { return Ok(None) };
            let page = list(&db, merchant, filter, before, EXPORTED_AT_ONCE).await?;
            let last = page.items.last().map(|entry| entry.seq);
            let next = page.has_more.then_some(last);
            let items = page.items.into_iter().map(Ok::<_, Error>);
            Ok::<_, Error>(Some((stream::iter(items), next)))
        }
    });
    pages.try_flatten()
}

/// One page of the entries about one relationship, its keys and its connections, below the number `before` or from the
/// newest.
pub async fn list_about(
    db: &Database,
    (merchant, relationship): (MerchantId, RelationshipId),
    before: Option<i64>,
    limit: u32,
) -> Result<Page<Entry>, Error> {
    let db = db.clone();
    owned(async move {
        let scope = ReadScope {
            merchant,
            relationship: Some(relationship),
        };
        let mut connection = db.scoped(scope).await?;
        let keys: Vec<Uuid> = sqlx::query_scalar(
            "SELECT key_id FROM api_keys WHERE merchant_id = $1 AND relationship_id = $2",
        )
        .bind(merchant.uuid())
        .bind(relationship.uuid())
        .fetch_all(&mut *connection)
        .await?;
        let keys = keys.into_iter().map(|id| KeyId::from_uuid(id).to_string());
        let mut targets: Vec<_> = keys.collect();
        let connections: Vec<Uuid> = sqlx::query_scalar(
            "SELECT connection_id FROM connections WHERE merchant_id = $1 AND relationship_id = $2",
        )
        .bind(merchant.uuid())
        .bind(relationship.uuid())
        .fetch_all(&mut *connection)
        .await?;
        let connections = connections.into_iter().map(ConnectionId::from_uuid);
        targets.extend(connections.map(|id| id.to_string()));
        targets.push(relationship.to_string());
        let rows: Vec<Row> = sqlx::query_as(entries!(
            "WHERE merchant_id = $1 AND ($2::bigint IS NULL OR seq < $2) AND target = ANY ($3)
             ORDER BY merchant_id DESC, seq DESC LIMIT $4"
        ))
        .bind(merchant.uuid())
        .bind(before)
        .bind(targets)
        .bind(page::asked(limit))
        .fetch_all(&mut *connection)
        .await?;
        Page::cut(rows, limit).try_map(Entry::try_from)
    })
    .await
}

/// Reads a merchant's whole chain and says where it breaks, if it does.
pub async fn verify(db: &Database, merchant: MerchantId) -> Result<Proof, Error> {
    let db = db.clone();
    owned(async move {
        // The end first: what is appended meanwhile is for the next look.
        let head = head(&db, merchant).await?;
        let mut at = Head::EMPTY;
        while at.seq < head.seq {
            let rows: Vec<Row> = sqlx::query_as(entries!(
                "WHERE merchant_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4"
            ))
            .bind(merchant.uuid())
            .bind(at.seq)
            .bind(head.seq)
            .bind(PROVED_AT_ONCE)
            .fetch_all(&mut *db.report().await?)
            .await?;
            if rows.is_empty() {
                return Ok(Proof {
                    head,
                    first_bad: Some(at.seq + 1),
                });
            }
            for row in rows {
                let entry = Entry::try_from(row).ok();
                let Some(next) = entry.and_then(|entry| at.follow(merchant, &entry)) else {
                    return Ok(Proof {
                        head,
                        first_bad: Some(at.seq + 1),
                    });
                };
                at = next;
            }
        }
        let first_bad = (at != head).then_some(head.seq);
        Ok(Proof { head, first_bad })
    })
    .await
}

async fn head(db: &Database, merchant: MerchantId) -> Result<Head, Error> {
    let row: Option<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT seq, hash FROM audit_heads WHERE merchant_id = $1")
            .bind(merchant.uuid())
            .fetch_optional(&mut *db.report().await?)
            .await?;
    row.map_or(Ok(Head::EMPTY), |(seq, hash)| {
        let hash = digest(hash)?;
        Ok(Head { seq, hash })
    })
}

pub(crate) fn digest(bytes: Vec<u8>) -> Result<Digest, Error> {
    bytes.try_into().map_err(|_| Error::Inconsistent {
        what: "a digest has another length",
    })
}

#[derive(sqlx::FromRow)]
struct Row {
    seq: i64,
    actor_type: String,
    actor_id: Option<String>,
    actor_label: String,
    ip: Option<String>,
    action: String,
    target: String,
    before_digest: Option<Vec<u8>>,
    after_digest: Option<Vec<u8>>,
    created_at: Timestamp,
    prev_hash: Vec<u8>,
    hash: Vec<u8>,
}

impl TryFrom<Row> for Entry {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let kind = ActorKind::parse(&row.actor_type).ok_or(Error::Inconsistent {
            what: "audit_log.actor_type",
        })?;
        let ip = row.ip.as_deref().map(str::parse::<IpAddr>).transpose();
        let ip = ip.map_err(|_| Error::Inconsistent {
            what: "audit_log.ip",
        })?;
        Ok(Self {
            seq: row.seq,
            deed: Deed {
                actor: Actor {
                    kind,
                    id: row.actor_id,
                    label: row.actor_label,
                    ip,
                },
                action: row.action,
                target: row.target,
                before: row.before_digest.map(digest).transpose()?,
                after: row.after_digest.map(digest).transpose()?,
                at: row.created_at,
            },
            prev_hash: digest(row.prev_hash)?,
            hash: digest(row.hash)?,
        })
    }
}
