//! The book of reservations and the window beside it: pure, and exhaustively in the small.

use super::shelf::{fetched, read, serials};
use crate::{
    ids::WithdrawalId,
    inventory::{
        Reach, ReservedUnits, ShelvedSerial,
        beyond::Beyond,
        messages::Window,
        pool::{Pool, Reserving, Taken, Waiting, Wanted},
        reservations::{Found, Reservations},
    },
};

pub(super) fn id(number: u128) -> WithdrawalId {
    WithdrawalId::from_uuid(uuid::Uuid::from_u128(number))
}

pub(super) fn row(number: u128, quantity: u32) -> ReservedUnits {
    ReservedUnits {
        id: id(number),
        quantity,
        reach: Reach::Shelf,
    }
}

pub(super) fn taken(taken: Taken) -> Vec<ShelvedSerial> {
    match taken {
        Taken::Serials(serials) => serials,
        other => panic!("not taken: {other:?}"),
    }
}

#[test]
fn claims_leave_what_is_reserved_for_others() {
    let mut pool = Pool::new(4, 16);
    fetched(&mut pool, 0..4, false);
    assert!(matches!(
        pool.reserve(id(1), 3, Reach::Shelf),
        Reserving::Done(_)
    ));
    assert_eq!(pool.claim(2), Taken::Out);
    assert_eq!(pool.reserve(id(2), 2, Reach::Shelf), Reserving::Out);
    drop(taken(pool.claim(1)));
    assert_eq!(pool.redeem(id(9), 1), Taken::Out, "nothing is kept for it");
    assert_eq!(taken(pool.redeem(id(1), 3)).len(), 3);
    assert_eq!(pool.redeem(id(1), 3), Taken::Running);
}

/// So many serials from the first one on, and what was counted behind them.
pub(super) fn looked(pool: &mut Pool, numbers: std::ops::Range<u32>, (least, all): (usize, bool)) {
    pool.fetched(Window {
        beyond: Some(Beyond::counted(least, all)),
        ..read(serials(numbers), true)
    });
}

pub(super) fn claims(serials: usize) -> Waiting {
    Waiting {
        serials,
        ..Waiting::default()
    }
}

#[test]
fn units_that_are_reserved_are_counted_before_anybody_is_served() {
    let mut pool = Pool::new(4, 16).reserving(Reservations::stored(vec![row(1, 5)]));
    assert_eq!(pool.claim(1), Taken::Short);
    let wanted = Wanted {
        serials: 4,
        counted: 14,
    };
    assert_eq!(pool.wanted(claims(1), false), Some(wanted));
    looked(&mut pool, 0..4, (2, true));
    drop(taken(pool.claim(1)));
    assert_eq!(pool.claim(1), Taken::Out, "five are left");
    assert_eq!(pool.redeem(id(1), 5), Taken::Short);
    let wanted = Wanted {
        serials: 2,
        counted: 0,
    };
    assert_eq!(pool.wanted(claims(5), false), Some(wanted));
    fetched(&mut pool, 4..6, true);
    assert_eq!(taken(pool.redeem(id(1), 5)).len(), 5);
    assert_eq!(pool.claim(1), Taken::Out);
}

#[test]
fn what_may_be_gone_is_counted_again_before_anybody_is_served() {
    let mut pool = Pool::new(4, 16).reserving(Reservations::stored(vec![row(1, 4)]));
    looked(&mut pool, 0..4, (4, true));
    pool.uncounted();
    assert_eq!(pool.claim(1), Taken::Short, "the four behind may be gone");
    assert!(pool.wanted(claims(1), false).unwrap().counted > 0);
    looked(&mut pool, 4..4, (0, true));
    assert_eq!(pool.claim(1), Taken::Out);
}

