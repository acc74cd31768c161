//! Whatever somebody sends, a parser reads it or refuses it: it never panics, and what it reads it writes
//! as it was read. A case that failed once is kept beside this file and tried first from then on.

use engine::{
    api_keys::{KeyKind, KeyText, Scope},
    clock::EPOCH,
    fulfillments::{Email, OrderId},
    ids::{FulfillmentId, KeyId, ProductId},
    inventory::import::{Duplicates, Refusal, Upload},
    money::{Currency, Money},
    random::SeededRandom,
};
use proptest::{prelude::*, test_runner::FileFailurePersistence};

/// Digits, points and what stands around them in what people type.
const NUMBERS: &str = r"[0-9.,+\-eE _]{0,24}|[0-9]{1,30}(\.[0-9]{0,6})?";

fn config() -> ProptestConfig {
    let kept = FileFailurePersistence::WithSource("proptest-regressions");
    ProptestConfig {
        cases: 2000,
        failure_persistence: Some(Box::new(kept)),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn amount_is_exactly_the_number_that_was_written(text in NUMBERS, code in "USD|JPY|KWD") {
        let currency = Currency::parse(&code).expect("a currency");
        let decimals = usize::from(currency.decimals());
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let plain = !whole.is_empty() && digits(whole) && digits(fraction) && !text.ends_with('.');
        let read = currency.parse_amount(&text).ok().map(Money::minor);
        let exact = format!("{whole}{fraction:0<decimals$}");
        let minor = exact.parse::<i64>().ok().filter(|minor| *minor <= 999_999_999_999);
        let expected = minor.filter(|_| plain && fraction.len() <= decimals);
        prop_assert_eq!(read, expected, "{}", text);
    }

    #[test]
    fn any_text_is_no_amount_or_reads_back(text: String) {
        if let Ok(amount) = Currency::USD.parse_amount(&text) {
            let written = Currency::USD.display(amount).to_string();
            prop_assert_eq!(Currency::USD.parse_amount(&written), Ok(amount));
        }
    }

    #[test]
    fn any_text_is_no_id_or_reads_back(text in "(prd|ful|key|)_?[0-7a-z]{0,27}|.{0,40}") {
        if let Some(id) = ProductId::parse(&text) {
            prop_assert_eq!(id.to_string(), text.clone());
        }
        if let Some(id) = FulfillmentId::parse(&text) {
            prop_assert_eq!(id.to_string(), text.clone());
        }
        // An id has one type.
        prop_assert!(ProductId::parse(&text).is_none() || KeyId::parse(&text).is_none());
    }

    #[test]
    fn any_text_is_no_key(text in "(crk|cmk)_(live|test)_[0-9a-z]{26}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}|.{0,120}") {
        // Four thousand million to one that a random text has the right checksum.
        prop_assert!(KeyText::parse(&text).is_none());
    }

    #[test]
    fn key_survives_no_change(seed: u64, at in 0_usize..90, put in "[ -~]") {
        let random = SeededRandom::new(seed);
        let id = KeyId::generate(EPOCH, &random);
        let key = KeyText::generate(KeyKind::Merchant, true, id, &random).expose();
        let text = key.expose();
        prop_assert_eq!(KeyText::parse(text).map(|read| read.id), Some(id));
        let at = at % text.len();
        let changed = format!("{}{put}{}", &text[..at], &text[at + 1..]);
        prop_assert!(changed == text || KeyText::parse(&changed).is_none());
        let longer = format!("{}{put}{}", &text[..at], &text[at..]);
        prop_assert!(KeyText::parse(&longer).is_none());
        prop_assert!(KeyText::parse(&text[..at]).is_none());
    }

    #[test]
    fn any_text_is_no_scope_or_reads_back(text in "[a-z_]{0,20}\\.(read|write)|.{0,30}") {
        if let Some(scope) = Scope::parse(&text) {
            prop_assert_eq!(scope.name(), text);
        }
    }

    #[test]
    fn order_id_is_kept_byte_for_byte(text in "consign:.{0,4}|[ a-z]{0,6}|.{0,140}|\\PC{0,140}") {
        if let Ok(id) = OrderId::parse(&text) {
            prop_assert_eq!(id.as_str(), text.as_str());
            prop_assert!((1..=128).contains(&text.chars().count()));
            prop_assert!(!text.chars().any(char::is_control) && text.trim() == text);
            prop_assert!(!text.starts_with("consign:"));
        }
    }

    #[test]
    fn address_is_read_once_and_for_all(text in "[ A-Za-z0-9.+_@-]{0,40}|[a-z.]{1,9}@[a-zA-Z.-]{1,12}|.{0,60}") {
        if let Some(email) = Email::parse(&text) {
            let read = email.as_str();
            prop_assert!(read.len() <= 254 && read.matches('@').count() == 1);
            prop_assert!(!read.contains(char::is_whitespace) && !read.contains(char::is_uppercase));
            let again = Email::parse(read);
            prop_assert_eq!(again.as_ref().map(Email::as_str), Some(read));
        }
    }

    /// A serial per line that says anything; a refusal names lines that there are.
    #[test]
    fn upload_is_read_whole_or_refused_by_line(
        lines in prop::collection::vec("[A-C]{0,2}|[ -~]{0,12}|.{0,6}", 0..12),
        remove: bool,
    ) {
        let duplicates = if remove { Duplicates::Remove } else { Duplicates::Refuse };
        match Upload::read(lines.iter().map(String::as_str), duplicates) {
            Ok(_) => prop_assert!(lines.iter().any(|line| !line.trim().is_empty())),
            Err(Refusal::Lines { problems, .. }) => {
                prop_assert!(!problems.is_empty());
                for problem in problems {
                    let line = lines.get(problem.line as usize - 1);
                    prop_assert!(line.is_some_and(|line| !line.is_empty()));
                }
            }
            Err(_) => {}
        }
    }
}
