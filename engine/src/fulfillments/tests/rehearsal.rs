//! Forced outcomes, and serials that are made for one order of test mode.

use crate::{
    clock::EPOCH,
    fault::Fault,
    fulfillments::rehearsal::{Forced, SLOW, begun, claimed, serials},
    random::SeededRandom,
    testing::World,
};

#[test]
fn prefixes_are_of_one_outcome_each() {
    for one in Forced::ALL {
        let meant = Forced::ALL
            .into_iter()
            .filter(|other| one.prefix().starts_with(other.prefix()));
        assert_eq!(meant.collect::<Vec<_>>(), [one]);
    }
}

#[tokio::test(start_paused = true)]
async fn slow_orders_begin_later_and_overloaded_ones_not_at_all() {
    let started = crate::clock::instant();
    assert_eq!(begun(Forced::Unknown).await, Ok(()));
    assert_eq!(begun(Forced::Overloaded).await, Err(Fault::overloaded()));
    assert_eq!(crate::clock::instant(), started);
    assert_eq!(begun(Forced::Slow).await, Ok(()));
    assert_eq!(crate::clock::instant() - started, SLOW);
}

#[test]
fn serials_say_that_they_are_of_test_mode_and_open() {
    let world = World::new().product("key", 0);
    let merchant = world.merchant.clone();
    let random = SeededRandom::new(1);
    let import = serials((world.sku("key"), 3), &merchant, EPOCH, &random);
    let claimed = claimed(&import);
    assert_eq!(claimed.len(), 3);
    for serial in &claimed {
        let opened = merchant
            .key
            .open_serial(serial.position.serial, &serial.sealed);
        let text = opened.unwrap().expose().to_owned();
        assert!(text.starts_with("TEST-") && text.len() == 24, "{text}");
    }
}
