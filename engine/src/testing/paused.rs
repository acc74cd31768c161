//! One thread, one actix system, time that moves only when everything waits.

use actix_rt::System;

use super::{Scene, World};
use crate::actors::Arbiters;

/// Runs a test on a thread of its own actors, with a clock that skips whatever is waited for.
fn paused<T>(test: impl Future<Output = T>) -> T {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime")
    };
    System::with_tokio_rt(runtime).block_on(test)
}

/// Runs a test on a running engine whose lanes are ready.
pub(crate) fn scene<T>(world: &World, test: impl AsyncFnOnce(Scene) -> T) -> T {
    paused(async { test(started(world).await).await })
}

/// The engine drains, and another one starts on what it left.
pub(crate) async fn restarted(scene: Scene) -> Scene {
    scene.engine.drain().await;
    started(&scene.world).await
}

async fn started(world: &World) -> Scene {
    let scene = world.start(Arbiters::current()).await;
    let scene = scene.expect("a sound world starts");
    while !scene.engine.readiness().lanes {
        tokio::task::yield_now().await;
    }
    scene
}
