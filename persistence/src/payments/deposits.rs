//! Addresses that invoices are paid at: given away once, found again by whoever watches a network.

use std::collections::HashMap;

use engine::{
    chains::{EvmAddress, INDEX_MAX, Token},
    clock::Timestamp,
    ids::{InvoiceId, MerchantId, PaymentId, RelationshipId},
    payments::{Deposit, Deposits, Invoice},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Database, Error, owned, relationships::rows::named};

/// An address that is watched, and what for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    pub merchant: MerchantId,
    pub invoice: InvoiceId,
    pub deposit: Deposit,
    /// Something was seen there that was not final.
    pub confirming: bool,
}

/// All addresses of a network whose invoices wait for money, or ended since that time.
pub async fn watched(
    db: &Database,
    network: &str,
    ended_since: Timestamp,
) -> Result<Vec<Watched>, Error> {
    let (db, network) = (db.clone(), network.to_owned());
    owned(async move {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT d.invoice_id, d.merchant_id, d.address, d.network, d.chain_id,
               d.token, d.decimals, d.confirmations, i.status = 'CONFIRMING' AS confirming
             FROM deposits AS d JOIN invoices AS i ON i.invoice_id = d.invoice_id
             WHERE d.network = $1
               AND (i.status IN ('OPEN', 'CONFIRMING', 'UNDERPAID') OR i.updated_at >= $2)
             ORDER BY d.invoice_id",
        )
        .bind(network)
        .bind(ended_since)
        .fetch_all(&mut *db.find().await?)
        .await?;
        rows.into_iter().map(Watched::try_from).collect()
    })
    .await
}

/// A payment on a network that counts, or did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    pub merchant: MerchantId,
    pub invoice: InvoiceId,
    pub deposit: Deposit,
    /// As it is stored.
    pub source: String,
}

/// All payments that were taken in on a network since that time.
pub async fn counted_since(
    db: &Database,
    network: &str,
    since: Timestamp,
) -> Result<Vec<Counted>, Error> {
    let (db, network) = (db.clone(), network.to_owned());
    owned(async move {
        let rows: Vec<CountedRow> = sqlx::query_as(
            "SELECT d.invoice_id, d.merchant_id, d.address, d.network, d.chain_id,
               d.token, d.decimals, d.confirmations, false AS confirming, p.source
             FROM payments AS p JOIN deposits AS d ON d.invoice_id = p.invoice_id
             WHERE p.payment_id >= $2 AND d.network = $1 AND p.source LIKE 'transfer:%'
             ORDER BY p.payment_id",
        )
        .bind(network)
        .bind(PaymentId::first_at(since).uuid())
        .fetch_all(&mut *db.find().await?)
        .await?;
        let counted = rows.into_iter().map(|row| {
            let watched = Watched::try_from(row.of)?;
            Ok(Counted {
                merchant: watched.merchant,
                invoice: watched.invoice,
                deposit: watched.deposit,
                source: row.source,
            })
        });
        counted.collect()
    })
    .await
}

/// Gives an invoice that was just stored an address that no other had or will have.
pub(super) async fn take(
    connection: &mut PgConnection,
    invoice: &Invoice,
    deposits: &Deposits,
) -> Result<Deposit, Error> {
    let account = deposits.account.digest();
    let index: i64 = sqlx::query_scalar(
        "INSERT INTO deposit_accounts AS a (account, next_index) VALUES ($1, 1)
         ON CONFLICT ON CONSTRAINT deposit_accounts_pkey DO UPDATE SET next_index = a.next_index + 1
         RETURNING a.next_index - 1",
    )
    .bind(account.as_slice())
    .fetch_one(&mut *connection)
    .await?;
    let address = u32::try_from(index)
        .ok()
        .filter(|index| *index <= INDEX_MAX);
    let address = address.and_then(|index| deposits.account.address(index));
    let deposit = Deposit {
        address: named(address, "deposit_accounts.next_index")?,
        token: deposits.token.clone(),
    };
    let token = &deposit.token;
    sqlx::query(
        "INSERT INTO deposits (invoice_id, merchant_id, relationship_id, account, address_index,
           address, network, chain_id, token, decimals, confirmations)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(invoice.id.uuid())
    .bind(invoice.merchant.uuid())
    .bind(invoice.relationship.map(RelationshipId::uuid))
    .bind(account.as_slice())
    .bind(index)
    .bind(deposit.address.bytes().as_slice())
    .bind(&token.network)
    .bind(token.chain_id.cast_signed())
    .bind(token.contract.bytes().as_slice())
    .bind(i32::from(token.decimals))
    .bind(i32::from(token.confirmations))
    .execute(connection)
    .await?;
    Ok(deposit)
}

/// The addresses of these invoices, as far as they have one.
pub(crate) async fn of_invoices(
    connection: &mut PgConnection,
    invoices: &[Uuid],
) -> Result<HashMap<Uuid, Deposit>, Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT d.invoice_id, d.merchant_id, d.address, d.network, d.chain_id,
           d.token, d.decimals, d.confirmations, false AS confirming
         FROM deposits AS d WHERE d.invoice_id = ANY ($1)",
    )
    .bind(invoices)
    .fetch_all(connection)
    .await?;
    let found = rows.into_iter().map(|row| {
        let watched = Watched::try_from(row)?;
        Ok((watched.invoice.uuid(), watched.deposit))
    });
    found.collect()
}

#[derive(sqlx::FromRow)]
struct Row {
    invoice_id: Uuid,
    merchant_id: Uuid,
    address: Vec<u8>,
    network: String,
    chain_id: i64,
    token: Vec<u8>,
    decimals: i32,
    confirmations: i32,
    confirming: bool,
}

#[derive(sqlx::FromRow)]
struct CountedRow {
    #[sqlx(flatten)]
    of: Row,
    source: String,
}

/// What is stored of a token.
pub(super) fn token(
    (network, chain_id): (String, i64),
    contract: &[u8],
    (decimals, confirmations): (i32, i32),
) -> Result<Token, Error> {
    Ok(Token {
        network,
        chain_id: named(u64::try_from(chain_id).ok(), "deposits.chain_id")?,
        contract: address(contract, "deposits.token")?,
        decimals: named(u8::try_from(decimals).ok(), "deposits.decimals")?,
        confirmations: named(u16::try_from(confirmations).ok(), "deposits.confirmations")?,
    })
}

fn address(stored: &[u8], what: &'static str) -> Result<EvmAddress, Error> {
    let bytes = stored.try_into().ok();
    named(bytes.map(EvmAddress::from_bytes), what)
}

impl TryFrom<Row> for Watched {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let counts = (row.decimals, row.confirmations);
        Ok(Self {
            merchant: MerchantId::from_uuid(row.merchant_id),
            invoice: InvoiceId::from_uuid(row.invoice_id),
            deposit: Deposit {
                address: address(&row.address, "deposits.address")?,
                token: token((row.network, row.chain_id), &row.token, counts)?,
            },
            confirming: row.confirming,
        })
    }
}
