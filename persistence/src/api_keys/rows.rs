//! A row of `api_keys` and what it becomes.

use std::net::IpAddr;

use engine::{
    api_keys::{ApiKey, KeyKind, Scope},
    clock::Timestamp,
    ids::{BalanceId, KeyId, MerchantId, ProductId, RelationshipId},
    money::Money,
    relationships::KeyTerms,
    vault::Sealed,
};
use uuid::Uuid;

use super::StoredKey;
use crate::Error;

/// Every column that is read of a key, with the balance that a reseller's key spends. Takes the rest
/// of the query, which names the key `k`.
macro_rules! select_key {
    ($rest:literal) => {
        concat!(
            "SELECT k.key_id, k.merchant_id, k.relationship_id, b.balance_id, k.test, k.name,
               k.last4, k.digest, k.scopes, k.product_ids, k.max_quantity, k.daily_spend_cap,
               k.ip_allow_list, k.rate_limit_per_second, k.url_secret, k.created_at, k.expires_at,
               k.revoked_at, k.revoked_reason, k.retires_at, k.replaced_by, k.replaces,
               k.last_used_at, k.last_used_ip
             FROM api_keys AS k
             LEFT JOIN balances AS b ON b.relationship_id = k.relationship_id AND b.test = k.test ",
            $rest
        )
    };
}
pub(super) use select_key;

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    key_id: Uuid,
    merchant_id: Uuid,
    relationship_id: Option<Uuid>,
    balance_id: Option<i64>,
    test: bool,
    name: String,
    last4: String,
    digest: Vec<u8>,
    scopes: Vec<String>,
    product_ids: Vec<Uuid>,
    max_quantity: Option<i32>,
    daily_spend_cap: Option<i64>,
    ip_allow_list: Vec<String>,
    rate_limit_per_second: Option<i32>,
    url_secret: Option<Vec<u8>>,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    revoked_reason: Option<String>,
    retires_at: Option<Timestamp>,
    replaced_by: Option<Uuid>,
    replaces: Option<Uuid>,
    last_used_at: Option<Timestamp>,
    last_used_ip: Option<String>,
}

impl TryFrom<Row> for StoredKey {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let terms = row.terms()?;
        let revoked_reason = row.revoked_reason.clone();
        let last_used_at = row.last_used_at;
        let last_used_ip = row
            .last_used_ip
            .as_deref()
            .map(str::parse::<IpAddr>)
            .transpose();
        let last_used_ip = last_used_ip.map_err(|_| Error::Inconsistent {
            what: "api_keys.last_used_ip",
        })?;
        Ok(Self {
            key: row.try_into()?,
            terms,
            revoked_reason,
            last_used_at,
            last_used_ip,
        })
    }
}

impl TryFrom<Row> for ApiKey {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let reseller = match (row.relationship_id, row.balance_id) {
            (Some(id), Some(balance)) => Some((RelationshipId::from_uuid(id), BalanceId(balance))),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                return Err(Error::Inconsistent {
                    what: "balances of a key's relationship",
                });
            }
        };
        let kind = if reseller.is_some() {
            KeyKind::Reseller
        } else {
            KeyKind::Merchant
        };
        let scopes = row
            .scopes
            .iter()
            .map(|name| Scope::parse(name))
            .collect::<Option<_>>();
        let nets = row
            .ip_allow_list
            .iter()
            .map(|net| net.parse().ok())
            .collect::<Option<_>>();
        Ok(Self {
            id: KeyId::from_uuid(row.key_id),
            kind,
            digest: row.digest.try_into().map_err(|_| Error::Inconsistent {
                what: "api_keys.digest",
            })?,
            merchant: MerchantId::from_uuid(row.merchant_id),
            reseller,
            test: row.test,
            name: row.name,
            last4: row.last4,
            scopes: scopes.ok_or(Error::Inconsistent {
                what: "api_keys.scopes",
            })?,
            ip_allow_list: nets.ok_or(Error::Inconsistent {
                what: "api_keys.ip_allow_list",
            })?,
            rate_limit_per_second: unsigned(row.rate_limit_per_second)?,
            created_at: row.created_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            retires_at: row.retires_at,
            replaced_by: row.replaced_by.map(KeyId::from_uuid),
            replaces: row.replaces.map(KeyId::from_uuid),
            url_secret: row.url_secret.map(Sealed::from_bytes),
        })
    }
}

impl Row {
    fn terms(&self) -> Result<KeyTerms, Error> {
        let cap = self.daily_spend_cap.map(|minor| {
            Money::from_minor(minor).ok_or(Error::Inconsistent {
                what: "api_keys.daily_spend_cap",
            })
        });
        Ok(KeyTerms {
            products: self
                .product_ids
                .iter()
                .copied()
                .map(ProductId::from_uuid)
                .collect(),
            max_quantity: unsigned(self.max_quantity)?,
            daily_spend_cap: cap.transpose()?,
        })
    }
}

fn unsigned(number: Option<i32>) -> Result<Option<u32>, Error> {
    let read = number.map(u32::try_from).transpose();
    read.map_err(|_| Error::Inconsistent {
        what: "a limit in api_keys",
    })
}
