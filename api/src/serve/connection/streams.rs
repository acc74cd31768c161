//! HTTP/2 streams, each a task of its own.
//!
//! Keeps: a stream whose answer is not read is cut alone; the connection has others.

use std::{pin::pin, sync::Arc};

use hyper::rt::Executor;
use hyper_util::rt::TokioExecutor;
use tokio::time::sleep_until;

use super::activity::{Activity, Patience};

tokio::task_local! {
    /// Of an HTTP/2 stream, which is a task of its own.
    pub(super) static STREAM: Arc<Activity>;
}

/// Runs each HTTP/2 stream until it ends, or until its answer is not read.
#[derive(Debug, Clone, Copy)]
pub(in crate::serve) struct Streams(pub(in crate::serve) Patience);

impl<Stream> Executor<Stream> for Streams
where
    Stream: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: Stream) {
        let (activity, patience) = (Activity::new(), self.0);
        let until_cut = until_over(stream, Arc::clone(&activity), patience);
        TokioExecutor::new().execute(STREAM.scope(activity, until_cut));
    }
}

/// Dropping a stream resets it.
async fn until_over(stream: impl Future<Output = ()>, activity: Arc<Activity>, patience: Patience) {
    let mut stream = pin!(stream);
    loop {
        tokio::select! {
            biased;
            () = &mut stream => return,
            () = sleep_until(activity.look(patience)) => {}
        }
        if activity.over(patience) {
            tracing::debug!("an answer was not read");
            return;
        }
    }
}
