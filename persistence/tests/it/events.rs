//! Feeds: every fact once, numbered without a gap, whatever ends the dispatcher.

use engine::{
    events::{Fact, Feed, Kind},
    ids::SerialId,
    journal::{Owner, Rows},
};
use persistence::events::{
    dispatch::{Lag, lag, step},
    list::{Event, Subject, Told, list},
    sweep::sweep,
};

use crate::ground::{Ground, Lane, at};

/// All that waits.
const MANY: fn(u64) -> u64 = |waiting| waiting;

impl Ground {
    const fn feed(&self) -> Feed {
        Feed {
            merchant: self.merchant,
            relationship: None,
            test: false,
        }
    }

    const fn own_feed(&self) -> Feed {
        Feed {
            relationship: Some(self.relationship),
            ..self.feed()
        }
    }

    async fn told(&self, feed: Feed, after: i64, limit: u32) -> Told {
        list(&self.db, feed, (after, limit), None, at(9))
            .await
            .unwrap()
    }

    /// Steps until nothing waits.
    pub(crate) async fn dispatch(&self, owner: Owner) {
        while !lag(&self.db).await.unwrap().is_none() {
            step(&self.db, owner, MANY, at(9)).await.unwrap().unwrap();
        }
    }

    /// A credit and two orders of one serial each, in three batches.
    pub(crate) async fn sell(&self, lane: &mut Lane) {
        let import = self.stock(lane, 2).await;
        let [balance, _] = self.balances;
        let credit = self.credit(balance, 1, 100_000, "welcome");
        lane.commit(Rows::Credits(vec![credit])).await.unwrap();
        for (version, order, serial) in [(2, "A", import.serial(0)), (3, "B", import.serial(1))] {
            self.deliver(lane, version, order, serial).await;
        }
    }

    async fn own_spans(&self) -> i64 {
        sqlx::query_scalar(
            "SELECT COUNT(*) FROM event_spans JOIN event_feeds USING (feed_id)
             WHERE relationship_id IS NOT NULL",
        )
        .fetch_one(&mut self.connect().await)
        .await
        .unwrap()
    }

    async fn credit_more(&self, lane: &mut Lane, version: i64) {
        let credit = self.credit(self.balances[0], version, 199_000, "more");
        lane.commit(Rows::Credits(vec![credit])).await.unwrap();
    }

    async fn deliver(&self, lane: &mut Lane, version: i64, order: &str, serial: SerialId) {
        let mut fulfillment = self.fulfillment(self.balances[0], version, order, &[serial]);
        let after = 100_000 - 500 * (version - 1);
        fulfillment.stamp.balance_after = engine::money::Money::from_minor(after).unwrap();
        lane.commit(Rows::Fulfillments(vec![fulfillment]))
            .await
            .unwrap();
    }
}

fn names(events: &[Event]) -> Vec<(i64, &'static str)> {
    events
        .iter()
        .map(|event| (event.seq, event.kind().name()))
        .collect()
}

#[tokio::test]
async fn every_fact_is_told_once_to_each_side_that_it_concerns() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    ground.sell(&mut lane).await;
    ground.dispatch(lane.owner).await;
    ground.dispatch(lane.owner).await;
    let merchant = ground.told(ground.feed(), 0, 10).await;
    assert_eq!(
        names(&merchant.events),
        [
            (1, "balance:credited"),
            (2, "fulfillment:created"),
            (3, "fulfillment:created"),
            (4, "serials:imported"),
        ]
    );
    let reseller = ground.told(ground.own_feed(), 0, 10).await;
    assert_eq!(names(&reseller.events), names(&merchant.events)[..3]);
    for (own, theirs) in reseller.events.iter().zip(&merchant.events) {
        assert_eq!((own.id, &own.subject), (theirs.id, &theirs.subject));
    }
    let Subject::Entry(order) = &reseller.events[1].subject else {
        panic!("an order is an entry");
    };
    assert_eq!(
        (order.reference.as_str(), order.amount.minor()),
        ("A", -500)
    );
    assert_eq!(order.relationship, ground.relationship);
    assert_eq!(order.lines[0].sku, ground.sku);
    assert_eq!((order.lines.len(), order.lines[0].quantity), (1, 1));
}

