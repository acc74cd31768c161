//! Webhooks on a clock that is an argument: nothing lost, nothing twice for one webhook, whoever sends and
//! whoever ends in between.

use std::{collections::BTreeSet, sync::Arc};

use chrono::TimeDelta;
use engine::{
    audit::Actor,
    clock::Timestamp,
    events::Kind,
    ids::{DeliveryId, EventId, WebhookId},
    journal::Rows,
    random::SeededRandom,
    relationships::Step,
    vault::{Opened, RootKey, Vault},
    webhooks::{ATTEMPTS_MAX, Failure, Outcome, Stage, Status, Wanted},
};
use persistence::{
    events::dispatch::lag,
    page::PageNumber,
    relationships::step::step,
    webhooks::{
        self, Delivery, Edit, Filter, NewWebhook, Side, Who,
        courier::{
            self, Attempt, Content, LEASE_SECONDS, Leased, Recorded, Round, Standing, Tried,
        },
    },
};

use crate::ground::{Ground, Lane, at};

/// A ground with one webhook of the merchant, made when nothing had happened.
struct Hooks {
    ground: Ground,
    lane: Lane,
    vault: Vault,
    webhook: WebhookId,
}

const REFUSED: Outcome = Outcome::Failed(Failure::Status);

impl Hooks {
    async fn new(wanted: Wanted) -> Self {
        let ground = Ground::new().await;
        let lane = ground.lane().await;
        let vault = Vault::new(&RootKey::new([5; 32]), Arc::new(SeededRandom::new(3)));
        let webhook = WebhookId::generate(at(0), &ground.random);
        let hooks = Self {
            ground,
            lane,
            vault,
            webhook,
        };
        let new = NewWebhook {
            id: webhook,
            url: "https://shop.example/hook".to_owned(),
            wanted,
            status: Status::Active,
            secret: Opened::new("whsec_one"),
        };
        let made = webhooks::create(&hooks.ground.db, &hooks.vault, hooks.who(), new, at(0)).await;
        made.unwrap().unwrap().unwrap();
        hooks
    }

    fn side(&self) -> Side {
        Side {
            merchant: self.ground.merchant,
            relationship: None,
        }
    }

    fn who(&self) -> Who {
        (self.side(), Actor::job("test"))
    }

    /// A credit, two orders and an upload, told in the feeds.
    async fn sell(&mut self) {
        self.ground.sell(&mut self.lane).await;
        self.ground.dispatch(self.lane.owner).await;
        assert!(lag(&self.ground.db).await.unwrap().is_none());
    }

    async fn wake(&self, now: Timestamp) {
        let feed = self.side().feed();
        courier::wake(&self.ground.db, [feed], now).await.unwrap();
    }

    async fn claim(&self, now: Timestamp) -> Option<Leased> {
        let claimed = courier::claim(&self.ground.db, &self.vault, 10, now).await;
        let mut claimed = claimed.unwrap();
        assert!(claimed.len() <= 1);
        claimed.pop()
    }

    async fn take(&self, leased: &Leased, now: Timestamp) -> Option<Round> {
        let (db, random) = (&self.ground.db, &self.ground.random);
        courier::take(db, leased, random, now).await.unwrap()
    }

    async fn record(
        &self,
        leased: &Leased,
        round: &Round,
        outcome: Outcome,
        now: Timestamp,
    ) -> Option<Recorded> {
        let tried = round.attempts.iter().map(|attempt| tried(attempt, outcome));
        let ended = (tried.collect(), round.moved);
        let (db, random) = (&self.ground.db, &self.ground.random);
        courier::record(db, leased, ended, random, now)
            .await
            .unwrap()
    }

    /// Sends what there is to send at this time, each with this outcome; the names of the events.
    async fn send(&self, outcome: Outcome, now: Timestamp) -> Vec<&'static str> {
        let mut names = Vec::new();
        while let Some(leased) = self.claim(now).await {
            let round = self.take(&leased, now).await.unwrap();
            names.extend(round.attempts.iter().map(name));
            self.record(&leased, &round, outcome, now).await.unwrap();
        }
        names
    }

    async fn log(&self) -> Vec<Delivery> {
        let page = PageNumber {
            page: 1,
            limit: 100,
        };
        let log = webhooks::log(&self.ground.db, self.side(), Filter::default(), page).await;
        let log = log.unwrap();
        assert_eq!(log.total, log.items.len() as u64);
        log.items
    }

    async fn trial(&self, now: Timestamp) -> DeliveryId {
        let id = DeliveryId::generate(now, &self.ground.random);
        let event = EventId::generate(now, &self.ground.random);
        let db = &self.ground.db;
        let stored = webhooks::trial(db, self.who(), self.webhook, (id, event), now).await;
        stored.unwrap().unwrap().unwrap().id
    }
}

