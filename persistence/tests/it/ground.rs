//! A database with one merchant, one product and two balances, and the rows that a lane would write.

use std::{sync::Arc, time::Duration};

use engine::{
    balances::{Credit, CreditEntry, EntryKind},
    catalog::Sku,
    clock::{EPOCH, Timestamp},
    fulfillments::{
        Channel, ClaimedSerial, Contents, Fingerprint, FulfilledLine, Fulfillment, OrderId, Stamp,
    },
    ids::{BalanceId, EntryId, ImportId, KeyId, MerchantId, ProductId, RelationshipId, SerialId},
    inventory::Restock,
    journal::{Batch, Journal, LanePosition, Owner, Rows, Session},
    money::Money,
    random::SeededRandom,
    vault::Sealed,
};
use persistence::{
    Database, Sizes,
    embedded::{Cluster, TestDatabase, create_database},
    journal::PgJournal,
    settings::Durability,
};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::stage;

/// Longer than any machine stalls, shorter than anybody waits for a test.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Ground {
    pub(crate) db: Database,
    pub(crate) random: SeededRandom,
    pub(crate) merchant: MerchantId,
    pub(crate) relationship: RelationshipId,
    pub(crate) sku: Sku,
    pub(crate) balances: [BalanceId; 2],
    _database: Option<TestDatabase>,
}

impl Ground {
    pub(crate) async fn new() -> Self {
        let (db, database) = stage::empty().await;
        Self::begun(db, Some(database)).await
    }

    /// On a server of the test's own, which may be treated badly.
    pub(crate) async fn on(cluster: &Cluster) -> Self {
        create_database(cluster.server(), "consign").await.unwrap();
        let options = cluster.connect_options("consign");
        persistence::database::migrate(&options).await.unwrap();
        Self::begun(
            Database::connect(&options, Sizes::default()).await.unwrap(),
            None,
        )
        .await
    }

    async fn begun(db: Database, database: Option<TestDatabase>) -> Self {
        let random = SeededRandom::new(7);
        let merchant = MerchantId::generate(EPOCH, &random);
        let relationship = RelationshipId::generate(EPOCH, &random);
        let product = ProductId::generate(EPOCH, &random);
        let mut connection = PgConnection::connect_with(db.connect_options())
            .await
            .unwrap();
        for (statement, id) in [
            (
                "INSERT INTO merchants (merchant_id, bucket, name, currency, data_key)
                 VALUES ($1, 0, 'Keys', 'USD', '')",
                merchant.uuid(),
            ),
            ("INSERT INTO programs (merchant_id, enabled) VALUES ($1, true)", merchant.uuid()),
            (
                "INSERT INTO relationships (relationship_id, merchant_id, code, email, name, status, mode)
                 SELECT $1, merchant_id, 'SHOP', '', '', 'ACTIVE', 'BOTH' FROM merchants",
                relationship.uuid(),
            ),
            (
                "INSERT INTO products (product_id, merchant_id, title, kind, base_price)
                 SELECT $1, merchant_id, 'Key', 'SERIALS', 500 FROM merchants",
                product.uuid(),
            ),
            (
                "INSERT INTO balances (relationship_id, merchant_id, test)
                 SELECT $1, merchant_id, test FROM merchants, UNNEST(ARRAY[false, true]) AS test
                 ORDER BY test",
                relationship.uuid(),
            ),
        ] {
            sqlx::query(statement).bind(id).execute(&mut connection).await.unwrap();
        }
        let sku = Sku {
            product,
            variant: None,
        };
        let balances = [BalanceId(1), BalanceId(2)];
        Self {
            db,
            random,
            merchant,
            relationship,
            sku,
            balances,
            _database: database,
        }
    }

    /// A connection beside everything, for looking and for being in the way.
    pub(crate) async fn connect(&self) -> PgConnection {
        PgConnection::connect_with(self.db.connect_options())
            .await
            .unwrap()
    }

    /// Runs statements beside everything.
    pub(crate) async fn execute(&self, statements: &'static str) {
        sqlx::raw_sql(statements)
            .execute(&mut self.connect().await)
            .await
            .unwrap();
    }

    /// Makes every commit wait, with its lane's row locked, until the blocker's connection ends, however
    /// long a lane's own sessions would wait for a lock.
    pub(crate) async fn block_batches(&self, blocker: &mut PgConnection) {
        let block =
            "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0 AS
                       $$BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END$$;
                     CREATE TRIGGER wait AFTER INSERT ON batches
                       FOR EACH ROW EXECUTE FUNCTION wait();
                     SELECT pg_advisory_lock(1)";
        sqlx::raw_sql(block).execute(blocker).await.unwrap();
    }

