//! Top-ups as they are read: one, a page, those that wait for money; and who pays them.

use engine::{
    clock::Timestamp,
    ids::{InvoiceId, MerchantId, RelationshipId},
    payments::{Invoice, Purpose, Status},
    relationships::RelationshipScope,
};

use sqlx::PgConnection;

use super::rows::{Of, Row, select_invoice, whole};
use crate::{
    Database, Error,
    database::ReadScope,
    owned,
    page::{self, Page},
};

/// Which invoices to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Empty: any. One whose time is over counts as expired, whether or not that is stored yet.
    pub statuses: Vec<Status>,
    /// Empty: any. Who lists top-ups gets nothing else.
    pub purposes: Vec<Purpose>,
}

impl Filter {
    pub(super) fn names(&self) -> Vec<&'static str> {
        self.statuses.iter().map(|one| one.name()).collect()
    }

    pub(super) fn purposes(&self) -> Vec<&'static str> {
        self.purposes.iter().map(|one| one.name()).collect()
    }
}

/// Whom a mail about a top-up goes to, and in whose name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payer {
    pub email: String,
    pub merchant_name: String,
}

const fn read_scope(scope: RelationshipScope) -> ReadScope {
    ReadScope {
        merchant: scope.merchant,
        relationship: Some(scope.relationship),
    }
}

/// One page of a relationship's top-ups, newest first. Test mode has none.
pub async fn list(
    db: &Database,
    scope: RelationshipScope,
    (filter, now): (Filter, Timestamp),
    before: Option<InvoiceId>,
    limit: u32,
) -> Result<Page<Invoice>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.scoped(read_scope(scope)).await?;
        let rows: Vec<Row> = sqlx::query_as(select_invoice!(
            "WHERE i.merchant_id = $1 AND i.relationship_id = $2 AND NOT $3 AND i.purpose = 'TOP_UP'
               AND ($4::text[] = '{}' OR CASE WHEN i.status = 'OPEN' AND i.expires_at <= $5
                 THEN 'EXPIRED' ELSE i.status END = ANY ($4))
               AND ($6::uuid IS NULL OR i.invoice_id < $6)
             ORDER BY i.relationship_id DESC, i.invoice_id DESC LIMIT $7"
        ))
        .bind(scope.merchant.uuid())
        .bind(scope.relationship.uuid())
        .bind(scope.test)
        .bind(filter.names())
        .bind(now)
        .bind(before.map(InvoiceId::uuid))
        .bind(page::asked(limit))
        .fetch_all(&mut *connection)
        .await?;
        let Page { items, has_more } = Page::cut(rows, limit);
        let items = whole(&mut connection, items).await?;
        Ok(Page { items, has_more })
    })
    .await
}

/// One top-up of a relationship.
pub async fn find(
    db: &Database,
    scope: RelationshipScope,
    id: InvoiceId,
) -> Result<Option<Invoice>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.scoped(read_scope(scope)).await?;
        let rows: Vec<Row> = sqlx::query_as(select_invoice!(
            "WHERE i.merchant_id = $1 AND i.relationship_id = $2 AND NOT $3 AND i.invoice_id = $4
               AND i.purpose = 'TOP_UP'"
        ))
        .bind(scope.merchant.uuid())
        .bind(scope.relationship.uuid())
        .bind(scope.test)
        .bind(id.uuid())
        .fetch_all(&mut *connection)
        .await?;
        Ok(whole(&mut connection, rows).await?.into_iter().next())
    })
    .await
}

/// The top-ups of a relationship that wait for money, newest first.
pub async fn open_of(
    db: &Database,
    scope: RelationshipScope,
    now: Timestamp,
) -> Result<Vec<Invoice>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.scoped(read_scope(scope)).await?;
        let rows: Vec<Row> = sqlx::query_as(select_invoice!(
            "WHERE i.merchant_id = $1 AND i.relationship_id = $2 AND NOT $3 AND i.purpose = 'TOP_UP'
               AND i.status IN ('OPEN', 'CONFIRMING')
               AND (i.status = 'CONFIRMING' OR i.expires_at > $4)
             ORDER BY i.invoice_id DESC"
        ))
        .bind(scope.merchant.uuid())
        .bind(scope.relationship.uuid())
        .bind(scope.test)
        .bind(now)
        .fetch_all(&mut *connection)
        .await?;
        whole(&mut connection, rows).await
    })
    .await
}

/// Who pays the top-ups of a relationship.
pub async fn payer(
    db: &Database,
    of: (MerchantId, RelationshipId),
) -> Result<Option<Payer>, Error> {
    let db = db.clone();
    owned(async move { payer_in(&mut *db.read().await?, of).await }).await
}

pub(super) async fn payer_in(
    connection: &mut PgConnection,
    (merchant, relationship): Of,
) -> Result<Option<Payer>, Error> {
    let found: Option<(String, String)> = sqlx::query_as(
        "SELECT COALESCE(p.email, r.email), m.name
         FROM relationships AS r
         JOIN merchants AS m ON m.merchant_id = r.merchant_id
         LEFT JOIN persons AS p ON p.person_id = r.person_id
         WHERE r.merchant_id = $1 AND r.relationship_id = $2",
    )
    .bind(merchant.uuid())
    .bind(relationship.uuid())
    .fetch_optional(connection)
    .await?;
    Ok(found.map(|(email, merchant_name)| Payer {
        email,
        merchant_name,
    }))
}
