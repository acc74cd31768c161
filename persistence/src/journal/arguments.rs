//! A batch as the arguments of its statement: scalars of the lane, then one array per column.

use std::sync::Arc;

use engine::{
    balances::CreditEntry,
    fulfillments::{Fulfillment, Stamp},
    ids::VariantId,
    inventory::{Restock, Withdrawal},
    journal::{Batch, Failure, Rows},
    vault::Sealed,
};
use serde::Serialize;
use sqlx::{Arguments, Encode, Postgres, Type, postgres::PgArguments};
use uuid::Uuid;

use super::columns::{Cell, Column};
use crate::{audit::Who, balances::rows::CreditDetails, fulfillments::rows::channel_number};

/// What the arguments of a usual row take, in bytes, so that the space is taken once.
const ROW_LEN: usize = 400;

/// The arguments of the statement that commits the batch. Fails if a value cannot be sent at all.
pub(super) fn commit(batch: &Batch) -> Result<PgArguments, Failure> {
    let mut sent = Sent::with_rows(batch.rows.len());
    sent.add(i16::try_from(batch.lane).map_err(|_| Failure::Item)?)?;
    sent.add(batch.owner.0)?;
    sent.add(batch.fence)?;
    sent.add(batch.seq)?;
    match &batch.rows {
        Rows::Fulfillments(rows) => fulfillments(&mut sent, rows)?,
        Rows::Credits(rows) => credits(&mut sent, rows)?,
        Rows::Restocks(rows) => sent.add(imports(rows))?,
        Rows::Withdrawals(rows) => withdrawals(&mut sent, rows)?,
    }
    Ok(sent.0)
}

/// The arguments of the look-up of a batch's references.
pub(super) fn existing(rows: &Rows) -> Result<PgArguments, Failure> {
    let mut sent = Sent::with_rows(rows.len());
    match rows {
        Rows::Fulfillments(rows) => {
            sent.add(Column::of(rows.iter().map(|row| row.contents.balance.0)))?;
            sent.add(Column::of(rows.iter().map(|_| 1_i16)))?;
            sent.add(Column::of(
                rows.iter().map(|row| row.contents.order_id.as_str()),
            ))?;
        }
        Rows::Credits(rows) => {
            sent.add(Column::of(rows.iter().map(|row| row.credit.balance.0)))?;
            sent.add(Column::of(rows.iter().map(|row| row.credit.kind.number())))?;
            sent.add(Column::of(
                rows.iter().map(|row| row.credit.reference.as_str()),
            ))?;
        }
        Rows::Restocks(rows) => sent.add(imports(rows))?,
        Rows::Withdrawals(rows) => sent.column(rows, |row| row.id.uuid())?,
    }
    Ok(sent.0)
}

struct Sent(PgArguments);

impl Sent {
    fn with_rows(rows: usize) -> Self {
        let mut arguments = PgArguments::default();
        arguments.reserve(24, rows * ROW_LEN);
        Self(arguments)
    }

    fn add<'q, T: Encode<'q, Postgres> + Type<Postgres>>(
        &mut self,
        value: T,
    ) -> Result<(), Failure> {
        self.0.add(value).map_err(|_| Failure::Item)
    }

    fn column<R, T: Cell>(&mut self, rows: &[R], cell: impl Fn(&R) -> T) -> Result<(), Failure> {
        self.add(Column::of(rows.iter().map(cell)))
    }
}

fn fulfillments(sent: &mut Sent, rows: &[Fulfillment]) -> Result<(), Failure> {
    sent.column(rows, |row| row.contents.balance.0)?;
    sent.column(rows, |row| row.stamp.version)?;
    sent.column(rows, |row| channel_number(row.contents.channel))?;
    sent.column(rows, |row| row.stamp.id.uuid())?;
    sent.column(rows, |row| (-row.contents.total).minor())?;
    stamps(sent, rows, |row| row.stamp)?;
    sent.column(rows, |row| row.contents.key.uuid())?;
    sent.add(Column::of(
        rows.iter().map(|row| row.contents.order_id.as_str()),
    ))?;
    let fingerprints = rows
        .iter()
        .flat_map(|row| row.contents.fingerprint.as_bytes());
    sent.add(fingerprints.copied().collect::<Vec<u8>>())?;
    sent.add(Column::of_some(
        rows.iter()
            .map(|row| row.contents.email.as_ref().map(Sealed::as_bytes)),
    ))?;
    sent.add(json(rows, |row| row.contents.details.as_ref())?)?;
    claims(sent, rows)
}

