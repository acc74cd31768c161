//! What became of a round: of each delivery, and of the webhook.

use engine::{
    clock::Timestamp,
    events::Fact,
    ids::{DeliveryId, RelationshipId},
    random::Random,
    webhooks::{Failure, Health, Outcome, Stage, Status, Verdict, next_attempt},
};
use sqlx::PgConnection;

use super::claim::Leased;
use crate::{
    Database, Error, database::commit, error::exactly_one, events::outbox, owned,
    relationships::rows::kept,
};

/// How one attempt ended.
#[derive(Debug, Clone, Copy)]
pub struct Tried {
    pub delivery: DeliveryId,
    /// How often it was tried before.
    pub attempts: u32,
    pub trial: bool,
    pub outcome: Outcome,
    pub response_status: Option<u16>,
    pub latency_ms: u32,
}

/// What became of a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    pub stages: Vec<Stage>,
    /// Nothing more is sent until the owner wants it.
    pub given_up: bool,
}

/// What is stored of a delivery.
struct Ended {
    tried: Tried,
    stage: Stage,
    due_at: Option<Timestamp>,
}

impl Tried {
    fn ended(self, random: &dyn Random, now: Timestamp) -> Ended {
        let (stage, due_at) = match self.outcome {
            Outcome::Delivered => (Stage::Delivered, None),
            Outcome::Failed(Failure::EventGone) => (Stage::Failed, None),
            Outcome::Failed(
                Failure::Status
                | Failure::Timeout
                | Failure::Unreachable
                | Failure::AddressNotAllowed,
            ) => match next_attempt(self.attempts + 1, self.trial, now, random) {
                Some(next) => (Stage::Retrying, Some(next)),
                None => (Stage::Failed, None),
            },
        };
        Ended {
            tried: self,
            stage,
            due_at,
        }
    }
}

/// Stores how the attempts of a round ended, and gives the lease back. None if it was over: then nothing
/// is stored, and what was sent is sent again.
pub async fn record(
    db: &Database,
    leased: &Leased,
    (tried, moved): (Vec<Tried>, bool),
    random: &dyn Random,
    now: Timestamp,
) -> Result<Option<Recorded>, Error> {
    let (db, leased, now) = (db.clone(), leased.clone(), kept(now));
    let ended: Vec<_> = tried
        .into_iter()
        .map(|one| one.ended(random, now))
        .collect();
    owned(async move {
        let mut tx = db.begin_behind().await?;
        let held = hold(&mut tx, &leased).await?;
        let Some((status, mark, health)) = held else {
            return Ok(None);
        };
        store(&mut tx, &ended, now).await?;
        let outcomes = ended.iter().map(|one| one.tried.outcome);
        let told = outcomes.filter(|one| *one != Outcome::Failed(Failure::EventGone));
        let verdict = health.after(&told.collect::<Vec<_>>(), now);
        let goes_on = moved || !ended.is_empty();
        let next = next_due(&mut tx, &leased, goes_on.then_some(mark), now).await?;
        settle(&mut tx, &leased, verdict, next, now).await?;
        let given_up = matches!(verdict, Verdict::GivenUp(_)) && status == Status::Active.name();
        if given_up {
            give_up(&mut tx, &leased, now).await?;
        }
        commit(tx).await?;
        let stages = ended.iter().map(|one| one.stage).collect();
        Ok(Some(Recorded { stages, given_up }))
    })
    .await
}

/// Status, mark and health of the webhook, if the lease is still this one.
async fn hold(
    connection: &mut PgConnection,
    leased: &Leased,
) -> Result<Option<(String, i64, Health)>, Error> {
    type Held = (String, i64, i32, Option<Timestamp>, Option<Timestamp>);
    let held: Option<Held> = sqlx::query_as(
        "SELECT status, told_seq, failures, failing_since, rests_until FROM webhooks
         WHERE webhook_id = $1 AND lease = $2 FOR UPDATE",
    )
    .bind(leased.webhook.uuid())
    .bind(leased.lease)
    .fetch_optional(connection)
    .await?;
    let Some((status, mark, failures, failing_since, rests_until)) = held else {
        return Ok(None);
    };
    let failures = u32::try_from(failures).map_err(|_| Error::Inconsistent {
        what: "webhooks.failures",
    })?;
    let health = Health {
        failures,
        failing_since,
        rests_until,
    };
    Ok(Some((status, mark, health)))
}

