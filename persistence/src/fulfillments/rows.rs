//! From rows to a fulfillment.
//!
//! Keeps: what is rebuilt is what was committed, line for line and serial for serial, or it is an
//! inconsistency; never a part of it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use engine::{
    catalog::Sku,
    fulfillments::{
        Channel, ClaimedSerial, Contents, Details, Fingerprint, FulfilledLine, Fulfillment,
        OrderId, Replaced, Stamp,
    },
    ids::{BalanceId, EntryId, KeyId, ProductId, SerialId, VariantId},
    money::Money,
    vault::Sealed,
};
use serde_json::value::RawValue;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use crate::error::Error;

/// The number under which a channel is stored, for ever.
pub(crate) const fn channel_number(channel: Channel) -> i16 {
    match channel {
        Channel::Api => 1,
        Channel::Orders => 2,
        Channel::Bulk => 3,
        Channel::DynamicUrl => 4,
        Channel::SignedUrl => 5,
        Channel::Callback => 6,
        Channel::Stock => 7,
    }
}

/// The channel stored under this number.
pub(crate) const fn channel_from_number(number: i16) -> Option<Channel> {
    match number {
        1 => Some(Channel::Api),
        2 => Some(Channel::Orders),
        3 => Some(Channel::Bulk),
        4 => Some(Channel::DynamicUrl),
        5 => Some(Channel::SignedUrl),
        6 => Some(Channel::Callback),
        7 => Some(Channel::Stock),
        _ => None,
    }
}

/// A ledger entry of the kind that delivers; a query for it names exactly these columns.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct EntryRow {
    pub(crate) balance_id: i64,
    pub(crate) version: i64,
    pub(crate) id: Uuid,
    pub(crate) amount: i64,
    pub(crate) balance_after: i64,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) reference: String,
    pub(crate) channel: i16,
    pub(crate) key_id: Uuid,
    pub(crate) fingerprint: Vec<u8>,
    pub(crate) email_sealed: Option<Vec<u8>>,
    pub(crate) serial_ids: Vec<Uuid>,
    /// Read with its entry, so that one that does not fit is no reason to give up the others.
    pub(crate) details: Option<Json<Box<RawValue>>>,
    /// What was given back since.
    pub(crate) refunded: i64,
}

/// A claimed serial with its line, its product and its sealed text.
#[derive(Debug, sqlx::FromRow)]
struct SerialRow {
    serial_id: Uuid,
    sealed: Vec<u8>,
    line: i16,
    unit_price: i64,
    price_version: i64,
    balance_id: i64,
    version: i64,
    product_id: Uuid,
    variant_id: Option<Uuid>,
    revealed_at: Option<DateTime<Utc>>,
    replaced_at: Option<DateTime<Utc>>,
    successor_id: Option<Uuid>,
    successor_sealed: Option<Vec<u8>>,
    refunded: bool,
}

/// Loads the claims of the entries and rebuilds the fulfillments, in the order of the entries.
pub(crate) async fn fulfillments(
    connection: &mut PgConnection,
    entries: Vec<EntryRow>,
) -> Result<Vec<Fulfillment>, Error> {
    each(connection, entries).await?.into_iter().collect()
}

/// The same, where an entry that does not fit is no reason to give up the others.
pub(crate) async fn each(
    connection: &mut PgConnection,
    entries: Vec<EntryRow>,
) -> Result<Vec<Result<Fulfillment, Error>>, Error> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let serials: Vec<Uuid> = entries
        .iter()
        .flat_map(|entry| &entry.serial_ids)
        .copied()
        .collect();
    let imports: Vec<Uuid> = serials
        .iter()
        .map(|id| SerialId::from_uuid(*id).import().uuid())
        .collect();
    let found: Vec<SerialRow> = sqlx::query_as(include_str!("serials.sql"))
        .bind(&serials)
        .bind(&imports)
        .fetch_all(connection)
        .await?;
    let found: HashMap<Uuid, SerialRow> =
        found.into_iter().map(|row| (row.serial_id, row)).collect();
    Ok(entries
        .into_iter()
        .map(|entry| rebuilt(entry, &found))
        .collect())
}

