//! Lists as CSV: streamed with a header row, for spreadsheets and scripts.
//!
//! Keeps: no cell becomes a formula in a spreadsheet, whoever typed it; a number stays one; memory
//! holds a few rows, however long the list is.

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
    /// `attachment`, and the name of the file that a browser keeps it in.
    const DISPOSITION: &'static str;
    const HEADER: &'static [&'static str];

    /// As many as the header has.
    fn cells(&self) -> Vec<String>;
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
    let header = write([R::HEADER.iter().map(|&name| name.to_owned()).collect()]);
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
    for (name, value) in [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, R::DISPOSITION),
    ] {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

fn write(rows: impl IntoIterator<Item = Vec<String>>) -> Bytes {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer
            .write_record(row.into_iter().map(harmless))
            .expect("rows of one list have the same cells");
    }
    writer
        .into_inner()
        .expect("memory takes all that is written")
        .into()
}

/// The cell as a spreadsheet shows it and never executes it. A plain number is no formula, though it
/// may begin with a minus.
fn harmless(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) && !is_number(&cell) {
        format!("'{cell}")
    } else {
        cell
    }
}

fn is_number(cell: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = cell.strip_prefix('-').unwrap_or(cell);
    match unsigned.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(unsigned),
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use proptest::prelude::*;

    use super::*;

    struct Pair(&'static str, &'static str);

    impl Row for Pair {
        const DISPOSITION: &'static str = "attachment; filename=\"pairs.csv\"";
        const HEADER: &'static [&'static str] = &["one", "other"];

        fn cells(&self) -> Vec<String> {
            vec![self.0.to_owned(), self.1.to_owned()]
        }
    }

    #[tokio::test]
    async fn list_is_a_named_file_with_a_header_row_and_harmless_cells() {
        let rows = [
            Ok(Pair("-1.50", "=1+1")),
            Ok(Pair("2", "a,\"b\"")),
            Ok(Pair("+3", "@x")),
        ];
        let response = answer(stream::iter(rows));
        let head = response.headers();
        assert_eq!(head["content-type"], "text/csv; charset=utf-8");
        let disposition = &head["content-disposition"];
        assert_eq!(disposition, "attachment; filename=\"pairs.csv\"");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, "one,other\n-1.50,'=1+1\n2,\"a,\"\"b\"\"\"\n'+3,'@x\n");
    }

    #[tokio::test]
    async fn failure_ends_the_answer_early() {
        let failed = persistence::Error::Inconsistent { what: "a test" };
        let rows = stream::iter([Ok(Pair("1", "a")), Err(failed)]);
        assert!(answer(rows).into_body().collect().await.is_err());
    }

    #[test]
    fn whatever_could_be_executed_is_quoted() {
        for cell in [
            "=1+1", "+1", "-", "-1-1", "-1.", "-.5", "--1", "-1e9", "-1.0.0", "@SUM(A1)", "\t=1",
            "\r=1", "\n=1", "-1|cmd",
        ] {
            assert_eq!(harmless(cell.to_owned()), format!("'{cell}"));
        }
        for cell in ["", "a=b", "1+1", "-1", "-1.50", "a-b", "'=1"] {
            assert_eq!(harmless(cell.to_owned()), cell);
        }
    }

    proptest! {
        #[test]
        fn any_cells_are_read_back_as_they_were_made_harmless(
            rows in prop::collection::vec(prop::collection::vec(any::<String>(), 3), 1..5),
        ) {
            let written = write(rows.clone());
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .from_reader(written.as_ref());
            let read: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
            prop_assert_eq!(read.len(), rows.len());
            for (read, row) in read.iter().zip(&rows) {
                for (cell, typed) in read.iter().zip(row) {
                    prop_assert_eq!(cell.strip_prefix('\'').unwrap_or(cell), typed.strip_prefix('\'').unwrap_or(typed));
                    let executed = cell.starts_with(['=', '+', '@', '\t', '\r', '\n']);
                    prop_assert!(!executed, "{cell}");
                    prop_assert!(!cell.starts_with('-') || is_number(cell), "{cell}");
                }
            }
        }
    }
}