#[tokio::test]
async fn fact_of_a_newer_version_waits_and_nothing_waits_for_it() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    ground
        .execute(
            "INSERT INTO event_outbox (merchant_id, fact, occurred_at)
             SELECT merchant_id, '{\"fact\":\"of_tomorrow\"}', now() FROM merchants",
        )
        .await;
    ground.sell(&mut lane).await;
    step(&ground.db, lane.owner, MANY, at(9))
        .await
        .unwrap()
        .unwrap();
    let told = ground.told(ground.feed(), 0, 10).await;
    assert_eq!(names(&told.events)[3], (4, "serials:imported"));
    assert_eq!(lag(&ground.db).await.unwrap().facts, 1);
}

#[tokio::test]
async fn entries_of_a_relationship_are_numbered_when_somebody_listens() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    ground.sell(&mut lane).await;
    ground.dispatch(lane.owner).await;
    assert_eq!(ground.own_spans().await, 0);
    let (one, other) = tokio::join!(
        ground.told(ground.own_feed(), 0, 10),
        ground.told(ground.own_feed(), 0, 10)
    );
    assert_eq!((one.events.len(), one), (3, other));
    // Before any dispatcher passed it.
    ground.credit_more(&mut lane, 4).await;
    let more = ground.told(ground.own_feed(), 3, 10).await;
    assert_eq!(names(&more.events), [(4, "balance:credited")]);
    assert_eq!(ground.told(ground.own_feed(), 0, 10).await.events.len(), 4);
    assert_eq!(ground.own_spans().await, 2);
}

#[tokio::test]
async fn fact_comes_behind_the_entries_that_were_before_it() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    ground.sell(&mut lane).await;
    ground
        .execute(
            "INSERT INTO event_outbox (merchant_id, fact, occurred_at)
             SELECT merchant_id, jsonb_build_object('fact', 'product_price_changed',
               'product', product_id, 'price_version', 2), now() FROM products",
        )
        .await;
    ground.dispatch(lane.owner).await;
    ground.credit_more(&mut lane, 4).await;
    let told = ground.told(ground.own_feed(), 0, 10).await;
    let names = names(&told.events);
    assert_eq!(
        (names[2], names[4]),
        ((3, "fulfillment:created"), (5, "balance:credited"))
    );
    assert_eq!(names[3], (4, "product:price_changed"));
}

/// More entries than one step numbers of a feed, of which nobody read any, and a fact behind them.
async fn fact_behind_many(ground: &Ground) {
    ground
        .execute(
            "INSERT INTO ledger_entries (balance_id, version, kind, id, amount, balance_after,
               created_at, reference)
             SELECT balance_id, n, 3, gen_random_uuid(), 1, n, now(), n::text
             FROM balances CROSS JOIN generate_series(1, 70000) AS n WHERE NOT test;
             INSERT INTO event_outbox (merchant_id, fact, occurred_at)
             SELECT merchant_id, jsonb_build_object('fact', 'product_price_changed',
               'product', product_id, 'price_version', 2), now() FROM products",
        )
        .await;
}

#[tokio::test]
async fn fact_waits_until_all_entries_before_it_have_their_numbers() {
    let ground = Ground::new().await;
    let lane = ground.lane().await;
    fact_behind_many(&ground).await;
    step(&ground.db, lane.owner, MANY, at(9))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(lag(&ground.db).await.unwrap().facts, 1, "it waits");
    ground.dispatch(lane.owner).await;
    let told = ground.told(ground.own_feed(), 69_999, 10).await;
    assert_eq!(
        names(&told.events),
        [
            (70_000, "balance:credited"),
            (70_001, "product:price_changed")
        ]
    );
}

