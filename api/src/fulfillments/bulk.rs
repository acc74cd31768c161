//! `POST /reseller/v1/fulfillments/bulk`: up to 100 independent fulfillments in one call.
//!
//! Keeps: a row is what the single call would be, answered beside the others; one row's refusal says
//! nothing about another. Rows are parsed in one pass, and again one by one only if any is wrong.

use std::{fmt, marker::PhantomData};

use axum::{extract::State, http::StatusCode, response::IntoResponse};
use bytes::Bytes;
use engine::{engine::Engine, fulfillments::Channel};
use futures_util::future::join_all;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error as _, SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{answer::Told, create::execute, request::CreateFulfillment};
use crate::{
    auth::{ResellerKey, scope::FulfillmentsWrite},
    error::ApiError,
    extract::body::{self, RawBody},
    wire::{answer::Answer, fields::Object},
};

const ROWS_MAX: usize = 100;
const COUNT: &str = "must have 1 to 100 rows";

/// The whole call; rows are read as they are or, if one is wrong, as raw text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(bound = "Row: Deserialize<'de>")]
struct Bulk<Row> {
    rows: Rows<Row>,
}

/// The rows of a call. Reading ends at the first one too many, so that a body full of small rows costs
/// no more than a hundred of them.
struct Rows<Row>(Vec<Row>);

impl<'de, Row: Deserialize<'de>> Deserialize<'de> for Rows<Row> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reading<Row>(PhantomData<Row>);

        impl<'de, Row: Deserialize<'de>> Visitor<'de> for Reading<Row> {
            type Value = Rows<Row>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut read: A) -> Result<Rows<Row>, A::Error> {
                let mut rows = Vec::new();
                while let Some(row) = read.next_element()? {
                    if rows.len() == ROWS_MAX {
                        return Err(A::Error::custom(COUNT));
                    }
                    rows.push(row);
                }
                Ok(Rows(rows))
            }
        }

        deserializer.deserialize_seq(Reading(PhantomData))
    }
}

/// A row as it was read, or why it was not.
type Row = Result<CreateFulfillment, (Option<String>, ApiError)>;

#[derive(Serialize, ToSchema)]
#[schema(as = BulkResult)]
pub(crate) struct Answers {
    results: Vec<RowAnswer>,
    succeeded: usize,
    failed: usize,
}

#[derive(Serialize, ToSchema)]
#[schema(as = BulkRow)]
struct RowAnswer {
    index: usize,
    external_order_id: Option<String>,
    status: u16,
    code: Option<&'static str>,
    message: Option<String>,
    #[schema(value_type = Option<super::answer::FulfillmentAnswer>)]
    fulfillment: Option<Told>,
}

pub(crate) async fn reseller(
    State(engine): State<Engine>,
    caller: ResellerKey<FulfillmentsWrite>,
    RawBody(bytes): RawBody,
) -> Result<impl IntoResponse, ApiError> {
    let rows = rows(&bytes)?;
    caller.charge_rest(u32::try_from(rows.len() - 1).unwrap_or(u32::MAX))?;
    let answers = rows
        .into_iter()
        .enumerate()
        .map(|row| answered(&engine, &caller, row));
    let results = join_all(answers).await;
    let succeeded = results
        .iter()
        .filter(|row| row.fulfillment.is_some())
        .count();
    Ok(Answer::ok(Answers {
        failed: results.len() - succeeded,
        results,
        succeeded,
    }))
}

async fn answered(
    engine: &Engine,
    caller: &ResellerKey<FulfillmentsWrite>,
    (index, row): (usize, Row),
) -> RowAnswer {
    let row = match row {
        Ok(row) => row,
        Err((external_order_id, error)) => return refused(index, external_order_id, &error),
    };
    let external_order_id = Some(row.order_id().as_str().to_owned());
    let request = row.into_request(caller, Channel::Bulk, None, engine.vault());
    let told = match request {
        Ok(request) => execute(engine, caller, request).await,
        Err(error) => Err(error),
    };
    match told {
        Ok(told) => {
            let status = if told.reused {
                StatusCode::OK
            } else {
                StatusCode::CREATED
            };
            RowAnswer {
                index,
                external_order_id,
                status: status.as_u16(),
                code: None,
                message: None,
                fulfillment: Some(told),
            }
        }
        Err(error) => refused(index, external_order_id, &error),
    }
}