    /// Makes every commit hang, with its lane's row locked, until its session is ended.
    pub(crate) async fn stall_batches(&self) {
        self.execute(
            "CREATE FUNCTION stall() RETURNS trigger LANGUAGE plpgsql AS
               $$BEGIN PERFORM pg_sleep(600); RETURN NULL; END$$;
             CREATE TRIGGER stall AFTER INSERT ON batches FOR EACH ROW EXECUTE FUNCTION stall()",
        )
        .await;
    }

    /// Returns once a commit hangs.
    pub(crate) async fn until_stalled(&self) {
        self.until(
            "SELECT COUNT(*) >= 1 FROM pg_stat_activity
                    WHERE wait_event = 'PgSleep' AND datname = current_database()",
        )
        .await;
    }

    /// Returns once a session waits for a lock.
    pub(crate) async fn until_blocked(&self) {
        self.until(
            "SELECT COUNT(*) >= 1 FROM pg_stat_activity
                    WHERE wait_event_type = 'Lock' AND datname = current_database()",
        )
        .await;
    }

    /// Returns once two sessions wait for locks.
    pub(crate) async fn until_blocked_twice(&self) {
        self.until(
            "SELECT COUNT(*) >= 2 FROM pg_stat_activity
                    WHERE wait_event_type = 'Lock' AND datname = current_database()",
        )
        .await;
    }

