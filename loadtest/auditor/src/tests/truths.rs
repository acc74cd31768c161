//! True histories pass, however calls overlap and whatever answers get lost.

use proptest::prelude::*;

use super::scene::{SERIALS, Scene, body, order, sku};
use crate::{Alarms, Answer, Before, Finding, Memory, Point, Verdict};

/// One thing that truly happened.
#[derive(Clone, Debug)]
enum Act {
    Credit(usize, i64),
    Deliver(usize, u8, u32),
    /// Executed, or not, without an answer.
    Lost(usize, u8, u32, bool),
    Again(usize, u8),
    Mismatch(usize, u8),
    LookUp(usize, u8),
    Read(usize),
    Shed(usize, u8),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = (0_usize..3, 0_u8..30, 1_u32..4, 0_u8..9, any::<bool>()).prop_map(
        |(who, id, quantity, kind, flag)| match kind {
            0 => Act::Credit(who, i64::from(quantity) * 300),
            1..=3 => Act::Deliver(who, id, quantity),
            4 => Act::Lost(who, id, quantity, flag),
            5 => Act::Again(who, id),
            6 => Act::Mismatch(who, id),
            7 if flag => Act::LookUp(who, id),
            7 => Act::Read(who),
            _ => Act::Shed(who, id),
        },
    );
    prop::collection::vec(act, 0..60)
}

fn play(acts: &[Act]) -> Scene {
    let mut scene = Scene::empty();
    for (number, act) in acts.iter().enumerate() {
        let bound = |scene: &mut Scene, who: usize, id: u8| scene.entry(who, &name(id)).is_some();
        match *act {
            Act::Credit(who, amount) => {
                scene.credit(who, &format!("pay-{number}"), amount);
            }
            Act::Deliver(who, id, quantity) if !bound(&mut scene, who, id) => {
                scene.deliver(who, &name(id), quantity);
            }
            Act::Lost(who, id, quantity, executed) if !bound(&mut scene, who, id) => {
                if executed {
                    let call = scene.deliver(who, &name(id), quantity);
                    scene.history.invocations[call].answered = None;
                } else {
                    let call = order(&name(id), body(who, quantity));
                    scene.call(who, call, Some(Answer::Unknown));
                }
            }
            Act::Again(who, id) | Act::Deliver(who, id, _) | Act::Lost(who, id, ..) => {
                if bound(&mut scene, who, id) {
                    scene.replay(who, &name(id));
                }
            }
            Act::Mismatch(who, id) => {
                if bound(&mut scene, who, id) {
                    scene.refuse(who, &name(id), 9, "ORDER_MISMATCH");
                }
            }
            Act::LookUp(who, id) => {
                scene.look_up(who, &name(id));
            }
            Act::Read(who) => {
                scene.read(who);
            }
            Act::Shed(who, id) => {
                scene.refuse(who, &name(id), 1, "OVERLOADED");
            }
        }
    }
    resend(&mut scene);
    scene
}

fn name(id: u8) -> String {
    format!("order-{id}")
}

/// How many calls are made at the end.
const RESENT: usize = 3 * 30;

/// What is not known is asked for again at the end.
fn resend(scene: &mut Scene) {
    for _ in 0..100 {
        scene.tick();
    }
    for who in 0..3 {
        for id in 0..30 {
            if scene.entry(who, &name(id)).is_some() {
                scene.replay(who, &name(id));
            } else {
                scene.refuse(who, &name(id), 1, "OUT_OF_STOCK");
            }
        }
    }
}

proptest! {
    #[test]
    fn random_true_histories_pass(acts in acts()) {
        let scene = play(&acts);
        let verdict = scene.verdict();
        prop_assert_eq!(verdict.violated(), [], "{}", verdict);
    }

    #[test]
    fn calls_that_overlap_pass(acts in acts(), spreads in prop::collection::vec((0_u64..200, 0_u64..200), 300)) {
        let mut scene = play(&acts);
        // What is sent again at the end is sent after everything else was answered.
        let first = scene.history.invocations.len() - RESENT;
        for (call, (before, after)) in scene.history.invocations[..first].iter_mut().zip(spreads) {
            call.sent_at = call.sent_at.saturating_sub(before);
            if let Some(answered) = &mut call.answered {
                answered.at += after;
            }
        }
        let verdict = scene.verdict();
        prop_assert_eq!(verdict.violated(), [], "{}", verdict);
    }

    #[test]
    fn rows_may_come_in_any_order(acts in acts(), seed: u64) {
        let mut scene = play(&acts);
        let at = |length: usize| usize::try_from(seed % 97).expect("small") % length.max(1);
        let (entries, claims) = (scene.store.entries.len(), scene.store.claims.len());
        scene.store.entries.rotate_left(at(entries));
        scene.store.claims.rotate_left(at(claims));
        scene.store.serials.reverse();
        scene.store.batches.reverse();
        scene.history.invocations.reverse();
        prop_assert_eq!(scene.verdict().violated(), []);
    }
}

#[test]
fn retry_of_an_order_that_was_executed_in_silence_passes() {
    let mut scene = Scene::usual();
    let call = scene.deliver(0, "d", 1);
    *scene.answer(call) = Answer::Unknown;
    scene.replay(0, "d");
    assert_eq!(scene.verdict().violated(), []);
}

#[test]
fn refusal_while_the_same_order_was_running_passes() {
    let mut scene = Scene::usual();
    scene.refuse(0, "d", 1, "ORDER_IN_PROGRESS");
    scene.deliver(0, "d", 1);
    assert_eq!(scene.verdict().violated(), []);
}

#[test]
fn memory_and_alarms_at_rest_hold() {
    let mut scene = Scene::usual();
    let left = u64::from(SERIALS) - 3;
    scene.run.memory = Some(Memory {
        balances: vec![(1, scene.posted(0), 0), (2, 0, 0)],
        shelves: vec![(sku(0), left, left)],
        ..Memory::default()
    });
    scene.run.alarms = Some(Alarms::default());
    let verdict = scene.verdict();
    assert_eq!(*verdict.finding(Point::C17), Finding::Holds { checked: 5 });
    assert_eq!(*verdict.finding(Point::C19), Finding::Holds { checked: 3 });
}

#[test]
fn what_was_there_before_the_run_needs_no_call() {
    let mut scene = Scene::usual();
    scene.history.invocations.clear();
    let before = [(1, 3), (3, 2)].into();
    scene.run.before = Before::Versions(before);
    assert_eq!(scene.verdict().violated(), []);
    scene.run.before = Before::Nothing;
    assert_eq!(scene.verdict().violated(), [Point::C2]);
}

#[test]
fn points_without_facts_are_not_called_good() {
    let scene = Scene::usual();
    let verdict = scene.verdict();
    for point in [Point::C16, Point::C17, Point::C19, Point::C20] {
        let finding = verdict.finding(point);
        assert!(matches!(finding, Finding::NotChecked { .. }), "{point}");
    }
}

#[test]
fn unread_run_counts_as_failed() {
    let verdict = Verdict::unknown("the connection was lost".to_owned());
    assert!(!verdict.good());
    assert_eq!(verdict.violated(), []);
}

#[test]
fn every_point_of_a_usual_run_checks_something() {
    let verdict = Scene::usual().verdict();
    for (point, finding) in &verdict.points {
        if let Finding::Holds { checked } = finding {
            let terms = [Point::C3, Point::C14, Point::C18].contains(point);
            assert!(*checked > 0 || terms, "{point}");
        }
    }
}
