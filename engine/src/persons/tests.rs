//! When an account locks, which passwords are taken, how long sessions last.

use chrono::TimeDelta;

use super::*;
use crate::clock::{EPOCH, Timestamp};

fn minute(minute: i64) -> Timestamp {
    EPOCH + TimeDelta::minutes(minute)
}

fn failures(count: usize, at: Timestamp) -> Attempts {
    (0..count).fold(Attempts::default(), |attempts, _| attempts.failed(at))
}

#[test]
fn ten_failures_within_a_quarter_of_an_hour_lock_for_as_long() {
    assert!(!failures(9, minute(0)).locked(minute(0)));
    let locked = failures(10, minute(0));
    assert!(locked.locked(minute(14)));
    assert!(!locked.locked(minute(15)));
    let after = locked.failed(minute(15));
    assert_eq!((after.failures, after.locked_until), (1, None));
}

#[test]
fn failures_that_lie_apart_do_not_lock() {
    let mut attempts = Attempts::default();
    for number in 0..100 {
        attempts = attempts.failed(minute(number * 2));
        assert!(!attempts.locked(minute(number * 2)), "{number}");
    }
}

#[test]
fn failure_while_locked_makes_the_lock_no_longer() {
    let locked = failures(10, minute(0));
    assert_eq!(locked.failed(minute(14)), locked);
}

#[test]
fn password_is_long_and_not_among_the_first_that_are_tried() {
    let long = "é".repeat(129);
    let fits = format!("{}rose", "é tiny house ".repeat(9));
    let cases: [(&str, Option<PasswordRefusal>); 17] = [
        ("", Some(PasswordRefusal::Length)),
        ("elevenchars", Some(PasswordRefusal::Length)),
        (&long, Some(PasswordRefusal::Length)),
        (&fits, None),
        ("corréct horse", None),
        ("Tr0ub4dor&33x", None),
        ("q1w2e3r4t5y6", Some(PasswordRefusal::Known)),
        ("Q1W2E3R4T5Y6", Some(PasswordRefusal::Known)),
        ("password12345", Some(PasswordRefusal::Known)),
        ("!!Dragon2024!!", Some(PasswordRefusal::Known)),
        ("monkeymonkey", Some(PasswordRefusal::Known)),
        ("abcdabcdabcd", Some(PasswordRefusal::Known)),
        ("aaaaaaaaaaaa", Some(PasswordRefusal::Known)),
        ("123409876512", Some(PasswordRefusal::Known)),
        ("Ann.Smith@example.com", Some(PasswordRefusal::Known)),
        ("            ", Some(PasswordRefusal::Known)),
        ("lantern-orbit-7-quilt", None),
    ];
    for (password, refusal) in cases {
        let checked = check_password(password, "ann.smith@example.com");
        assert_eq!(checked.err(), refusal, "{password}");
    }
}

#[test]
fn session_ends_when_idle_and_when_old() {
    let times = |last_used| SessionTimes {
        created_at: minute(0),
        last_used_at: minute(last_used),
        stepped_up_at: None,
    };
    assert!(times(0).is_open(minute(29)));
    assert!(!times(0).is_open(minute(30)));
    assert!(times(700).is_open(minute(719)));
    assert!(!times(719).is_open(minute(720)));
}

#[test]
fn step_up_counts_for_ten_minutes() {
    let times = |stepped_up: Option<i64>| SessionTimes {
        created_at: minute(0),
        last_used_at: minute(0),
        stepped_up_at: stepped_up.map(minute),
    };
    assert_eq!(
        times(Some(1)).stepped_up_until(minute(10)),
        Some(minute(11))
    );
    assert_eq!(times(Some(1)).stepped_up_until(minute(11)), None);
    assert_eq!(times(None).stepped_up_until(minute(0)), None);
}

#[test]
fn roles_have_their_names_and_viewers_only_read() {
    for role in [Role::Owner, Role::Manager, Role::Viewer] {
        assert_eq!(Role::parse(role.name()), Some(role));
        let scopes = role.scopes();
        assert_eq!(scopes.contains(Scope::ResellersWrite), role != Role::Viewer);
        assert_eq!(scopes.contains(Scope::All), role != Role::Viewer);
        assert!(scopes.contains(Scope::ResellersRead));
        assert_eq!(
            scopes.contains(Scope::FulfillmentsRead),
            role != Role::Viewer
        );
    }
    assert_eq!(Role::parse("owner"), None);
}