    /// Returns once a session has tried the shard's lock in vain.
    pub(crate) async fn until_polled(&self) {
        self.until(
            "SELECT COUNT(*) >= 1 FROM pg_stat_activity
                    WHERE query LIKE '%pg_terminate_backend%' AND state = 'idle'
                      AND datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await;
    }

    /// Returns once the condition holds; one that never does is a failed test, not one without an end.
    pub(crate) async fn until(&self, condition: &'static str) {
        let mut connection = self.connect().await;
        let holds = async {
            while !sqlx::query_scalar::<_, bool>(condition)
                .fetch_one(&mut connection)
                .await
                .unwrap()
            {
                tokio::task::yield_now().await;
            }
        };
        if tokio::time::timeout(PATIENCE, holds).await.is_err() {
            let sessions =
                "SELECT string_agg(concat_ws(' ', state, wait_event_type, wait_event, query), '; ')
                              FROM pg_stat_activity WHERE datname = current_database()";
            let sessions: Option<String> = sqlx::query_scalar(sessions)
                .fetch_one(&mut self.connect().await)
                .await
                .unwrap();
            panic!("never came to hold: {condition}; the sessions: {sessions:?}");
        }
    }

    /// A journal that does not give up because the machine is slow.
    pub(crate) fn journal(&self) -> PgJournal {
        PgJournal::new(self.db.connect_options(), Durability::Local)
            .with_deadline(PATIENCE)
            .with_tails(self.db.tails())
    }

    pub(crate) fn owner(&self) -> Owner {
        Owner(RelationshipId::generate(EPOCH, &self.random).uuid())
    }

    /// The first lane, owned and fenced, as a process that starts has it.
    pub(crate) async fn lane(&self) -> Lane {
        let (journal, owner) = (self.journal(), self.owner());
        let lease = journal.take_over(owner, 1).await.unwrap();
        let session = journal.fence(owner, 0).await.unwrap();
        Lane {
            journal,
            owner,
            position: session.position,
            session,
            _lease: lease,
        }
    }

    /// A stored import without a number.
    pub(crate) async fn import(&self, serials: u32) -> Restock {
        let import = ImportId::for_import(EPOCH, &self.random);
        let mut connection = self.connect().await;
        sqlx::query(
            "INSERT INTO imports (import_id, merchant_id, product_id, serials) VALUES ($1, $2, $3, $4)",
        )
        .bind(import.uuid())
        .bind(self.merchant.uuid())
        .bind(self.sku.product.uuid())
        .bind(i32::try_from(serials).unwrap())
        .execute(&mut connection)
        .await
        .unwrap();
        let ids: Vec<Uuid> = (0..serials)
            .map(|ordinal| import.serial(ordinal).uuid())
            .collect();
        sqlx::query(
            "INSERT INTO serials (serial_id, merchant_id, fingerprint, sealed)
             SELECT id, $2, uuid_send(id), uuid_send(id) FROM UNNEST($1::uuid[]) AS id",
        )
        .bind(ids)
        .bind(self.merchant.uuid())
        .execute(&mut connection)
        .await
        .unwrap();
        Restock {
            merchant: self.merchant,
            sku: self.sku,
            import,
        }
    }

    /// An import that is on sale.
    pub(crate) async fn stock(&self, lane: &mut Lane, serials: u32) -> ImportId {
        let restock = self.import(serials).await;
        lane.commit(Rows::Restocks(vec![restock])).await.unwrap();
        restock.import
    }

    pub(crate) fn credit(
        &self,
        balance: BalanceId,
        version: i64,
        after: i64,
        reference: &str,
    ) -> CreditEntry {
        CreditEntry {
            stamp: self.stamp(version, after),
            credit: Arc::new(Credit {
                balance,
                kind: EntryKind::Credit,
                reference: reference.to_owned(),
                amount: Money::from_minor(100_000).unwrap(),
                description: "Welcome".to_owned(),
                label: "PROMO".to_owned(),
                by: None,
            }),
        }
    }

    /// An order of these serials at 5.00 each.
    pub(crate) fn fulfillment(
        &self,
        balance: BalanceId,
        version: i64,
        order_id: &str,
        serials: &[SerialId],
    ) -> Fulfillment {
        let price = Money::from_minor(500).unwrap();
        let total = price
            .checked_mul(u32::try_from(serials.len()).unwrap())
            .unwrap();
        let sealed = |id: &SerialId| ClaimedSerial {
            id: *id,
            sealed: Sealed::from_bytes(id.uuid_bytes()),
        };
        let line = FulfilledLine {
            sku: self.sku,
            unit_price: price,
            price_version: 2,
            serials: serials.iter().map(sealed).collect(),
        };
        Fulfillment {
            stamp: self.stamp(version, 100_000 - total.minor()),
            contents: Arc::new(Contents {
                balance,
                order_id: OrderId::parse(order_id).unwrap(),
                fingerprint: Fingerprint::from_bytes([9; 16]),
                channel: Channel::Api,
                key: KeyId::generate(EPOCH, &self.random),
                total,
                lines: vec![line],
                email: None,
                details: None,
            }),
            refunded: Money::ZERO,
            revealed: std::collections::BTreeMap::new(),
            replaced: Vec::new(),
            refunded_items: std::collections::BTreeSet::new(),
        }
    }

    fn stamp(&self, version: i64, after: i64) -> Stamp {
        Stamp {
            id: EntryId::for_version(EPOCH, &self.random, version),
            version,
            balance_after: Money::from_minor(after).unwrap(),
            created_at: at(version),
        }
    }

    /// How many batches, ledger entries and claims there are, and the lane's last number.
    pub(crate) async fn written(&self) -> (i64, i64, i64, i64) {
        sqlx::query_as(
            "SELECT (SELECT COUNT(*) FROM batches), (SELECT COUNT(*) FROM ledger_entries),
                    (SELECT COUNT(*) FROM serial_claims), (SELECT seq FROM lanes WHERE lane = 0)",
        )
        .fetch_one(&mut self.connect().await)
        .await
        .unwrap()
    }
}

/// A lane with its session.
pub(crate) struct Lane {
    pub(crate) journal: PgJournal,
    pub(crate) owner: Owner,
    pub(crate) position: LanePosition,
    pub(crate) session: Session,
    _lease: Box<dyn engine::journal::Lease>,
}

impl Lane {
    /// The lane's next batch.
    pub(crate) fn batch(&self, rows: Rows) -> Batch {
        Batch {
            lane: 0,
            owner: self.owner,
            fence: self.position.fence,
            seq: self.position.seq + 1,
            rows,
        }
    }

    pub(crate) async fn commit(&mut self, rows: Rows) -> Result<(), engine::journal::Failure> {
        let batch = self.batch(rows);
        self.session.writer.commit(&batch).await?;
        self.position.seq += 1;
        Ok(())
    }

    /// The position that the next session of this lane finds.
    pub(crate) async fn fence_again(&mut self) -> LanePosition {
        self.session = self.journal.fence(self.owner, 0).await.unwrap();
        self.position = self.session.position;
        self.position
    }
}

/// A time, in seconds.
pub(crate) fn at(second: i64) -> Timestamp {
    EPOCH + Duration::from_secs(1_700_000_000 + second.unsigned_abs())
}
