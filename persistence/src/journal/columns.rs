//! Columns of a batch, written as Postgres reads them.
//!
//! A batch goes out as one array per column. They are written here in the binary form of an array,
//! once, with the space of the whole batch taken at the start; the driver's own way costs a detour
//! per element.

use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use sqlx::{
    Encode, Postgres, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo},
};
use uuid::Uuid;

/// Dimensions, null flag, element type, length, lower bound.
const HEADER_LEN: usize = 20;
/// Postgres counts microseconds from 2000-01-01, UTC.
const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// What can be in a column: the element's type, and its bytes behind their length.
pub(super) trait Cell {
    type Sql: PgHasArrayType;
    const OID: u32;
    const SIZE: usize;
    fn put(&self, bytes: &mut Vec<u8>);
}

/// An array that is being written. An empty one reads as NULL for every row of `unnest`.
pub(super) struct Column<T: Cell> {
    bytes: Vec<u8>,
    count: i32,
    nulls: bool,
    cells: PhantomData<fn(T)>,
}

impl<T: Cell> Column<T> {
    pub(super) fn with_capacity(cells: usize) -> Self {
        let mut bytes = Vec::with_capacity(HEADER_LEN + cells * (4 + T::SIZE));
        bytes.resize(HEADER_LEN, 0);
        Self {
            bytes,
            count: 0,
            nulls: false,
            cells: PhantomData,
        }
    }

    pub(super) fn of(cells: impl ExactSizeIterator<Item = T>) -> Self {
        let mut column = Self::with_capacity(cells.len());
        for cell in cells {
            column.push(&cell);
        }
        column
    }

    /// A column in which most rows have nothing; without any, it is empty and costs nothing.
    pub(super) fn of_some(cells: impl ExactSizeIterator<Item = Option<T>> + Clone) -> Self {
        if cells.clone().all(|cell| cell.is_none()) {
            return Self::with_capacity(0);
        }
        let mut column = Self::with_capacity(cells.len());
        for cell in cells {
            match cell {
                Some(cell) => column.push(&cell),
                None => column.push_null(),
            }
        }
        column
    }

    pub(super) fn push(&mut self, cell: &T) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        cell.put(&mut self.bytes);
        let len = i32::try_from(self.bytes.len() - start - 4).expect("a batch is far below 2 GiB");
        self.bytes[start..start + 4].copy_from_slice(&len.to_be_bytes());
        self.count += 1;
    }

    fn push_null(&mut self) {
        self.bytes.extend_from_slice(&(-1_i32).to_be_bytes());
        self.count += 1;
        self.nulls = true;
    }

    fn header(&self) -> [u8; HEADER_LEN] {
        let mut header = [0; HEADER_LEN];
        let fields = [
            1,
            i32::from(self.nulls),
            T::OID.cast_signed(),
            self.count,
            1,
        ];
        for (place, field) in header.chunks_exact_mut(4).zip(fields) {
            place.copy_from_slice(&field.to_be_bytes());
        }
        header
    }
}

impl<T: Cell> Type<Postgres> for Column<T> {
    fn type_info() -> PgTypeInfo {
        T::Sql::array_type_info()
    }
}

impl<T: Cell> Encode<'_, Postgres> for Column<T> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.reserve(self.bytes.len());
        buffer.extend_from_slice(&self.header());
        buffer.extend_from_slice(&self.bytes[HEADER_LEN..]);
        Ok(IsNull::No)
    }
}

impl Cell for i16 {
    type Sql = Self;
    const OID: u32 = 21;
    const SIZE: usize = 2;
    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.to_be_bytes());
    }
}

impl Cell for i32 {
    type Sql = Self;
    const OID: u32 = 23;
    const SIZE: usize = 4;
    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.to_be_bytes());
    }
}

impl Cell for i64 {
    type Sql = Self;
    const OID: u32 = 20;
    const SIZE: usize = 8;
    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.to_be_bytes());
    }
}

impl Cell for Uuid {
    type Sql = Self;
    const OID: u32 = 2950;
    const SIZE: usize = 16;
    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(self.as_bytes());
    }
}

impl Cell for DateTime<Utc> {
    type Sql = Self;
    const OID: u32 = 1184;
    const SIZE: usize = 8;
    fn put(&self, bytes: &mut Vec<u8>) {
        (self.timestamp_micros() - EPOCH_MICROS).put(bytes);
    }
}

impl Cell for &str {
    type Sql = Self;
    const OID: u32 = 25;
    const SIZE: usize = 24;
    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(self.as_bytes());
    }
}

impl Cell for String {
    type Sql = Self;
    const OID: u32 = 25;
    const SIZE: usize = 128;
    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(self.as_bytes());
    }
}

impl Cell for &[u8] {
    type Sql = Self;
    const OID: u32 = 17;
    const SIZE: usize = 16;
    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(self);
    }
}
