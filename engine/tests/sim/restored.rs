//! The database is restored to an older state while nobody serves: whoever starts on it must refuse,
//! and tells nobody anything.

use std::{rc::Rc, time::Duration};

use tokio::time::{sleep, timeout};

use crate::{stage::Stage, tally::Kind};

/// Other faults may keep everybody from starting meanwhile.
const REFUSED_WITHIN: Duration = Duration::from_secs(20);

/// A backup is taken and put back later; then its operator finds the right one.
pub(crate) async fn restore(stage: &Rc<Stage>) {
    if stage.restoring.replace(true) {
        return;
    }
    let old = stage.db.tables().clone();
    // Longer than numbers take to be remembered.
    sleep(stage.dice.millis(1200, 6000)).await;
    if stage.notebook.is_ahead_of(&old) {
        stage.weather.struck(Kind::Restored);
        stage.kill();
        let lost = stage.db.replace(old);
        let refused = async {
            while stage.db.tables().halted.is_none() {
                sleep(Duration::from_millis(50)).await;
            }
        };
        let _nobody_started = timeout(REFUSED_WITHIN, refused).await;
        sleep(stage.dice.millis(0, 2000)).await;
        stage.kill();
        let _old = stage.db.replace(lost);
    }
    stage.restoring.set(false);
}