async fn store(
    connection: &mut PgConnection,
    ended: &[Ended],
    now: Timestamp,
) -> Result<(), Error> {
    for one in ended {
        let tried = &one.tried;
        let failure = match tried.outcome {
            Outcome::Delivered => None,
            Outcome::Failed(failure) => Some(failure.name()),
        };
        // What was deleted meanwhile, or begun anew, is not due any more or was tried less often.
        sqlx::query(
            "UPDATE webhook_deliveries SET status = $3, attempts = attempts + 1, due_at = $4,
               response_status = $5, failure = $6, latency_ms = $7, updated_at = $8
             WHERE delivery_id = $1 AND due_at IS NOT NULL AND attempts = $2",
        )
        .bind(tried.delivery.uuid())
        .bind(i32::try_from(tried.attempts).unwrap_or(i32::MAX))
        .bind(one.stage.name())
        .bind(one.due_at)
        .bind(tried.response_status.map(i32::from))
        .bind(failure)
        .bind(i32::try_from(tried.latency_ms).unwrap_or(i32::MAX))
        .bind(now)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// When the webhook's turn comes again: at once if its feed is above the mark, else with the first of its
/// deliveries. Read after the row was locked, so that whoever finds news in the feed later sets it anew.
async fn next_due(
    connection: &mut PgConnection,
    leased: &Leased,
    mark: Option<i64>,
    now: Timestamp,
) -> Result<Option<Timestamp>, Error> {
    let (due, end): (Option<Timestamp>, Option<i64>) = sqlx::query_as(
        "SELECT
           (SELECT MIN(due_at) FROM webhook_deliveries WHERE webhook_id = $1 AND due_at IS NOT NULL),
           (SELECT seq FROM event_feeds
            WHERE merchant_id = $2 AND relationship_id IS NOT DISTINCT FROM $3 AND NOT test)",
    )
    .bind(leased.webhook.uuid())
    .bind(leased.side.merchant.uuid())
    .bind(leased.side.relationship.map(RelationshipId::uuid))
    .fetch_one(connection)
    .await?;
    let has_more = mark.zip(end).is_some_and(|(mark, end)| end > mark);
    Ok(if has_more { Some(now) } else { due })
}

async fn settle(
    connection: &mut PgConnection,
    leased: &Leased,
    verdict: Verdict,
    due: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), Error> {
    let (Verdict::Goes(health) | Verdict::GivenUp(health)) = verdict;
    let settled = sqlx::query(
        "UPDATE webhooks SET leased_until = NULL, failures = $2, failing_since = $3,
           rests_until = $4, due_at = GREATEST($5, CASE WHEN $5 IS NOT NULL THEN $4 END),
           updated_at = CASE WHEN failing_since IS DISTINCT FROM $3 THEN $6 ELSE updated_at END
         WHERE webhook_id = $1",
    )
    .bind(leased.webhook.uuid())
    .bind(i32::try_from(health.failures).unwrap_or(i32::MAX))
    .bind(health.failing_since)
    .bind(health.rests_until)
    .bind(due)
    .bind(now)
    .execute(connection)
    .await?;
    exactly_one(&settled, "a webhook whose lease is given back")
}

/// Sends nothing more until its owner wants it, and tells of it.
async fn give_up(
    connection: &mut PgConnection,
    leased: &Leased,
    now: Timestamp,
) -> Result<(), Error> {
    let disabled = sqlx::query(
        "UPDATE webhooks SET status = 'DISABLED', disabled_at = $2, disabled_told_at = NULL,
           updated_at = $2
         WHERE webhook_id = $1",
    )
    .bind(leased.webhook.uuid())
    .bind(now)
    .execute(&mut *connection)
    .await?;
    exactly_one(&disabled, "a webhook that is given up")?;
    let fact = Fact::WebhookDisabled {
        webhook: leased.webhook.uuid(),
        relationship: leased.side.relationship.map(RelationshipId::uuid),
    };
    let side = (leased.side.merchant, leased.side.relationship);
    outbox::tell(connection, side, &fact, now).await
}