fn refused(index: usize, external_order_id: Option<String>, error: &ApiError) -> RowAnswer {
    RowAnswer {
        index,
        external_order_id,
        status: error.code().status().as_u16(),
        code: Some(error.code().name()),
        message: Some(error.message().to_owned()),
        fulfillment: None,
    }
}

fn rows(bytes: &Bytes) -> Result<Vec<Row>, ApiError> {
    let rows: Vec<Row> = match serde_json::from_slice::<Bulk<Object<CreateFulfillment>>>(bytes) {
        Ok(bulk) => bulk.rows.0.into_iter().map(|Object(row)| Ok(row)).collect(),
        Err(_) => one_by_one(bytes)?,
    };
    if rows.is_empty() {
        return Err(ApiError::field("rows", COUNT));
    }
    Ok(rows)
}

/// Every row for itself, so that a wrong one does not spoil the others.
#[cold]
fn one_by_one(bytes: &Bytes) -> Result<Vec<Row>, ApiError> {
    let bulk: Bulk<Box<RawValue>> = body::parse(bytes)?;
    let read = |raw: Box<RawValue>| {
        body::parse(raw.get().as_bytes()).map_err(|error| (order_id(raw.get()), error))
    };
    Ok(bulk.rows.0.into_iter().map(read).collect())
}

/// The order id of a row that is wrong elsewhere.
fn order_id(row: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        external_order_id: String,
    }
    serde_json::from_str(row)
        .ok()
        .map(|named: Named| named.external_order_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    fn read(body: &str) -> Result<Vec<Row>, ApiError> {
        rows(&Bytes::copy_from_slice(body.as_bytes()))
    }

    fn row(order: &str) -> String {
        format!(
            r#"{{"external_order_id":"{order}","product_id":"prd_x","customer_email":"ann@example.com"}}"#
        )
    }

    #[test]
    fn wrong_row_does_not_spoil_the_others() {
        let wrong = r#"{"external_order_id":"b","quantity":"x"}"#;
        let body = format!(r#"{{"rows":[{},{wrong},5,{}]}}"#, row("a"), row("c"));
        let read = read(&body).ok().unwrap();
        assert_eq!(read.len(), 4);
        assert_eq!(read[0].as_ref().ok().unwrap().order_id().as_str(), "a");
        let (order, error) = read[1].as_ref().err().unwrap();
        assert_eq!(
            (order.as_deref(), error.code()),
            (Some("b"), Code::ValidationError)
        );
        assert!(matches!(&read[2], Err((None, _))));
        assert!(read[3].is_ok());
    }

    #[test]
    fn envelope_must_be_right_as_a_whole() {
        let many = vec![row("a"); 101].join(",");
        for (body, code) in [
            ("{\"rows\":[]}".to_owned(), Code::ValidationError),
            (format!("{{\"rows\":[{many}]}}"), Code::ValidationError),
            // Nothing is read beyond the first row too many.
            (
                format!("{{\"rows\":[{}0,and nonsense", "0,".repeat(100)),
                Code::BadRequest,
            ),
            (
                format!("{{\"rows\":[{}0]}}", "0,".repeat(500_000)),
                Code::ValidationError,
            ),
            (
                format!("{{\"rows\":[{}],\"x\":1}}", row("a")),
                Code::ValidationError,
            ),
            ("{}".to_owned(), Code::ValidationError),
            ("{\"rows\":[".to_owned(), Code::BadRequest),
        ] {
            assert_eq!(read(&body).err().unwrap().code(), code, "{body:.60}");
        }
    }
}