#[tokio::test]
async fn fact_that_waits_holds_back_what_shares_a_feed_with_it_and_nothing_else() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    fact_behind_many(&ground).await;
    ground.stock(&mut lane, 1).await;
    ground
        .execute(
            "INSERT INTO event_outbox (merchant_id, relationship_id, fact, occurred_at)
             SELECT merchant_id, relationship_id, jsonb_build_object('fact', 'verification_updated',
               'relationship', relationship_id, 'status', 'VERIFIED'), now() FROM relationships",
        )
        .await;
    step(&ground.db, lane.owner, MANY, at(9))
        .await
        .unwrap()
        .unwrap();
    let merchant = async || ground.told(ground.feed(), 0, 10).await.events;
    assert_eq!(names(&merchant().await), [(1, "serials:imported")]);
    assert_eq!(lag(&ground.db).await.unwrap().facts, 2, "in their order");
    ground.dispatch(lane.owner).await;
    let told = ground.told(ground.own_feed(), 70_000, 10).await;
    assert_eq!(
        names(&told.events),
        [
            (70_001, "product:price_changed"),
            (70_002, "verification:updated")
        ]
    );
    assert_eq!(names(&merchant().await)[1..], [(2, "verification:updated")]);
}

#[tokio::test]
async fn pages_go_on_where_the_one_before_ended() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    ground.sell(&mut lane).await;
    ground.dispatch(lane.owner).await;
    let whole = ground.told(ground.feed(), 0, 10).await;
    assert_eq!((whole.next_after, whole.has_more), (4, false));
    let mut after = 0;
    for event in &whole.events {
        let page = ground.told(ground.feed(), after, 1).await;
        assert_eq!(page.events, std::slice::from_ref(event));
        assert_eq!((page.next_after, page.has_more), (event.seq, event.seq < 4));
        after = page.next_after;
    }
    assert!(ground.told(ground.feed(), after, 1).await.events.is_empty());
    let orders = Some(vec![Kind::FulfillmentCreated]);
    let orders = list(&ground.db, ground.feed(), (0, 1), orders, at(9))
        .await
        .unwrap();
    assert_eq!(names(&orders.events), [(2, "fulfillment:created")]);
    let imports = Some(vec![Kind::SerialsImported]);
    let imports = list(&ground.db, ground.feed(), (0, 2), imports, at(9))
        .await
        .unwrap();
    assert_eq!(names(&imports.events), [(4, "serials:imported")]);
    assert_eq!((imports.next_after, imports.has_more), (4, false));
}

#[tokio::test]
async fn balances_in_test_mode_have_a_feed_of_their_own() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    let [_, test] = ground.balances;
    let credit = ground.credit(test, 1, 100_000, "welcome");
    lane.commit(Rows::Credits(vec![credit])).await.unwrap();
    ground.dispatch(lane.owner).await;
    assert!(ground.told(ground.feed(), 0, 10).await.events.is_empty());
    let of_test = Feed {
        test: true,
        ..ground.feed()
    };
    assert_eq!(
        names(&ground.told(of_test, 0, 10).await.events),
        [(1, "balance:credited")]
    );
}

#[tokio::test]
async fn step_that_does_not_end_leaves_everything_for_the_next() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    ground.sell(&mut lane).await;
    ground
        .execute(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
               $$BEGIN RAISE 'no'; END$$;
             CREATE TRIGGER fail AFTER DELETE ON event_outbox FOR EACH ROW EXECUTE FUNCTION fail()",
        )
        .await;
    assert!(step(&ground.db, lane.owner, MANY, at(9)).await.is_err());
    let waiting = lag(&ground.db).await.unwrap();
    assert_eq!((waiting.batches, waiting.facts), (4, 1));
    assert!(ground.told(ground.feed(), 0, 10).await.events.is_empty());
    ground.execute("DROP TRIGGER fail ON event_outbox").await;
    ground.dispatch(lane.owner).await;
    let seqs = ground.told(ground.feed(), 0, 10).await.events;
    let seqs: Vec<_> = seqs.iter().map(|event| event.seq).collect();
    assert_eq!(seqs, [1, 2, 3, 4]);
}