#[test]
fn what_is_reserved_is_not_in_the_window() {
    let mut pool = Pool::new(4, 16).reserving(Reservations::stored(vec![row(1, 20_000)]));
    let wanted = Wanted {
        serials: 4,
        counted: 40_004,
    };
    assert_eq!(pool.wanted(claims(1), false), Some(wanted));
    looked(&mut pool, 0..4, (40_004, false));
    assert!(matches!(
        pool.reserve(id(2), 20_000, Reach::Shelf),
        Reserving::Done(_)
    ));
    drop(taken(pool.claim(4)));
    assert_eq!(pool.claim(1), Taken::Short);
    let wanted = pool.wanted(claims(1), false).expect("four to read");
    assert_eq!(wanted.serials, 4);
    looked(&mut pool, 4..8, (wanted.counted, false));
    assert_eq!(pool.reserve(id(3), 50_000, Reach::Shelf), Reserving::Short);
    let waiting = Waiting {
        units: 50_000,
        ..Waiting::default()
    };
    let wanted = pool.wanted(waiting, false).expect("a count");
    assert_eq!((wanted.serials, wanted.counted), (0, 180_004));
    looked(&mut pool, 0..0, (80_000, true));
    assert_eq!(pool.reserve(id(3), 50_000, Reach::Shelf), Reserving::Out);
    drop(taken(pool.claim(4)));
    assert_eq!((pool.in_window(), pool.reservations().units()), (0, 40_000));
}

#[test]
fn those_who_have_not_paid_have_a_quarter_of_the_shelf_and_at_least_an_order() {
    let mut pool = Pool::new(4, 16);
    let (mut ids, mut shared) = (1.., Vec::new());
    let mut reserve = |pool: &mut Pool, quantity, reach| {
        let next = ids.next().expect("endless");
        let Reserving::Done(made) = pool.reserve(id(next), quantity, reach) else {
            return false;
        };
        shared.extend(made);
        true
    };
    looked(&mut pool, 0..4, (196, true));
    assert!(reserve(&mut pool, 100, Reach::Shelf), "somebody said yes");
    assert!(reserve(&mut pool, 20, Reach::Share));
    assert!(reserve(&mut pool, 20, Reach::Share), "beside an order");
    assert!(!reserve(&mut pool, 1, Reach::Share), "forty of a hundred");
    assert!(reserve(&mut pool, 20, Reach::Shelf));
    assert_eq!(pool.reservations().shared(), 40);
    for made in shared.drain(..) {
        pool.reservations_mut().paid(made);
    }
    assert_eq!(pool.reservations().shared(), 0);
    let mut reserve = |number, quantity| pool.reserve(id(number), quantity, Reach::Share);
    let all = matches!(reserve(8, 40), Reserving::Done(_));
    assert!(all, "an order of all there is");
    assert_eq!(reserve(9, 1), Reserving::Out);
    assert_eq!(pool.reservations().units(), 200);
}

#[test]
fn what_is_paid_goes_behind_what_was_from_the_shelf_by_then_in_the_order_of_paying() {
    let mut book = Reservations::default();
    let enter = |book: &mut Reservations, number, reach| {
        let made = book.enter(id(number), 2, reach);
        book.kept(id(number));
        made.expect("it is new")
    };
    let (first, second) = (
        enter(&mut book, 1, Reach::Share),
        enter(&mut book, 2, Reach::Share),
    );
    for (number, reach) in [(3, Reach::Shelf), (4, Reach::Beyond), (5, Reach::Share)] {
        enter(&mut book, number, reach);
    }
    let ahead = |book: &Reservations| [1, 2, 3, 4, 5].map(|own| book.ahead_of(Some(id(own))));
    assert_eq!(ahead(&book), [2, 4, 0, 8, 6]);
    for paid in [second, first, second] {
        book.paid(paid);
    }
    enter(&mut book, 6, Reach::Shelf);
    assert_eq!(ahead(&book), [4, 2, 0, 10, 8]);
    assert_eq!((book.units(), book.shared()), (12, 2));
    // A row that was read of an earlier one of this id.
    let made = book.settled();
    let earlier = made.into_iter().find(|made| made.id == id(5));
    let _again = book.enter(id(5), 2, Reach::Share);
    book.kept(id(5));
    book.paid(earlier.expect("it is settled"));
    assert_eq!((book.shared(), ahead(&book)[4]), (2, 8));
}

