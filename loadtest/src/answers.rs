//! What a run asked and was answered, kept for the audit.
//!
//! Keeps: a call is noted before it is sent, so that one without an answer is known; answers are read
//! with a few searches, as the generator shares the machine with what it measures; an answer that
//! cannot be read is unknown, never good.

use std::{
    borrow::Cow,
    sync::{Arc, LazyLock},
    time::Instant,
};

use ::auditor::{Answer, Answered, Body, Delivered, Delivery, Id, Invocation, Line, Sku};
use memchr::memmem;

use crate::{
    cast::{Asked, Cast},
    client,
};

static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The calls of one worker.
pub(crate) struct Answers {
    client: u32,
    /// First part of its order ids.
    prefix: String,
    cast: Arc<Cast>,
    calls: Vec<Call>,
}

struct Call {
    asked: Asked,
    sent_at: u64,
    answered: Option<Answered>,
}

/// Nanoseconds of the clock that all calls share.
fn now() -> u64 {
    u64::try_from(EPOCH.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

impl Answers {
    pub(crate) const fn new(client: u32, prefix: String, cast: Arc<Cast>) -> Self {
        Self {
            client,
            prefix,
            cast,
            calls: Vec::new(),
        }
    }

    /// Notes a request about to be sent; gives the place of its first order.
    pub(crate) fn sent(&mut self, asked: &[Asked]) -> usize {
        let (first, sent_at) = (self.calls.len(), now());
        self.calls.extend(asked.iter().map(|asked| Call {
            asked: *asked,
            sent_at,
            answered: None,
        }));
        first
    }

    /// Notes the answer to the request whose first order has this place.
    pub(crate) fn answered(&mut self, first: usize, rows: usize, answer: &client::Answer<'_>) {
        let at = now();
        if let Some(calls) = self.calls.get_mut(first..first + rows) {
            if let [call] = calls {
                let answer = read(answer.status, answer.body);
                call.answered = Some(Answered { at, answer });
            } else {
                let mut results = results(answer);
                for call in calls {
                    let answer = results.next().unwrap_or(Answer::Unknown);
                    call.answered = Some(Answered { at, answer });
                }
            }
        }
    }

    /// All that was kept; what follows begins anew.
    pub(crate) fn take(&mut self) -> Self {
        Self {
            client: self.client,
            prefix: self.prefix.clone(),
            cast: Arc::clone(&self.cast),
            calls: std::mem::take(&mut self.calls),
        }
    }

    /// Orders answered as delivered.
    pub(crate) fn acknowledged(&self) -> usize {
        let answers = self.calls.iter().filter_map(|call| call.answered.as_ref());
        answers
            .filter(|answered| matches!(answered.answer, Answer::Delivered(_)))
            .count()
    }

    /// All of it as the auditor reads it, but for the accounts that the keys stand for.
    pub(crate) fn invocations(&self) -> impl Iterator<Item = Invocation> {
        let keys: Vec<Option<Id>> = self.cast.resellers.iter().map(|r| key_id(&r.key)).collect();
        let products: Vec<Vec<Id>> = self
            .cast
            .resellers
            .iter()
            .map(|r| ids(&r.product_ids))
            .collect();
        (0..).zip(&self.calls).map(move |(sequence, call)| {
            let Asked {
                number,
                reseller,
                product,
            } = call.asked;
            let product = products[reseller].get(product).copied().unwrap_or_default();
            let sku = Sku {
                product,
                variant: None,
            };
            let body = Body {
                lines: [Line { sku, quantity: 1 }].into(),
                rest: Id(number.into()),
            };
            Invocation {
                client: self.client,
                sequence,
                sent_at: call.sent_at,
                account: None,
                key: keys[reseller],
                call: ::auditor::Call::Fulfill {
                    order_id: format!("{}-{number}", self.prefix).into(),
                    body,
                    max_total: None,
                },
                answered: call.answered.clone(),
            }
        })
    }
}

fn ids(texts: &[String]) -> Vec<Id> {
    let ids = texts.iter().map(|text| Id::of_text(text));
    ids.map(Option::unwrap_or_default).collect()
}

/// `crk_live_<id>_<secret>_<checksum>`.
fn key_id(key: &str) -> Option<Id> {
    let id = key.split('_').nth(2)?;
    Id::of_text(&format!("key_{id}"))
}

/// The rows of an answer to a bulk call.
fn results<'a>(answer: &client::Answer<'a>) -> impl Iterator<Item = Answer> + use<'a> {
    const ROW: &[u8] = b"{\"index\":";
    let rows = if answer.status == 200 {
        answer.body
    } else {
        &[]
    };
    let starts: Vec<usize> = memmem::find_iter(rows, ROW).collect();
    let ends = starts.iter().skip(1).copied().chain([rows.len()]);
    let ranges: Vec<(usize, usize)> = starts.iter().copied().zip(ends).collect();
    ranges.into_iter().map(|(from, to)| {
        let row = &rows[from..to];
        let status = after(row, b"\"status\":").and_then(|digits| digits.get(..3));
        let status = status
            .and_then(number)
            .and_then(|status| u16::try_from(status).ok());
        read(status.unwrap_or_default(), row)
    })
}

