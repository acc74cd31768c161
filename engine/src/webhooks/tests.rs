//! The schedule of attempts and the health of an address, on a clock that is an argument.

use chrono::TimeDelta;

use super::*;
use crate::{
    clock::{EPOCH, Timestamp},
    random::SeededRandom,
};

fn at(seconds: i64) -> Timestamp {
    EPOCH + TimeDelta::seconds(seconds)
}

const REFUSED: Outcome = Outcome::Failed(Failure::Status);

#[test]
fn attempts_come_at_the_documented_times_within_a_tenth() {
    let random = SeededRandom::new(5);
    let meant = [5, 300, 1800, 7200, 18_000, 36_000, 50_400];
    for (attempts, seconds) in (1..).zip(meant) {
        let mut seen = [i64::MAX, i64::MIN];
        for _ in 0..500 {
            let next = next_attempt(attempts, false, at(0), &random).unwrap();
            let waited = (next - at(0)).num_milliseconds();
            assert!(
                (seconds * 900..=seconds * 1100).contains(&waited),
                "{waited}"
            );
            seen = [seen[0].min(waited), seen[1].max(waited)];
        }
        assert!(
            seen[0] < seconds * 920 && seen[1] > seconds * 1080,
            "{seen:?}"
        );
    }
    assert_eq!(next_attempt(ATTEMPTS_MAX, false, at(0), &random), None);
    assert_eq!(next_attempt(1, true, at(0), &random), None);
}

#[test]
fn address_that_fails_rests_longer_and_longer_and_is_tried_once_at_a_time() {
    let mut health = Health::default();
    let mut rests = Vec::new();
    for attempt in 0..16 {
        let Verdict::Goes(next) = health.after(&[REFUSED], at(attempt)) else {
            panic!("it failed for seconds only");
        };
        health = next;
        assert_eq!(health.at_once(), if attempt < 7 { AT_ONCE_MAX } else { 1 });
        let rest = health.rests_until.map(|until| until - at(attempt));
        rests.push(rest.map_or(0, |rest| rest.num_seconds()));
    }
    let expected = [0, 0, 0, 0, 0, 0, 0, 5, 10, 20, 40, 80, 160, 300, 300, 300];
    assert_eq!(rests, expected);
    assert_eq!(health.failing_since, Some(at(0)));
    let taken = health.after(&[REFUSED, Outcome::Delivered], at(99));
    assert_eq!(taken, Verdict::Goes(Health::default()));
    assert_eq!(health.after(&[], at(99)), Verdict::Goes(health));
}

#[test]
fn address_is_given_up_after_five_days_without_a_success() {
    let day = 86_400;
    for (failures, since, now, given_up) in [
        (19, 0, 5 * day, true),
        (19, 0, 5 * day - 1, false),
        (18, 0, 5 * day, false),
        (500, 0, 6 * day, true),
        (500, 4 * day, 6 * day, false),
    ] {
        let health = Health {
            failures,
            failing_since: Some(at(since)),
            rests_until: None,
        };
        let verdict = health.after(&[REFUSED], at(now));
        let is_given_up = matches!(verdict, Verdict::GivenUp(_));
        assert_eq!(is_given_up, given_up, "{failures} since {since} at {now}");
    }
}

#[test]
fn names_read_back() {
    for status in [Status::Active, Status::Paused, Status::Disabled] {
        assert_eq!(Status::parse(status.name()), Some(status));
    }
    for stage in [
        Stage::Pending,
        Stage::Retrying,
        Stage::Delivered,
        Stage::Failed,
    ] {
        assert_eq!(Stage::parse(stage.name()), Some(stage));
    }
    for name in [
        "STATUS",
        "TIMEOUT",
        "UNREACHABLE",
        "ADDRESS_NOT_ALLOWED",
        "EVENT_GONE",
    ] {
        assert_eq!(Failure::parse(name).unwrap().name(), name);
    }
}

#[test]
fn resellers_hear_nothing_of_what_is_the_merchants_alone() {
    assert!(is_told(Kind::SerialsImported, false));
    assert!(!is_told(Kind::SerialsImported, true));
    assert!(is_told(Kind::FulfillmentCreated, true));
    assert!(Wanted::Only(vec![Kind::KeyRevoked]).wants(Kind::KeyRevoked));
    assert!(!Wanted::Only(vec![Kind::KeyRevoked]).wants(Kind::BalanceLow));
    assert!(Wanted::All.wants(Kind::BalanceLow));
}