#[test]
fn shelf_is_counted_as_far_as_a_share_reaches() {
    let rows = vec![ReservedUnits {
        reach: Reach::Share,
        ..row(1, 30)
    }];
    let mut pool = Pool::new(4, 16).reserving(Reservations::stored(rows));
    looked(&mut pool, 0..4, (60, false));
    assert_eq!(pool.reserve(id(2), 10, Reach::Share), Reserving::Short);
    let waiting = Waiting {
        shared: 10,
        ..Waiting::default()
    };
    let wanted = pool.wanted(waiting, false).expect("a count");
    assert_eq!((wanted.serials, wanted.counted), (0, 324));
    looked(&mut pool, 0..0, (156, true));
    assert!(matches!(
        pool.reserve(id(2), 10, Reach::Share),
        Reserving::Done(_)
    ));
    assert_eq!(pool.reserve(id(3), 1, Reach::Share), Reserving::Out);
}

#[test]
fn oldest_reservation_goes_first_where_there_is_too_little_for_all() {
    let rows = vec![row(1, 2), row(2, 2)];
    let mut pool = Pool::new(4, 16).reserving(Reservations::stored(rows));
    fetched(&mut pool, 0..3, false);
    assert_eq!(pool.redeem(id(2), 2), Taken::Out);
    let first = taken(pool.redeem(id(1), 2));
    assert_eq!(pool.redeem(id(2), 2), Taken::Out);
    // Not executed: it is the oldest again.
    pool.release(first);
    pool.reservations_mut().put_back(id(1));
    assert_eq!(pool.redeem(id(2), 2), Taken::Out);
    assert_eq!(taken(pool.redeem(id(1), 2)).len(), 2);
}

#[test]
fn those_that_wait_for_what_comes_are_behind_what_was_there() {
    let mut pool = Pool::new(4, 16);
    fetched(&mut pool, 0..2, false);
    assert!(matches!(
        pool.reserve(id(1), 3, Reach::Beyond),
        Reserving::Done(_)
    ));
    assert_eq!(pool.reserve(id(2), 1, Reach::Shelf), Reserving::Out);
    assert_eq!(pool.claim(1), Taken::Out);
    pool.restocked();
    assert_eq!(pool.redeem(id(1), 3), Taken::Short);
    fetched(&mut pool, 2..4, false);
    assert!(matches!(
        pool.reserve(id(2), 1, Reach::Shelf),
        Reserving::Done(_)
    ));
    assert_eq!(pool.claim(1), Taken::Out);
    assert_eq!(taken(pool.redeem(id(1), 3)).len(), 3);
    assert_eq!(taken(pool.redeem(id(2), 1)).len(), 1);
}

#[test]
fn who_waits_is_told_whether_what_it_waits_for_is_there() {
    let mut pool = Pool::new(4, 16);
    fetched(&mut pool, 0..2, false);
    let is_kept = |reserving| matches!(reserving, Reserving::Done(None));
    assert!(matches!(
        pool.reserve(id(1), 2, Reach::Beyond),
        Reserving::Done(Some(_))
    ));
    assert!(matches!(
        pool.reserve(id(2), 1, Reach::Beyond),
        Reserving::Done(Some(_))
    ));
    assert!(is_kept(pool.reserve(id(1), 2, Reach::Shelf)));
    // It waits on whatever is said, and to wait it may ask as often as it likes.
    assert_eq!(pool.reserve(id(2), 1, Reach::Shelf), Reserving::Out);
    assert!(is_kept(pool.reserve(id(2), 1, Reach::Beyond)));
    assert_eq!(pool.claim(1), Taken::Out);
    pool.restocked();
    assert_eq!(pool.reserve(id(2), 1, Reach::Shelf), Reserving::Short);
    fetched(&mut pool, 2..3, false);
    assert!(is_kept(pool.reserve(id(2), 1, Reach::Shelf)));
    assert_eq!(taken(pool.redeem(id(1), 2)).len(), 2);
    assert!(is_kept(pool.reserve(id(2), 1, Reach::Shelf)));
    assert_eq!(taken(pool.redeem(id(2), 1)).len(), 1);
}

#[test]
fn id_that_is_reserved_otherwise_or_taken_is_not_reserved_again() {
    let mut pool = Pool::new(4, 16);
    fetched(&mut pool, 0..4, false);
    assert!(matches!(
        pool.reserve(id(1), 2, Reach::Shelf),
        Reserving::Done(_)
    ));
    assert_eq!(pool.reserve(id(1), 3, Reach::Shelf), Reserving::Used);
    assert_eq!(
        pool.reserve(id(1), 2, Reach::Shelf),
        Reserving::Done(None),
        "it has them already"
    );
    assert_eq!(pool.reservations().units(), 2);
    drop(taken(pool.redeem(id(1), 2)));
    assert_eq!(pool.reserve(id(1), 2, Reach::Shelf), Reserving::Used);
}