/// Where each entry's serials end in the array of all, then the claims and the entry of each, from 1.
fn claims(sent: &mut Sent, rows: &[Fulfillment]) -> Result<(), Failure> {
    let mut ends = Column::with_capacity(rows.len() + 1);
    let mut end = 0_i32;
    ends.push(&end);
    for row in rows {
        end += i32::try_from(row.contents.serials().count()).map_err(|_| Failure::Item)?;
        ends.push(&end);
    }
    let count = usize::try_from(end).map_err(|_| Failure::Item)?;
    let mut serials = Column::with_capacity(count);
    let mut entries = Column::with_capacity(count);
    let mut numbers = Column::with_capacity(count);
    let mut prices = Column::with_capacity(count);
    let mut price_versions = Column::with_capacity(count);
    for (entry, row) in (1_i32..).zip(rows) {
        for (number, line) in (1_i16..).zip(&row.contents.lines) {
            for serial in &line.serials {
                serials.push(&serial.id.uuid());
                entries.push(&entry);
                numbers.push(&number);
                prices.push(&line.unit_price.minor());
                price_versions.push(&line.price_version);
            }
        }
    }
    sent.add(ends)?;
    sent.add(serials)?;
    sent.add(entries)?;
    sent.add(numbers)?;
    sent.add(prices)?;
    sent.add(price_versions)
}

fn credits(sent: &mut Sent, rows: &[CreditEntry]) -> Result<(), Failure> {
    sent.column(rows, |row| row.credit.balance.0)?;
    sent.column(rows, |row| row.stamp.version)?;
    sent.column(rows, |row| row.credit.kind.number())?;
    sent.column(rows, |row| row.stamp.id.uuid())?;
    sent.column(rows, |row| row.credit.amount.minor())?;
    stamps(sent, rows, |row| row.stamp)?;
    sent.add(Column::of(
        rows.iter().map(|row| row.credit.reference.as_str()),
    ))?;
    let details = |row: &CreditEntry| {
        Some(CreditDetails {
            description: row.credit.description.clone(),
            label: row.credit.label.clone(),
        })
    };
    sent.add(json(rows, details)?)?;
    sent.add(json(rows, |row| row.credit.by.as_ref().map(Who::of))?)
}

fn stamps<R>(sent: &mut Sent, rows: &[R], stamp: impl Fn(&R) -> Stamp) -> Result<(), Failure> {
    sent.column(rows, |row| stamp(row).balance_after.minor())?;
    sent.column(rows, |row| stamp(row).created_at)
}

fn imports(rows: &[Restock]) -> Column<Uuid> {
    Column::of(rows.iter().map(|row| row.import.uuid()))
}

/// The columns of withdrawals, then the serials of all, where each one's end, the kind of each, and who
/// withdrew.
fn withdrawals(sent: &mut Sent, rows: &[Arc<Withdrawal>]) -> Result<(), Failure> {
    sent.column(rows, |row| row.id.uuid())?;
    sent.column(rows, |row| row.merchant.uuid())?;
    sent.column(rows, |row| row.sku.product.uuid())?;
    sent.add(Column::of_some(
        rows.iter().map(|row| row.sku.variant.map(VariantId::uuid)),
    ))?;
    sent.column(rows, |row| row.purpose.number())?;
    let mut ends = Column::with_capacity(rows.len() + 1);
    let mut end = 0_i32;
    ends.push(&end);
    for row in rows {
        end += i32::try_from(row.serials.len()).map_err(|_| Failure::Item)?;
        ends.push(&end);
    }
    let count = usize::try_from(end).map_err(|_| Failure::Item)?;
    let mut serials = Column::with_capacity(count);
    let mut kinds = Column::with_capacity(count);
    for row in rows {
        for serial in &row.serials {
            serials.push(&serial.uuid());
            kinds.push(&row.purpose.number());
        }
    }
    sent.add(serials)?;
    sent.add(ends)?;
    sent.add(kinds)?;
    sent.add(json(rows, |row| row.by.as_ref().map(Who::of))?)
}

/// A column of JSON texts, for the few rows that have any.
fn json<'a, R, T: Serialize + 'a>(
    rows: &'a [R],
    part: impl Fn(&'a R) -> Option<T>,
) -> Result<Column<String>, Failure> {
    let text = |row| {
        part(row)
            .map(|part| serde_json::to_string(&part))
            .transpose()
    };
    let texts: Vec<Option<String>> = rows
        .iter()
        .map(text)
        .collect::<Result<_, _>>()
        .map_err(|_| Failure::Item)?;
    Ok(Column::of_some(texts.into_iter()))
}