fn tried(attempt: &Attempt, outcome: Outcome) -> Tried {
    Tried {
        delivery: attempt.delivery,
        attempts: attempt.attempts,
        trial: matches!(attempt.content, Content::Trial(_)),
        outcome,
        response_status: Some(500),
        latency_ms: 12,
    }
}

fn name(attempt: &Attempt) -> &'static str {
    match &attempt.content {
        Content::Event(event) => event.kind().name(),
        Content::Trial(_) => "trial",
        Content::Gone => "gone",
    }
}

fn sorted(mut names: Vec<&'static str>) -> Vec<&'static str> {
    names.sort_unstable();
    names
}

#[tokio::test]
async fn every_wanted_event_is_sent_once_and_none_from_before() {
    let mut hooks = Hooks::new(Wanted::Only(vec![Kind::FulfillmentCreated])).await;
    hooks.sell().await;
    assert!(
        hooks.claim(at(1)).await.is_none(),
        "nobody said that there is something"
    );
    assert_eq!(courier::wake_all(&hooks.ground.db, at(1)).await.unwrap(), 1);
    let sent = hooks.send(Outcome::Delivered, at(1)).await;
    assert_eq!(sent, ["fulfillment:created"; 2]);
    hooks.wake(at(2)).await;
    assert!(hooks.send(Outcome::Delivered, at(2)).await.is_empty());
    assert_eq!(courier::wake_all(&hooks.ground.db, at(3)).await.unwrap(), 0);
    let log = hooks.log().await;
    assert!(
        log.iter()
            .all(|one| one.stage == Stage::Delivered && one.attempts == 1)
    );
    let events: BTreeSet<_> = log.iter().map(|one| one.event_id).collect();
    assert_eq!(events.len(), 2);
    let later = NewWebhook {
        id: WebhookId::generate(at(4), &hooks.ground.random),
        url: String::new(),
        wanted: Wanted::All,
        status: Status::Active,
        secret: Opened::new("whsec_two"),
    };
    let made = webhooks::create(&hooks.ground.db, &hooks.vault, hooks.who(), later, at(4)).await;
    made.unwrap().unwrap().unwrap();
    assert_eq!(courier::wake_all(&hooks.ground.db, at(5)).await.unwrap(), 0);
}

#[tokio::test]
async fn news_that_nobody_told_of_are_found_although_something_waits_for_later() {
    let mut hooks = Hooks::new(Wanted::All).await;
    hooks.trial(at(1)).await;
    hooks.sell().await;
    let leased = hooks.claim(at(1)).await.unwrap();
    let round = hooks.take(&leased, at(1)).await.unwrap();
    hooks.record(&leased, &round, REFUSED, at(1)).await.unwrap();
    hooks.send(REFUSED, at(1)).await;
    let balance = hooks.ground.balances[0];
    let credit = hooks.ground.credit(balance, 4, 199_000, "again");
    hooks
        .lane
        .commit(Rows::Credits(vec![credit]))
        .await
        .unwrap();
    hooks.ground.dispatch(hooks.lane.owner).await;
    assert!(hooks.send(REFUSED, at(2)).await.is_empty());
    assert_eq!(courier::wake_all(&hooks.ground.db, at(2)).await.unwrap(), 1);
    assert_eq!(hooks.send(REFUSED, at(2)).await, ["balance:credited"]);
}

#[tokio::test]
async fn process_that_ends_between_sending_and_noting_loses_nothing() {
    let mut hooks = Hooks::new(Wanted::All).await;
    hooks.sell().await;
    hooks.wake(at(1)).await;
    let lost = hooks.claim(at(1)).await.unwrap();
    let sent = hooks.take(&lost, at(1)).await.unwrap();
    assert_eq!(sent.attempts.len(), 4);
    hooks.wake(at(2)).await;
    assert!(
        hooks.claim(at(LEASE_SECONDS)).await.is_none(),
        "the lease holds"
    );
    let leased = hooks.claim(at(LEASE_SECONDS + 1)).await.unwrap();
    let again = hooks.take(&leased, at(LEASE_SECONDS + 1)).await.unwrap();
    let ids = |round: &Round| -> BTreeSet<_> {
        let attempts = round.attempts.iter();
        attempts
            .map(|one| (one.event, one.delivery, one.attempts))
            .collect()
    };
    assert_eq!(ids(&sent), ids(&again));
    // The first one comes back and reports: nobody believes it any more.
    let now = at(LEASE_SECONDS + 2);
    assert_eq!(hooks.record(&lost, &sent, REFUSED, now).await, None);
    assert!(hooks.take(&lost, now).await.is_none());
    let recorded = hooks.record(&leased, &again, Outcome::Delivered, now).await;
    let recorded = recorded.unwrap();
    assert_eq!(
        (recorded.stages, recorded.given_up),
        (vec![Stage::Delivered; 4], false)
    );
    assert!(hooks.send(Outcome::Delivered, at(9999)).await.is_empty());
}

#[tokio::test]
async fn attempts_come_at_the_documented_times_and_end_after_the_last() {
    let mut hooks = Hooks::new(Wanted::Only(vec![Kind::SerialsImported])).await;
    hooks.sell().await;
    let mut now = at(1);
    hooks.wake(now).await;
    let meant = [5, 300, 1800, 7200, 18_000, 36_000, 50_400];
    for (attempts, seconds) in (1..).zip(meant) {
        assert_eq!(hooks.send(REFUSED, now).await, ["serials:imported"]);
        let log = hooks.log().await;
        let one = log.first().unwrap();
        assert_eq!((one.stage, one.attempts), (Stage::Retrying, attempts));
        let due = one.due_at.unwrap();
        let waits = (due - now).num_milliseconds();
        assert!((seconds * 900..=seconds * 1100).contains(&waits), "{waits}");
        let early = due - TimeDelta::milliseconds(1);
        assert!(hooks.send(REFUSED, early).await.is_empty());
        now = due;
    }
    assert_eq!(hooks.send(REFUSED, now).await.len(), 1);
    let log = hooks.log().await;
    assert_eq!(
        (log[0].stage, log[0].attempts),
        (Stage::Failed, ATTEMPTS_MAX)
    );
    assert_eq!(
        (log[0].response_status, log[0].failure),
        (Some(500), Some(Failure::Status))
    );
    let later = now + TimeDelta::days(1);
    assert!(hooks.send(REFUSED, later).await.is_empty());
    let again = webhooks::repeat(&hooks.ground.db, hooks.who(), log[0].id, later).await;
    let (again, already) = again.unwrap().unwrap().unwrap();
    assert_eq!(
        (again.stage, again.attempts, already),
        (Stage::Pending, 0, false)
    );
    assert_eq!(
        hooks.send(Outcome::Delivered, later).await,
        ["serials:imported"]
    );
    let old = later + TimeDelta::days(15);
    assert_eq!(courier::sweep(&hooks.ground.db, later).await.unwrap(), 0);
    assert_eq!(courier::sweep(&hooks.ground.db, old).await.unwrap(), 1);
}

#[tokio::test]
async fn two_processes_never_send_to_one_webhook_at_once() {
    let mut hooks = Hooks::new(Wanted::All).await;
    hooks.sell().await;
    hooks.wake(at(1)).await;
    let claim = || courier::claim(&hooks.ground.db, &hooks.vault, 10, at(1));
    let (one, other) = tokio::join!(claim(), claim());
    assert_eq!(one.unwrap().len() + other.unwrap().len(), 1);
}

#[tokio::test]
async fn events_wait_while_their_webhook_rests_or_is_paused() {
    let mut hooks = Hooks::new(Wanted::All).await;
    hooks.trial(at(1)).await;
    for second in 1..=8 {
        assert_eq!(hooks.send(REFUSED, at(second)).await, ["trial"]);
        hooks.trial(at(second)).await;
    }
    assert!(
        hooks.claim(at(12)).await.is_none(),
        "a trial ends no rest of five seconds"
    );
    let leased = hooks.claim(at(13)).await.unwrap();
    assert_eq!((leased.health.failures, leased.health.at_once()), (8, 1));
    let round = hooks.take(&leased, at(13)).await.unwrap();
    hooks
        .record(&leased, &round, REFUSED, at(13))
        .await
        .unwrap();
    let failed = round.attempts[0].delivery;
    let again = webhooks::repeat(&hooks.ground.db, hooks.who(), failed, at(14)).await;
    assert_eq!(again.unwrap().unwrap().unwrap().0.stage, Stage::Pending);
    hooks.sell().await;
    hooks.wake(at(14)).await;
    assert!(
        hooks.claim(at(14)).await.is_none(),
        "it rests for ten seconds, whatever is repeated"
    );
    assert_eq!(
        courier::wake_all(&hooks.ground.db, at(14)).await.unwrap(),
        0
    );
    courier::wake_all(&hooks.ground.db, at(23)).await.unwrap();
    let leased = hooks.claim(at(23)).await.unwrap();
    let round = hooks.take(&leased, at(23)).await.unwrap();
    assert_eq!(
        round.attempts.len(),
        1,
        "one attempt shows whether it answers again"
    );
    let pause = Edit {
        status: Some(Status::Paused),
        ..Edit::default()
    };
    let db = &hooks.ground.db;
    let paused = webhooks::change(db, hooks.who(), hooks.webhook, pause, at(23)).await;
    assert_eq!(paused.unwrap().unwrap().unwrap().status, Status::Paused);
    hooks
        .record(&leased, &round, Outcome::Delivered, at(23))
        .await
        .unwrap();
    assert!(hooks.claim(at(99)).await.is_none());
    let go_on = Edit {
        status: Some(Status::Active),
        ..Edit::default()
    };
    webhooks::change(db, hooks.who(), hooks.webhook, go_on, at(99))
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    let rest = sorted(hooks.send(Outcome::Delivered, at(99)).await);
    let told = hooks.log().await;
    assert_eq!(
        (
            rest.len(),
            told.iter()
                .filter(|one| one.event != "webhook:test")
                .count()
        ),
        (4, 4)
    );
}

#[tokio::test]
async fn webhook_that_fails_for_five_days_is_given_up_and_it_is_told() {
    let hooks = Hooks::new(Wanted::All).await;
    for hour in 0..20 {
        hooks.trial(at(hour * 3600)).await;
        assert_eq!(hooks.send(REFUSED, at(hour * 3600)).await, ["trial"]);
    }
    let late = at(5 * 86_400);
    hooks.trial(late).await;
    hooks.send(REFUSED, late).await;
    let found = webhooks::find(&hooks.ground.db, hooks.side(), hooks.webhook).await;
    let found = found.unwrap().unwrap();
    assert_eq!(
        (found.status, found.failing_since),
        (Status::Disabled, Some(at(0)))
    );
    assert_eq!(lag(&hooks.ground.db).await.unwrap().facts, 1);
    let untold = webhooks::disabled(&hooks.ground.db, 10).await.unwrap();
    assert_eq!((untold.len(), untold[0].webhook), (1, hooks.webhook));
    let tell = || {
        webhooks::tell_disabled(
            &hooks.ground.db,
            &hooks.vault,
            hooks.webhook,
            Vec::new(),
            late,
        )
    };
    assert!(tell().await.unwrap());
    assert!(!tell().await.unwrap());
    assert!(
        webhooks::disabled(&hooks.ground.db, 10)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn secrets_are_sealed_and_the_old_one_signs_until_its_time() {
    let hooks = Hooks::new(Wanted::All).await;
    let rotating = (hooks.webhook, Opened::new("whsec_two"), 24);
    let (db, vault) = (&hooks.ground.db, &hooks.vault);
    let rotated = webhooks::rotate(db, vault, hooks.who(), rotating, at(0)).await;
    let until = at(24 * 3600);
    let rotated = rotated.unwrap().unwrap().unwrap();
    assert_eq!(rotated.old_secret_until, Some(until));
    for (now, expected) in [
        (
            until - TimeDelta::seconds(1),
            vec!["whsec_two", "whsec_one"],
        ),
        (until + TimeDelta::seconds(LEASE_SECONDS), vec!["whsec_two"]),
    ] {
        hooks.trial(now).await;
        let secrets = hooks.claim(now).await.unwrap().secrets.unwrap();
        let secrets: Vec<_> = secrets.iter().map(Opened::expose).collect();
        assert_eq!(secrets, expected);
    }
    let another = Vault::new(&RootKey::new([6; 32]), Arc::new(SeededRandom::new(3)));
    let late = at(99 * 3600);
    let claimed = courier::claim(db, &another, 10, late).await.unwrap();
    assert!(claimed[0].secrets.is_none());
}

#[tokio::test]
async fn what_waits_is_counted() {
    let hooks = Hooks::new(Wanted::All).await;
    let standing = async |now| courier::standing(&hooks.ground.db, now).await.unwrap();
    assert_eq!(standing(at(0)).await, Standing::default());
    hooks.trial(at(1)).await;
    let waits = standing(at(31)).await;
    assert_eq!((waits.pending, waits.overdue.as_secs()), (1, 30));
    let leased = hooks.claim(at(31)).await.unwrap();
    assert_eq!(standing(at(32)).await.overdue.as_secs(), 0);
    let round = hooks.take(&leased, at(32)).await.unwrap();
    hooks
        .record(&leased, &round, REFUSED, at(32))
        .await
        .unwrap();
    assert_eq!(standing(at(999)).await, Standing::default());
}

#[tokio::test]
async fn deleted_webhook_ends_what_was_on_its_way() {
    let hooks = Hooks::new(Wanted::All).await;
    let trial = hooks.trial(at(1)).await;
    let leased = hooks.claim(at(1)).await.unwrap();
    let round = hooks.take(&leased, at(1)).await.unwrap();
    let db = &hooks.ground.db;
    assert!(
        webhooks::delete(db, hooks.who(), hooks.webhook, at(2))
            .await
            .unwrap()
    );
    assert!(
        !webhooks::delete(db, hooks.who(), hooks.webhook, at(2))
            .await
            .unwrap()
    );
    assert_eq!(
        hooks
            .record(&leased, &round, Outcome::Delivered, at(3))
            .await,
        None
    );
    let log = hooks.log().await;
    assert_eq!(
        (log.len(), log[0].id, log[0].stage),
        (1, trial, Stage::Failed)
    );
    let again = webhooks::repeat(db, hooks.who(), trial, at(4))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(again.unwrap_err(), webhooks::Refusal::WebhookGone);
}

#[tokio::test]
async fn webhook_that_cannot_be_read_holds_nobody_up_and_one_merchant_has_a_share() {
    let hooks = Hooks::new(Wanted::All).await;
    let many = (0..12).map(|number| NewWebhook {
        id: WebhookId::generate(at(number), &hooks.ground.random),
        url: String::new(),
        wanted: Wanted::All,
        status: Status::Active,
        secret: Opened::new("whsec_two"),
    });
    let (db, vault) = (&hooks.ground.db, &hooks.vault);
    for new in many {
        let made = webhooks::create(db, vault, hooks.who(), new, at(0)).await;
        made.unwrap().unwrap().unwrap();
    }
    hooks.wake(at(1)).await;
    hooks
        .ground
        .execute(
            "UPDATE webhooks SET events = '{event:of_another_version}'
             WHERE webhook_id = (SELECT webhook_id FROM webhooks ORDER BY webhook_id LIMIT 1)",
        )
        .await;
    let claim = async |now| courier::claim(db, vault, 64, now).await.unwrap();
    // All were due at once, so the one that cannot be read may be among them or not.
    for lease in 0..2 {
        let now = at(1 + lease * LEASE_SECONDS);
        let claimed = claim(now).await.len();
        assert!((7..=8).contains(&claimed), "{claimed}");
        assert!(claim(now).await.is_empty());
    }
}

#[tokio::test]
async fn relationship_that_ends_is_sent_nothing_more() {
    let hooks = Hooks::new(Wanted::All).await;
    let (db, vault) = (&hooks.ground.db, &hooks.vault);
    let side = Side {
        relationship: Some(hooks.ground.relationship),
        ..hooks.side()
    };
    let who = || (side, Actor::job("test"));
    let new = NewWebhook {
        id: WebhookId::generate(at(0), &hooks.ground.random),
        url: String::new(),
        wanted: Wanted::All,
        status: Status::Active,
        secret: Opened::new("whsec_two"),
    };
    let id = new.id;
    webhooks::create(db, vault, who(), new, at(0))
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    let of = (hooks.ground.merchant, hooks.ground.relationship);
    let ending = (Step::Terminate, Some("over".to_owned()), None);
    let ended = step(db, of, ending, Actor::job("test"), at(1)).await;
    ended.unwrap().unwrap().unwrap();
    let found = webhooks::find(db, side, id).await.unwrap().unwrap();
    assert_eq!(found.status, Status::Paused);
    let go_on = Edit {
        status: Some(Status::Active),
        ..Edit::default()
    };
    let refused = webhooks::change(db, who(), id, go_on, at(2))
        .await
        .unwrap()
        .unwrap();
    let ended = webhooks::Refusal::Ended(engine::relationships::Status::Terminated);
    assert_eq!(refused.unwrap_err(), ended);
    let rotating = (id, Opened::new("whsec_three"), 0);
    let refused = webhooks::rotate(db, vault, who(), rotating, at(2))
        .await
        .unwrap();
    assert_eq!(refused.unwrap().unwrap_err(), ended);
    assert!(webhooks::delete(db, who(), id, at(3)).await.unwrap());
}