#[test]
fn reservation_without_a_row_is_given_back_unless_it_was_made_again() {
    let mut book = Reservations::default();
    let _fresh = book.enter(id(1), 2, Reach::Shelf);
    assert_eq!(book.settled(), [], "its row is being stored");
    book.kept(id(1));
    let seen = book.settled();
    let _fresh = book.enter(id(1), 2, Reach::Shelf);
    book.without_rows(&seen);
    book.kept(id(1));
    book.without_rows(&seen);
    assert_eq!(book.units(), 2, "what was seen is an earlier one");
    let seen = book.settled();
    book.without_rows(&seen);
    assert_eq!(book.units(), 0);
}

#[test]
fn end_of_a_row_counts_while_its_withdrawal_has_the_units() {
    let mut book = Reservations::stored(vec![row(1, 2)]);
    book.taken(id(1));
    let settled = book.settled();
    book.without_rows(&settled);
    assert_eq!(book.find(id(1)), Some(Found::Taken));
    book.put_back(id(1));
    assert_eq!((book.units(), book.find(id(1))), (0, None));
}

/// What a model knows of the one reservation that a trail is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Model {
    Absent,
    Open,
    Kept,
    Over,
}

/// Every order of a reservation's events, claims and readings: as long as it is not over, its withdrawal
/// is never refused, and what it has is nobody else's.
#[test]
fn live_reservation_is_honored_in_every_order_of_events() {
    fn explore(trail: &[usize], depth: usize) {
        let (mut pool, mut end, mut sold) = (Pool::new(2, 4), 0, 0);
        let (mut model, mut redeeming) = (Model::Absent, None);
        for event in trail {
            match event {
                // Of four serials two are read, and one is counted behind them.
                0 if end < 4 => {
                    let left = 2 - end as usize;
                    looked(&mut pool, end..end + 2, (left.min(1), left < 1));
                    end += 2;
                }
                8 => looked(&mut pool, 0..0, (4 - end as usize, true)),
                1 if model == Model::Absent
                    && redeeming.is_none()
                    && matches!(pool.reserve(id(1), 2, Reach::Shelf), Reserving::Done(_)) =>
                {
                    model = Model::Open;
                }
                2 if model == Model::Open => {
                    pool.reservations_mut().kept(id(1));
                    model = Model::Kept;
                }
                3 if model == Model::Open => {
                    pool.reservations_mut().given_back(id(1));
                    model = Model::Over;
                }
                4 if model == Model::Kept => {
                    let settled = pool.reservations().settled();
                    pool.reservations_mut().without_rows(&settled);
                    model = Model::Over;
                }
                5 => {
                    if let Taken::Serials(serials) = pool.claim(1) {
                        sold += serials.len();
                        pool.confirm(serials.len());
                    }
                }
                6 if redeeming.is_none() => {
                    let live = matches!(model, Model::Open | Model::Kept);
                    match pool.redeem(id(1), 2) {
                        Taken::Serials(serials) => redeeming = Some(serials),
                        Taken::Short => assert!(
                            pool.wanted(claims(2), false).is_some(),
                            "waits for nothing: {trail:?}"
                        ),
                        other => assert!(!live, "{other:?}: {trail:?}"),
                    }
                }
                7 => {
                    if let Some(serials) = redeeming.take() {
                        pool.release(serials);
                        pool.reservations_mut().put_back(id(1));
                    }
                }
                _ => {}
            }
            let live = matches!(model, Model::Open | Model::Kept) && redeeming.is_none();
            let counted = if live { 2 } else { 0 };
            assert_eq!(pool.reservations().units(), counted, "{trail:?}");
            let away = sold + redeeming.as_ref().map_or(0, Vec::len);
            assert_eq!(pool.in_window() + away, end as usize, "{trail:?}");
            assert!(4 - away >= counted, "{trail:?}");
        }
        if depth > 0 {
            for event in 0..9 {
                explore(&[trail, &[event]].concat(), depth - 1);
            }
        }
    }
    explore(&[], 6);
}