/// One fulfillment of its entry and the claims that name it.
fn rebuilt(entry: EntryRow, found: &HashMap<Uuid, SerialRow>) -> Result<Fulfillment, Error> {
    let mut lines: Vec<FulfilledLine> = Vec::new();
    let mut replaced = Vec::new();
    for id in &entry.serial_ids {
        let claim = found.get(id).ok_or(MISSING)?;
        if (claim.balance_id, claim.version) != (entry.balance_id, entry.version) {
            return Err(FOREIGN);
        }
        let number = usize::try_from(claim.line).map_err(|_| LINES)?;
        // Serials are stored in the order of the lines, so a line is the last one or the next.
        if number == lines.len() + 1 {
            lines.push(line(claim)?);
        }
        replaced.extend(successor(claim));
        let last = lines.last_mut().ok_or(LINES)?;
        last.serials.push(ClaimedSerial {
            id: SerialId::from_uuid(*id),
            sealed: Sealed::from_bytes(claim.sealed.as_slice()),
        });
        if number != lines.len() {
            return Err(LINES);
        }
    }
    let total = lines
        .iter()
        .try_fold(Money::ZERO, |sum, line| sum.checked_add(line.total()));
    if total.map(|total| -total) != Some(money(entry.amount)?) {
        return Err(Error::Inconsistent {
            what: "an entry is not the sum of its lines",
        });
    }
    let claims = entry.serial_ids.iter().filter_map(|id| found.get(id));
    let refunded_items = claims.clone().filter(|claim| claim.refunded);
    let revealed = claims.filter_map(|claim| {
        let id = SerialId::from_uuid(claim.serial_id);
        claim.revealed_at.map(|at| (id, at))
    });
    Ok(Fulfillment {
        revealed: revealed.collect(),
        stamp: stamp(&entry)?,
        refunded: money(entry.refunded)?,
        refunded_items: refunded_items
            .map(|claim| SerialId::from_uuid(claim.serial_id))
            .collect(),
        replaced,
        contents: std::sync::Arc::new(contents(entry, lines)?),
    })
}

/// What came in the place of a serial that was no good.
fn successor(claim: &SerialRow) -> Option<Replaced> {
    let by = claim.successor_id.zip(claim.successor_sealed.as_ref());
    Some(Replaced {
        serial: SerialId::from_uuid(claim.serial_id),
        by: by.map(|(id, sealed)| ClaimedSerial {
            id: SerialId::from_uuid(id),
            sealed: Sealed::from_bytes(sealed.as_slice()),
        }),
        at: claim.replaced_at?,
    })
}

const MISSING: Error = Error::Inconsistent {
    what: "a serial of an entry has no claim",
};
const FOREIGN: Error = Error::Inconsistent {
    what: "a serial of an entry is claimed by another",
};
const LINES: Error = Error::Inconsistent {
    what: "the lines of an entry are not in order",
};

fn line(claim: &SerialRow) -> Result<FulfilledLine, Error> {
    Ok(FulfilledLine {
        sku: Sku {
            product: ProductId::from_uuid(claim.product_id),
            variant: claim.variant_id.map(VariantId::from_uuid),
        },
        unit_price: money(claim.unit_price)?,
        price_version: claim.price_version,
        serials: Vec::new(),
    })
}

fn details(raw: &RawValue) -> Result<Details, Error> {
    serde_json::from_str(raw.get()).map_err(|_| Error::Inconsistent {
        what: "details of an entry are not known",
    })
}

fn stamp(entry: &EntryRow) -> Result<Stamp, Error> {
    Ok(Stamp {
        id: EntryId::from_uuid(entry.id),
        version: entry.version,
        balance_after: money(entry.balance_after)?,
        created_at: entry.created_at,
    })
}

fn contents(entry: EntryRow, lines: Vec<FulfilledLine>) -> Result<Contents, Error> {
    let fingerprint = entry
        .fingerprint
        .try_into()
        .map_err(|_| Error::Inconsistent {
            what: "a fingerprint has not 16 bytes",
        })?;
    Ok(Contents {
        balance: BalanceId(entry.balance_id),
        order_id: OrderId::from_stored(&entry.reference),
        fingerprint: Fingerprint::from_bytes(fingerprint),
        channel: channel_from_number(entry.channel).ok_or(Error::Inconsistent {
            what: "a channel is not known",
        })?,
        key: KeyId::from_uuid(entry.key_id),
        total: -money(entry.amount)?,
        lines,
        email: entry.email_sealed.map(Sealed::from_bytes),
        details: entry.details.map(|raw| details(&raw.0)).transpose()?,
    })
}

/// A stored amount, within the bound of all amounts.
pub(crate) fn money(minor: i64) -> Result<Money, Error> {
    Money::from_minor(minor).ok_or(Error::Inconsistent {
        what: "an amount is beyond the bound",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_reads_back_from_its_number() {
        for number in 1..=7 {
            let channel = channel_from_number(number).expect("a known number");
            assert_eq!(channel_number(channel), number);
        }
        assert_eq!(channel_from_number(0), None);
        assert_eq!(channel_from_number(8), None);
    }
}
