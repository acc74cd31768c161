//! What a key may be made with, and what becomes of it.

use chrono::TimeDelta;

use super::*;
use crate::{clock::EPOCH, money::Money, random::SeededRandom};

fn key(change: impl FnOnce(&mut ApiKey)) -> ApiKey {
    let random = SeededRandom::new(1);
    let mut key = ApiKey {
        id: KeyId::generate(EPOCH, &random),
        kind: KeyKind::Reseller,
        digest: [0; 32],
        merchant: MerchantId::generate(EPOCH, &random),
        reseller: None,
        test: false,
        name: "Shop".to_owned(),
        last4: "abcd".to_owned(),
        scopes: Scopes::default(),
        ip_allow_list: Vec::new(),
        rate_limit_per_second: None,
        created_at: EPOCH,
        expires_at: None,
        revoked_at: None,
        retires_at: None,
        replaced_by: None,
        replaces: None,
        url_secret: None,
    };
    change(&mut key);
    key
}

fn hour(hour: i64) -> Timestamp {
    EPOCH + TimeDelta::hours(hour)
}

#[test]
fn key_is_what_its_dates_say() {
    for (expires, retires, revoked, at, state) in [
        (None, None, None, 0, State::Active),
        (Some(2), None, None, 1, State::Active),
        (Some(2), None, None, 2, State::Expired),
        (None, Some(2), None, 1, State::Retiring),
        (None, Some(2), None, 2, State::Expired),
        (Some(1), Some(2), None, 1, State::Expired),
        (Some(2), Some(2), Some(1), 1, State::Revoked),
    ] {
        let key = key(|key| {
            key.expires_at = expires.map(hour);
            key.retires_at = retires.map(hour);
            key.revoked_at = revoked.map(hour);
        });
        assert_eq!(key.state(hour(at)), state);
        let lives = matches!(state, State::Active | State::Retiring);
        assert_eq!(key.is_live(hour(at)), lives);
    }
}

#[test]
fn of_a_chain_at_most_two_keys_are_alive() {
    let first = key(|_| {});
    assert_eq!(first.rotated(None, 24, hour(0)), Ok(hour(24)));
    let retiring = key(|key| key.retires_at = Some(hour(24)));
    let state = NotRotated::State(State::Retiring);
    assert_eq!(retiring.rotated(None, 1, hour(1)), Err(state));
    let second = key(|_| {});
    assert_eq!(
        second.rotated(Some(&retiring), 24, hour(23)),
        Err(NotRotated::PredecessorLives)
    );
    assert_eq!(second.rotated(Some(&retiring), 0, hour(24)), Ok(hour(24)));
}

#[test]
fn unfit_keys_are_refused_for_their_reason() {
    let of = |scopes: &[Scope]| scopes.iter().copied().collect::<Scopes>();
    let (both, affiliate) = (Holder::Buyer, Holder::Reader);
    let cap = Some(Money::ZERO);
    let years = |years: i64| Some(EPOCH + TimeDelta::days(365 * years));
    let write = of(&[Scope::FulfillmentsWrite]);
    let dynamic = of(&[Scope::DynamicWrite]);
    for (holder, scopes, cap, expires_at, checked) in [
        (both, write, None, None, Ok(())),
        (both, dynamic, cap, years(1), Ok(())),
        (affiliate, of(&[Scope::BalanceRead]), None, None, Ok(())),
        (Holder::Merchant, of(&[Scope::All]), None, None, Ok(())),
        (both, of(&[]), None, None, Err(Unfit::NoScope)),
        (
            both,
            of(&[Scope::All]),
            None,
            None,
            Err(Unfit::ForeignScope(Scope::All)),
        ),
        (
            Holder::Merchant,
            write,
            None,
            None,
            Err(Unfit::ForeignScope(Scope::FulfillmentsWrite)),
        ),
        (
            affiliate,
            write,
            None,
            None,
            Err(Unfit::ModeExcludes(Scope::FulfillmentsWrite)),
        ),
        (both, dynamic, None, None, Err(Unfit::CapMissing)),
        (both, write, None, Some(EPOCH), Err(Unfit::Expiry)),
        (both, write, None, years(3), Err(Unfit::Expiry)),
    ] {
        assert_eq!(check(holder, scopes, cap, expires_at, EPOCH), checked);
    }
}