/// One order's answer.
fn read(status: u16, body: &[u8]) -> Answer {
    match status {
        200 | 201 => delivery(body, status == 200).map_or(Answer::Unknown, Answer::Delivered),
        _ => match text(body, b"\"code\":\"") {
            Some(b"OUTCOME_UNKNOWN" | b"INTERNAL_ERROR") | None => Answer::Unknown,
            Some(code) => Answer::Refused(Cow::Owned(String::from_utf8_lossy(code).into_owned())),
        },
    }
}

fn delivery(body: &[u8], replayed: bool) -> Option<Delivery> {
    const ITEM: &[u8] = b"{\"id\":\"fit_";
    let id = after(body, b"\"id\":\"ful_")?;
    let items = memmem::find_iter(body, ITEM).map(|at| &body[at + ITEM.len()..]);
    let serials = items.map(|item| {
        Some(Delivered {
            id: public(item)?,
            secret: Id::digest(text(item, b"\"serial\":\"")?),
        })
    });
    let created_at = std::str::from_utf8(text(body, b"\"created_at\":\"")?).ok()?;
    Some(Delivery {
        id: public(id)?,
        replayed,
        cost: minor(text(body, b"\"total\":\"")?)?,
        created_at: chrono::DateTime::parse_from_rfc3339(created_at)
            .ok()?
            .timestamp_micros(),
        serials: serials.collect::<Option<_>>()?,
    })
}

fn public(digits: &[u8]) -> Option<Id> {
    Id::of_digits(digits.get(..26)?)
}

/// An amount with all its digits, in minor units.
fn minor(amount: &[u8]) -> Option<i64> {
    let digits: Vec<u8> = amount
        .iter()
        .copied()
        .filter(|byte| *byte != b'.')
        .collect();
    number(&digits)
}

fn number(digits: &[u8]) -> Option<i64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn after<'a>(body: &'a [u8], field: &[u8]) -> Option<&'a [u8]> {
    memmem::find(body, field).map(|at| &body[at + field.len()..])
}

/// What a field holds, up to its closing quote.
fn text<'a>(body: &'a [u8], field: &[u8]) -> Option<&'a [u8]> {
    after(body, field)?.split(|byte| *byte == b'"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = r#"{"success":true,"data":{"id":"ful_01h455vb4pex5vsknk084sn02q",
        "external_order_id":"r-0","status":"DELIVERED","total":"12.05","serials":["KEY-1"],
        "lines":[{"id":"fln_01h455vb4pex5vsknk084sn02q","items":[
        {"id":"fit_01h455vb4pex5vsknk084sn02r","serial":"KEY-1"}]}],"reused":false,
        "created_at":"2026-11-23T08:00:00.405Z"}}"#;

    fn delivered(answer: Answer) -> Delivery {
        match answer {
            Answer::Delivered(delivery) => delivery,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn success_is_read_with_all_it_says() {
        let read = delivered(read(201, ANSWER.as_bytes()));
        assert_eq!(Some(read.id), Id::of_text("ful_01h455vb4pex5vsknk084sn02q"));
        assert_eq!((read.cost, read.replayed), (1_205, false));
        assert_eq!(read.created_at, 1_795_420_800_405_000);
        let serial = read.serials[0];
        assert_eq!(
            Some(serial.id),
            Id::of_text("fit_01h455vb4pex5vsknk084sn02r")
        );
        assert_eq!(serial.secret, Id::digest(b"KEY-1"));
    }

    #[test]
    fn each_row_of_a_bulk_answer_is_an_answer() {
        let row = ANSWER.replace('\n', "");
        let body = format!(
            r#"{{"data":{{"results":[{{"index":0,"status":201,"fulfillment":{row}}},
            {{"index":1,"status":409,"code":"OUT_OF_STOCK","fulfillment":null}}]}}}}"#
        );
        let answer = client::Answer {
            status: 200,
            body: body.as_bytes(),
        };
        let rows: Vec<Answer> = results(&answer).collect();
        assert_eq!(rows.len(), 2);
        assert_eq!(delivered(rows[0].clone()).cost, 1_205);
        assert_eq!(rows[1], Answer::Refused("OUT_OF_STOCK".into()));
    }

    #[test]
    fn what_cannot_be_read_is_unknown() {
        assert_eq!(read(201, b"{}"), Answer::Unknown);
        assert_eq!(read(500, b""), Answer::Unknown);
        let unknown = br#"{"error":{"code":"OUTCOME_UNKNOWN"}}"#;
        assert_eq!(read(503, unknown), Answer::Unknown);
        let shed = br#"{"error":{"code":"OVERLOADED"}}"#;
        assert_eq!(read(503, shed), Answer::Refused("OVERLOADED".into()));
    }

    #[test]
    fn id_of_a_key_is_in_its_text() {
        let key = "crk_live_01h455vb4pex5vsknk084sn02q_abc_123";
        assert_eq!(key_id(key), Id::of_text("key_01h455vb4pex5vsknk084sn02q"));
    }
}
