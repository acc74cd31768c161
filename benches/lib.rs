//! An engine on its own threads, for benches: a world in memory and a journal that keeps nothing.
//!
//! Keeps: what is measured is the engine; nothing waits for storage.

use std::sync::Arc;

use engine::{
    actors::Arbiters,
    engine::{Engine, Ports},
    journal::NullJournal,
    testing::World,
};
use tokio::runtime::Runtime;

/// A runtime and an engine on it.
pub struct Bench {
    pub runtime: Arc<Runtime>,
    pub engine: Engine,
    pub world: World,
}

/// An engine with so many serials of `key` and money for all of them.
///
/// # Panics
/// If the engine does not start.
pub fn engine(serials: u32) -> Bench {
    let world = World::new()
        .product("key", serials)
        .balance("9999999999.99");
    let world = world.configure(|config| config.lanes = 1);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = Arc::new(runtime.expect("a runtime"));
    let arbiters = Arbiters::start(&runtime, world.config.arbiters).expect("actor threads");
    let journal = Arc::new(NullJournal::new());
    let ports = Ports {
        journal,
        ..world.ports()
    };
    let (config, vault) = (world.config.clone(), world.vault.clone());
    let engine = runtime.block_on(Engine::start(config, vault, ports, arbiters));
    Bench {
        engine: engine.expect("an engine"),
        runtime,
        world,
    }
}
