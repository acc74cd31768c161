//! Which requests are granted at once, which wait, which are refused.

use super::{DecidedBy, Facts, Reason, Refusal, Status, request};
use crate::{clock::EPOCH, money::Percent, programs::Replacement};

fn facts() -> Facts {
    Facts {
        delivered_at: EPOCH,
        gone: false,
        refunded: false,
        requested: false,
        rule: Replacement {
            window_hours: 168,
            automatic: true,
            percent_max: Percent::from_hundredths(500).unwrap(),
        },
        bought: 100,
        replaced: 4,
    }
}

fn check(change: impl FnOnce(&mut Facts), hours: i64) -> Result<Status, Refusal> {
    let mut facts = facts();
    change(&mut facts);
    request(&facts, EPOCH + chrono::TimeDelta::hours(hours))
}

#[test]
fn requests_are_granted_within_share_and_window_and_wait_or_are_refused_beyond() {
    assert_eq!(check(|_| (), 168), Ok(Status::Issuing));
    assert_eq!(check(|facts| facts.replaced = 5, 1), Ok(Status::Requested));
    assert_eq!(check(|facts| facts.bought = 99, 1), Ok(Status::Requested));
    let by_hand = |facts: &mut Facts| facts.rule.automatic = false;
    assert_eq!(check(by_hand, 1), Ok(Status::Requested));
    assert_eq!(check(|_| (), 169), Err(Refusal::WindowOver));
    assert_eq!(
        check(|facts| facts.refunded = true, 1),
        Err(Refusal::Refunded)
    );
    assert_eq!(check(|facts| facts.gone = true, 1), Err(Refusal::Gone));
    let again = check(|facts| facts.requested = true, 1);
    assert_eq!(again, Err(Refusal::AlreadyRequested));
}

#[test]
fn every_word_reads_back() {
    for reason in Reason::ALL {
        assert_eq!(Reason::parse(reason.name()), Some(reason));
    }
    for status in Status::ALL {
        assert_eq!(Status::parse(status.name()), Some(status));
    }
    for by in [DecidedBy::Auto, DecidedBy::Merchant] {
        assert_eq!(DecidedBy::parse(by.name()), Some(by));
    }
}
