//! What an answer over HTTP means to a shop.
//!
//! Keeps: an answer that is not understood is a defect and counts as not known, never as a no.

use auditor::{Answer, Call, Delivered, Delivery, Id};
use serde_json::Value;

use super::ask::{Ask, Form, Wish};

/// The answer to a call of its own.
pub(super) fn answer(ask: &Ask, status: u16, body: &[u8]) -> Answer {
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return Answer::Unknown;
    };
    if !(200..300).contains(&status) {
        return refusal(body["error"]["code"].as_str());
    }
    let understood = match &ask.wish {
        Wish::Buy { form, .. } => delivered(*form, &body["data"]),
        Wish::Credit { .. } => credited(status, &ask.call, &body["data"]),
        Wish::Import { .. } => imported(&body["data"]),
        Wish::Balance => balance(&body["data"]),
    };
    understood.unwrap_or(Answer::Unknown)
}

/// The answer to a change of terms.
pub(super) fn changed(status: u16, body: &[u8]) -> Answer {
    if (200..300).contains(&status) {
        return Answer::Changed;
    }
    let body = serde_json::from_slice::<Value>(body).unwrap_or_default();
    refusal(body["error"]["code"].as_str())
}

/// The answers to the rows of a bulk call, in their order; fewer if it is not understood.
pub(super) fn rows(status: u16, body: &[u8], asked: usize) -> Vec<Answer> {
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return Vec::new();
    };
    if !(200..300).contains(&status) {
        return vec![refusal(body["error"]["code"].as_str()); asked];
    }
    let Some(results) = body["data"]["results"].as_array() else {
        return Vec::new();
    };
    let answers = results.iter().map(|row| match row["fulfillment"] {
        Value::Null => refusal(row["code"].as_str()),
        ref told => delivered(Form::Fulfillment, told).unwrap_or(Answer::Unknown),
    });
    answers.collect()
}

/// Whether a refusal says what became of the order id, and not only that this attempt was not made.
pub(super) fn is_final(answer: &Answer) -> bool {
    match answer {
        Answer::Unknown => false,
        Answer::Refused(code) => !matches!(
            code.as_ref(),
            "OVERLOADED"
                | "RATE_LIMITED"
                | "ORDER_IN_PROGRESS"
                | "REQUEST_IN_PROGRESS"
                | "UNAUTHORIZED"
        ),
        Answer::Delivered(_)
        | Answer::Absent
        | Answer::Credited { .. }
        | Answer::Balance { .. }
        | Answer::Imported { .. }
        | Answer::Withdrawn { .. }
        | Answer::Changed => true,
    }
}

/// Whether it is what a key hears that was taken out of force: nobody will learn more with it.
pub(super) fn is_revoked(answer: &Answer) -> bool {
    matches!(answer, Answer::Refused(code) if code == "UNAUTHORIZED")
}

fn refusal(code: Option<&str>) -> Answer {
    match code {
        None | Some("OUTCOME_UNKNOWN" | "INTERNAL_ERROR") => Answer::Unknown,
        Some(code) => Answer::Refused(code.to_owned().into()),
    }
}

fn delivered(form: Form, told: &Value) -> Option<Answer> {
    let (order, lines) = match form {
        Form::Fulfillment => (told, &told["lines"]),
        Form::Order => (&told["order"], &told["deliverables"]),
    };
    let mut serials = Vec::new();
    for line in lines.as_array()? {
        for item in line["items"].as_array()? {
            serials.push(Delivered {
                id: Id::of_text(item["id"].as_str()?)?,
                secret: Id::digest(item["serial"].as_str()?.as_bytes()),
            });
        }
    }
    Some(Answer::Delivered(Delivery {
        id: Id::of_text(order["id"].as_str()?)?,
        replayed: order["reused"].as_bool()?,
        cost: minor(&order["total"])?,
        created_at: micros(&order["created_at"])?,
        serials: serials.into(),
    }))
}

fn credited(status: u16, call: &Call, told: &Value) -> Option<Answer> {
    let Call::Credit { .. } = call else {
        return None;
    };
    Some(Answer::Credited {
        id: Id::of_text(told["transaction_id"].as_str()?)?,
        replayed: status == 200,
        amount: minor(&told["amount"])?,
        balance_after: minor(&told["new_balance"])?,
    })
}

fn imported(told: &Value) -> Option<Answer> {
    let count = |field: &str| u32::try_from(told[field].as_u64()?).ok();
    Some(Answer::Imported {
        import: Id::of_text(told["batch_id"].as_str()?)?,
        stored: count("added_count")?,
        duplicates: count("duplicate_count")?,
    })
}

fn balance(told: &Value) -> Option<Answer> {
    Some(Answer::Balance {
        posted: minor(&told["balance"])?,
        available: minor(&told["available"])?,
        version: told["ledger_version"].as_i64(),
    })
}

/// A decimal with two places, in minor units.
fn minor(amount: &Value) -> Option<i64> {
    let (whole, cents) = amount.as_str()?.split_once('.')?;
    if cents.len() != 2 {
        return None;
    }
    format!("{whole}{cents}").parse().ok()
}

fn micros(time: &Value) -> Option<i64> {
    let time = chrono::DateTime::parse_from_rfc3339(time.as_str()?).ok()?;
    Some(time.timestamp_micros())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn delivery_is_read_from_both_forms() {
        let item = json!({"id": "itm_01h455vb4pex5vsknk084sn02q", "serial": "KEY"});
        let lines = json!([{ "items": [item] }]);
        let order = json!({
            "id": "ful_01h455vb4pex5vsknk084sn02q", "reused": true, "total": "12.30",
            "created_at": "2025-12-01T08:00:00.405Z",
        });
        let mut told = order.clone();
        told["lines"] = lines.clone();
        let one = delivered(Form::Fulfillment, &told);
        let other = delivered(Form::Order, &json!({"order": order, "deliverables": lines}));
        assert_eq!(one, other);
        let Some(Answer::Delivered(delivery)) = one else {
            panic!("not understood");
        };
        assert_eq!((delivery.cost, delivery.replayed), (1230, true));
        assert_eq!(delivery.serials[0].secret, Id::digest(b"KEY"));
    }

    #[test]
    fn defect_is_not_a_no() {
        assert_eq!(refusal(Some("INTERNAL_ERROR")), Answer::Unknown);
        assert_eq!(refusal(None), Answer::Unknown);
        assert!(is_final(&refusal(Some("OUT_OF_STOCK"))));
        assert!(!is_final(&refusal(Some("OVERLOADED"))));
    }
}
