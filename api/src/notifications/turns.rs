//! The job that mails sides whose turn it is.

use engine::{clock::Timestamp, ids::MailId};
use persistence::{
    mail::{Letter, Post},
    notifications,
};

use super::letters;
use crate::state::App;

const TURNS_AT_ONCE: u32 = 100;

/// Mails some sides what happened since they were mailed last; how many there were.
pub async fn mail_due(app: &App, now: Timestamp) -> Result<usize, persistence::Error> {
    let due = notifications::due(&app.database, TURNS_AT_ONCE, now).await?;
    let count = due.len();
    for turn in due {
        let letter = letters::letter(&app.origin, &turn);
        let posts = letter.into_iter().flat_map(|(subject, text)| {
            let to = turn.recipients.iter();
            let posts = to.map(move |to| Post {
                id: MailId::generate(now, &**app.engine.random()),
                letter: Letter {
                    to: to.clone(),
                    subject: subject.clone(),
                    text: text.clone(),
                },
            });
            posts.collect::<Vec<_>>()
        });
        let posts: Vec<_> = posts.collect();
        let queues = !posts.is_empty();
        let vault = app.engine.vault();
        if notifications::end(&app.database, vault, turn, posts, now).await? && queues {
            app.mail_queued.notify_one();
        }
    }
    Ok(count)
}

/// Whether another pass would find as much.
pub(crate) fn is_full(count: usize) -> bool {
    count >= TURNS_AT_ONCE as usize
}
