//! A product that changes while the engine runs: once the change is told, nothing is accepted under the
//! old one.

use futures_util::future::{join, join_all};

use crate::{
    catalog::{Product, Status},
    fault::Fault,
    fulfillments::Refusal,
    money::Money,
    testing::{
        World,
        outcomes::{fresh, refusal},
        scene, usd,
    },
};

fn world() -> World {
    World::new().product("key", 200).balance("1000.00")
}

fn priced(price: Money) -> impl FnOnce(&mut Product) {
    move |product| {
        product.wholesale_price = Some(price);
        product.price_version += 1;
    }
}

#[test]
fn changed_price_title_and_status_are_in_force_once_told() {
    scene(&world(), async |scene| {
        let first = fresh(scene.fulfill("A-1", &[("key", 1)]).await);
        assert_eq!(first.contents.total, usd("2.50"));

        scene.world.change_product("key", priced(usd("3.00")));
        let unaware = fresh(scene.fulfill("A-2", &[("key", 1)]).await);
        assert_eq!(unaware.contents.total, usd("2.50"));

        scene
            .change_product("key", |product| "Renamed".clone_into(&mut product.title))
            .await;
        let told = fresh(scene.fulfill("A-3", &[("key", 1)]).await);
        assert_eq!(told.contents.total, usd("3.00"));
        let (before, after) = (&first.contents.lines[0], &told.contents.lines[0]);
        assert!(before.price_version < after.price_version);
        let product = scene.engine.product(before.sku.product).await;
        assert_eq!(product.unwrap().unwrap().title, "Renamed");

        scene
            .change_product("key", |product| product.status = Status::Disabled)
            .await;
        let refused = refusal(scene.fulfill("A-4", &[("key", 1)]).await);
        let product = before.sku.product;
        assert_eq!(refused, Refusal::ProductNotAllowed { product });
        scene
            .change_product("key", |product| product.status = Status::Active)
            .await;
        fresh(scene.fulfill("A-4", &[("key", 1)]).await);
        scene.check_at_rest().await;
    });
}

#[test]
fn order_that_was_quoted_and_not_yet_held_is_quoted_again() {
    scene(&world(), async |scene| {
        let store = &scene.world.store;
        store.hold_loads();
        let change = async {
            store.load_waits().await;
            scene.change_product("key", priced(usd("3.00"))).await;
            store.let_loads();
        };
        let (ordered, ()) = join(scene.fulfill("A-1", &[("key", 2)]), change).await;
        assert_eq!(fresh(ordered).contents.total, usd("6.00"));
        scene.check_at_rest().await;
    });
}

#[test]
fn order_that_was_refused_under_the_old_product_is_judged_again() {
    let world = world().edit_product("key", |product| product.status = Status::Disabled);
    scene(&world, async |scene| {
        let store = &scene.world.store;
        store.hold_loads();
        let change = async {
            store.load_waits().await;
            scene
                .change_product("key", |product| product.status = Status::Active)
                .await;
            store.let_loads();
        };
        let (ordered, ()) = join(scene.fulfill("A-1", &[("key", 1)]), change).await;
        fresh(ordered);
        scene.check_at_rest().await;
    });
}

/// Its successor sells on under the old price, and nobody may be told otherwise.
#[test]
fn change_that_an_owner_cannot_vouch_for_is_not_acknowledged() {
    scene(&world(), async |scene| {
        let product = scene.world.sku("key").product;
        scene.world.store.free_lease();
        let told = scene.engine.product_changed(product).await;
        assert_eq!(told, Err(Fault::OutcomeUnknown));
    });
}

/// Prices only rise here: whoever pays less than what was told before the order began was sold to
/// under an old price.
#[test]
fn no_order_pays_less_than_what_was_told_before_it_began() {
    scene(&world(), async |scene| {
        for round in 1..=30_i64 {
            let told = Money::from_minor(round).expect("a price");
            scene.change_product("key", priced(told)).await;
            let orders = (0..4).map(async |place| {
                let id = format!("A-{round}-{place}");
                let delivered = fresh(scene.fulfill(&id, &[("key", 1)]).await);
                assert!(delivered.contents.total >= told, "{id}");
            });
            let next = async {
                tokio::task::yield_now().await;
                let next = Money::from_minor(round + 1).expect("a price");
                scene.change_product("key", priced(next)).await;
            };
            join(join_all(orders), next).await;
        }
        scene.check_at_rest().await;
    });
}
