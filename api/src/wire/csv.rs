//! Lists as CSV: streamed with a header row, for spreadsheets and scripts.
//!
//! Keeps: a text that somebody typed never becomes a formula in a spreadsheet; memory holds a few
//! rows, however long the list is.

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, header},
    response::Response,
};
use futures_util::{Stream, StreamExt as _, stream};

use crate::{error::ApiError, extract::Query};

/// Rows of one chunk of the answer.
const ROWS: usize = 500;

/// One row of a list.
pub(crate) trait Row {
    const HEADER: &'static [&'static str];

    fn cells(&self) -> Vec<Cell>;
}

/// One cell: a text of ours (numbers, ids, times), or one that somebody typed.
pub(crate) enum Cell {
    Own(String),
    Typed(String),
}

/// Whether the list is wanted as CSV.
pub(crate) fn wanted(query: &Query) -> Result<bool, ApiError> {
    match query.get("format") {
        Some("csv") => Ok(true),
        None | Some("json") => Ok(false),
        Some(_) => Err(ApiError::field("format", "must be json or csv")),
    }
}

/// The rows as an answer. A failure on the way ends the answer early, so that it cannot be taken for
/// a whole one.
pub(crate) fn answer<R: Row>(
    rows: impl Stream<Item = Result<R, persistence::Error>> + Send + 'static,
) -> Response {
    let header = R::HEADER
        .iter()
        .map(|name| Cell::Own((*name).to_owned()))
        .collect();
    let header = write([header]);
    let chunks = rows.ready_chunks(ROWS).map(|rows| {
        let rows: Vec<_> = rows
            .into_iter()
            .collect::<Result<_, _>>()
            .inspect_err(|error| {
                tracing::error!(error = %error, "broke off a list");
            })?;
        Ok::<_, persistence::Error>(write(rows.iter().map(Row::cells)))
    });
    let body = stream::once(async { Ok(header) }).chain(chunks);
    let mut response = Response::new(Body::from_stream(body));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/csv; charset=utf-8"),
    );
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment"),
    );
    response
}

fn write(rows: impl IntoIterator<Item = Vec<Cell>>) -> Bytes {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        let cells = row.into_iter().map(Cell::text);
        writer
            .write_record(cells)
            .expect("rows of one list have the same cells");
    }
    writer
        .into_inner()
        .expect("memory takes all that is written")
        .into()
}

impl Cell {
    fn text(self) -> String {
        match self {
            Self::Typed(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => {
                format!("'{text}")
            }
            Self::Own(text) | Self::Typed(text) => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    struct Pair(&'static str, &'static str);

    impl Row for Pair {
        const HEADER: &'static [&'static str] = &["own", "typed"];

        fn cells(&self) -> Vec<Cell> {
            vec![Cell::Own(self.0.to_owned()), Cell::Typed(self.1.to_owned())]
        }
    }

    #[tokio::test]
    async fn typed_text_never_becomes_a_formula() {
        let rows = [
            Ok(Pair("-1.50", "=1+1")),
            Ok(Pair("2", "a,\"b\"")),
            Ok(Pair("3", "@x")),
        ];
        let body = answer(stream::iter(rows))
            .into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes();
        assert_eq!(body, "own,typed\n-1.50,'=1+1\n2,\"a,\"\"b\"\"\"\n3,'@x\n");
    }

    #[tokio::test]
    async fn failure_ends_the_answer_early() {
        let failed = persistence::Error::Inconsistent { what: "a test" };
        let rows = stream::iter([Ok(Pair("1", "a")), Err(failed)]);
        assert!(answer(rows).into_body().collect().await.is_err());
    }
}
