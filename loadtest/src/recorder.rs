//! What came back, and how fast.
//!
//! Keeps: only answers inside the measured window count; every answer lands in exactly one class;
//! a 201 without a serial is never counted as delivered.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;
use memchr::memmem;

use crate::client::{Answer, Failure};

pub(crate) struct Recorder {
    latency: Histogram<u64>,
    pub(crate) delivered: u64,
    pub(crate) replayed: u64,
    /// By status and code of the contract; failures of the connection by their class.
    pub(crate) refused: BTreeMap<String, u64>,
    pub(crate) failed: BTreeMap<Failure, u64>,
}

/// What one answer was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Delivered,
    Replayed,
    Refused,
}

impl Default for Recorder {
    fn default() -> Self {
        Self {
            latency: Histogram::new_with_bounds(1, 120_000_000, 3)
                .expect("the bounds are constants"),
            delivered: 0,
            replayed: 0,
            refused: BTreeMap::new(),
            failed: BTreeMap::new(),
        }
    }
}

impl Recorder {
    /// One answer to `rows` orders.
    pub(crate) fn answered(&mut self, answer: &Answer<'_>, rows: u64, took: Duration) {
        self.latency
            .saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        match classify(answer, rows) {
            Class::Delivered => self.delivered += rows,
            Class::Replayed => self.replayed += rows,
            Class::Refused => {
                let code = format!("{} {}", answer.status, code(answer.body));
                *self.refused.entry(code).or_default() += 1;
            }
        }
    }

    pub(crate) fn failed(&mut self, failure: Failure) {
        *self.failed.entry(failure).or_default() += 1;
    }

    pub(crate) fn samples(&self) -> u64 {
        self.latency.len()
    }

    /// Milliseconds below which the share `quantile` of all answers came.
    pub(crate) fn quantile_ms(&self, quantile: f64) -> f64 {
        let micros = Duration::from_micros(self.latency.value_at_quantile(quantile));
        micros.as_secs_f64() * 1000.0
    }

    pub(crate) fn failures(&self) -> u64 {
        self.failed.values().sum()
    }

    pub(crate) fn refusals(&self) -> u64 {
        self.refused.values().sum()
    }
}

pub(crate) fn classify(answer: &Answer<'_>, rows: u64) -> Class {
    match answer.status {
        201 if has_serial(answer.body) => Class::Delivered,
        200 if rows > 1 && all_succeeded(answer.body, rows) => Class::Delivered,
        200 if rows == 1 && has_serial(answer.body) => Class::Replayed,
        _ => Class::Refused,
    }
}

/// The echo sends no serials back; its answer is the request, known by its first field.
fn has_serial(body: &[u8]) -> bool {
    const FIELD: &[u8] = b"\"serials\":[\"";
    match memmem::find(body, FIELD) {
        Some(at) => body.get(at + FIELD.len()).is_some_and(|&byte| byte != b'"'),
        None => body.starts_with(b"{\"external_order_id\""),
    }
}

fn all_succeeded(body: &[u8], rows: u64) -> bool {
    memmem::find(body, format!("\"succeeded\":{rows}").as_bytes()).is_some()
        && memmem::find(body, b"\"failed\":0").is_some()
}

/// The code of a refusal; of a bulk answer, of its first refused row.
fn code(body: &[u8]) -> String {
    const FIELD: &[u8] = b"\"code\":\"";
    let found = memmem::find(body, FIELD).map(|at| &body[at + FIELD.len()..]);
    let word = found.and_then(|rest| rest.split(|&byte| byte == b'"').next());
    word.map_or_else(
        || "-".to_owned(),
        |word| String::from_utf8_lossy(word).into_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &'static [u8]) -> Answer<'static> {
        Answer { status, body }
    }

    #[test]
    fn delivery_needs_a_serial() {
        let full = answer(201, b"{\"data\":{\"serials\":[\"LT-1\"]}}");
        let empty = answer(201, b"{\"data\":{\"serials\":[]}}");
        let blank = answer(201, b"{\"data\":{\"serials\":[\"\"]}}");
        assert_eq!(classify(&full, 1), Class::Delivered);
        assert_eq!(classify(&empty, 1), Class::Refused);
        assert_eq!(classify(&blank, 1), Class::Refused);
    }

    #[test]
    fn bulk_counts_only_when_every_row_succeeded() {
        let all = answer(200, b"{\"data\":{\"succeeded\":2,\"failed\":0}}");
        let some = answer(200, b"{\"data\":{\"succeeded\":1,\"failed\":1}}");
        assert_eq!(classify(&all, 2), Class::Delivered);
        assert_eq!(classify(&some, 2), Class::Refused);
    }

    #[test]
    fn refusals_are_counted_by_code() {
        let mut recorder = Recorder::default();
        let refusal = answer(
            409,
            b"{\"error\":{\"code\":\"OUT_OF_STOCK\",\"message\":\"\"}}",
        );
        recorder.answered(&refusal, 1, Duration::from_millis(2));
        recorder.failed(Failure::Closed);
        assert_eq!(recorder.refused["409 OUT_OF_STOCK"], 1);
        assert_eq!(
            (recorder.delivered, recorder.failures(), recorder.samples()),
            (0, 1, 1)
        );
    }

    #[test]
    fn quantiles_come_back_in_milliseconds() {
        let full = answer(201, b"{\"serials\":[\"LT-1\"]}");
        let mut recorder = Recorder::default();
        recorder.answered(&full, 1, Duration::from_millis(1));
        recorder.answered(&full, 1, Duration::from_millis(100));
        assert_eq!((recorder.delivered, recorder.samples()), (2, 2));
        assert!((recorder.quantile_ms(1.0) - 100.0).abs() < 0.2);
        assert!((recorder.quantile_ms(0.5) - 1.0).abs() < 0.01);
    }
}
