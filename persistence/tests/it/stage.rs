//! A database with a small cast, for one test.

use std::sync::Arc;

use engine::{
    clock::Timestamp,
    ids::{BalanceId, EntryId},
    random::SeededRandom,
    relationships::RelationshipScope,
    vault::{RootKey, Vault},
};
use persistence::{
    Database, MIGRATOR, Sizes,
    demo::{self, Cast, Load},
    embedded::{TestDatabase, test_cluster},
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub(crate) struct Stage {
    pub(crate) db: Database,
    pub(crate) vault: Vault,
    pub(crate) random: Arc<SeededRandom>,
    pub(crate) cast: Arc<Cast>,
    /// Of the cast's resellers, in order.
    pub(crate) scopes: Vec<RelationshipScope>,
    _database: TestDatabase,
}

/// A migrated database without rows.
pub(crate) async fn empty() -> (Database, TestDatabase) {
    let digest = MIGRATOR
        .iter()
        .fold(Sha256::new(), |sum, one| sum.chain_update(&*one.checksum));
    let digest = digest.finalize();
    let head = digest.first_chunk().copied().map(u64::from_be_bytes);
    let fingerprint = format!("{:016x}", head.unwrap());
    let migrate = |options| async move { persistence::database::migrate(&options).await };
    let database = test_cluster()
        .await
        .unwrap()
        .database(&fingerprint, migrate)
        .await
        .unwrap();
    let db = Database::connect(&database.connect_options(), Sizes::default())
        .await
        .unwrap();
    (db, database)
}

impl Stage {
    /// Three products of three serials each; two resellers, who may sell the first two products and
    /// the last two.
    pub(crate) async fn new() -> Self {
        let load = Load {
            products: 3,
            resellers: 2,
            access: 2,
            serials: 3,
            hot_serials: 0,
        };
        let random = Arc::new(SeededRandom::new(11));
        Self::with(demo::load(load, &*random), random).await
    }

    pub(crate) async fn with(cast: Cast, random: Arc<SeededRandom>) -> Self {
        let (db, database) = empty().await;
        let vault = Vault::new(&RootKey::new([5; 32]), random.clone());
        let cast = Arc::new(cast);
        demo::seed(&db, &vault, Arc::clone(&cast), at(0))
            .await
            .unwrap();
        let fundings = demo::fundings(&db, &cast).await.unwrap();
        let scopes = cast.resellers.iter().map(|reseller| {
            let of = |funding: &&demo::Funding| funding.scope.relationship == reseller.id;
            fundings.iter().find(of).unwrap().scope
        });
        let scopes = scopes.collect();
        Self {
            db,
            vault,
            random,
            cast,
            scopes,
            _database: database,
        }
    }

    /// Appends entries of a kind, an amount and a second each to an empty ledger, as a lane would.
    pub(crate) async fn append(&self, balance: BalanceId, entries: &[(i16, i64, i64)]) {
        let mut tx = self.db.begin().await.unwrap();
        let mut after = 0;
        for (version, &(kind, amount, second)) in (1_i64..).zip(entries) {
            after += amount;
            let delivers = kind == 1;
            let words = serde_json::json!({"description": "Welcome", "label": "PROMO"});
            sqlx::query(
                "INSERT INTO ledger_entries (balance_id, version, kind, reference, id, amount,
                   balance_after, created_at, channel, key_id, fingerprint, serial_ids, details)
                 VALUES ($1, $2, $3, 'ref-' || $2, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            )
            .bind(balance.0)
            .bind(version)
            .bind(kind)
            .bind(EntryId::for_version(at(second), &*self.random, version).uuid())
            .bind(amount)
            .bind(after)
            .bind(at(second))
            .bind(delivers.then_some(1_i16))
            .bind(delivers.then_some(Uuid::nil()))
            .bind(delivers.then(|| vec![0_u8; 16]))
            .bind(delivers.then(Vec::<Uuid>::new))
            .bind((!delivers).then_some(words))
            .execute(&mut *tx)
            .await
            .unwrap();
        }
        tx.commit().await.unwrap();
    }

    /// One number of the database.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        let mut connection = self.db.read().await.unwrap();
        sqlx::query_scalar(sql)
            .fetch_one(&mut *connection)
            .await
            .unwrap()
    }
}

/// A second of the test's day.
pub(crate) fn at(second: i64) -> Timestamp {
    const DAY: i64 = 1_770_000_000;
    Timestamp::from_timestamp(DAY + second, 0).unwrap()
}