#[tokio::test]
async fn dispatchers_at_once_tell_nothing_twice() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    ground.sell(&mut lane).await;
    let step = || step(&ground.db, lane.owner, MANY, at(9));
    let steps = tokio::join!(step(), step(), step());
    assert!(steps.0.is_ok() && steps.1.is_ok() && steps.2.is_ok());
    assert_eq!(lag(&ground.db).await.unwrap(), Lag::default());
    assert_eq!(ground.told(ground.feed(), 0, 10).await.events.len(), 4);
}

#[tokio::test]
async fn a_step_takes_no_more_batches_than_it_is_asked_to() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    ground.sell(&mut lane).await;
    for left in [2, 0] {
        step(&ground.db, lane.owner, |_| 2, at(9))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(lag(&ground.db).await.unwrap().batches, left);
    }
}

#[tokio::test]
async fn only_the_owner_of_the_shard_tells() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    ground.sell(&mut lane).await;
    let stranger = ground.owner();
    assert_eq!(step(&ground.db, stranger, MANY, at(9)).await.unwrap(), None);
    assert_eq!(lag(&ground.db).await.unwrap().batches, 4);
    let told = step(&ground.db, lane.owner, MANY, at(9))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(told.feeds, [ground.feed(), ground.own_feed()].into());
    assert_eq!(told.sent, [], "there is no webhook");
}

#[tokio::test]
async fn old_events_end_and_their_numbers_are_not_given_again() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    ground.sell(&mut lane).await;
    ground.dispatch(lane.owner).await;
    assert_eq!(ground.told(ground.own_feed(), 0, 10).await.events.len(), 3);
    let after_90_days = at(9 + 91 * 86_400);
    assert_eq!(sweep(&ground.db, at(9)).await.unwrap(), 0);
    assert_eq!(sweep(&ground.db, after_90_days).await.unwrap(), 3);
    let credit = ground.credit(ground.balances[0], 4, 199_000, "later");
    lane.commit(Rows::Credits(vec![credit])).await.unwrap();
    ground.dispatch(lane.owner).await;
    let told = ground.told(ground.feed(), 0, 10).await;
    assert_eq!(names(&told.events), [(5, "balance:credited")]);
}

#[tokio::test]
async fn many_prices_of_one_product_are_one_event_of_whoever_sells_it() {
    let ground = Ground::new().await;
    let lane = ground.lane().await;
    let hears = async || ground.told(ground.own_feed(), 0, 10).await.events;
    let mut expected = 0;
    for (change, is_told) in [
        // No access to any product, and none is needed to refer customers to all.
        ("", true),
        ("UPDATE relationships SET mode = 'AFFILIATE'", true),
        ("UPDATE relationships SET mode = 'STOCK'", false),
        (
            "UPDATE relationships SET mode = 'BOTH', product_scope = 'SELECTED'",
            false,
        ),
        (
            "INSERT INTO product_access (relationship_id, merchant_id, product_id)
             SELECT relationship_id, merchant_id, product_id
             FROM relationships JOIN products USING (merchant_id)",
            true,
        ),
        ("UPDATE relationships SET product_scope = 'ALL'", true),
        ("UPDATE relationships SET status = 'SUSPENDED'", false),
    ] {
        ground.execute(change).await;
        ground
            .execute(
                "INSERT INTO event_outbox (merchant_id, fact, occurred_at)
                 SELECT merchant_id, jsonb_build_object('fact', 'product_price_changed',
                   'product', product_id, 'price_version', version), now()
                 FROM products, generate_series(1, 3) AS version",
            )
            .await;
        ground.dispatch(lane.owner).await;
        expected += usize::from(is_told);
        let heard = hears().await;
        assert_eq!(heard.len(), expected, "{change}");
    }
    let heard = hears().await;
    let Subject::Fact(Fact::ProductPriceChanged(told)) = &heard[0].subject else {
        panic!("a price is a fact");
    };
    assert_eq!(told.price_version, 3, "the last is told");
    assert!(ground.told(ground.feed(), 0, 10).await.events.is_empty());
}
