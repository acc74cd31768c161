//! An invited person joins a program: the offer ends, the relationship begins and gets its person, who
//! is made if need be and signed in.
//!
//! Keeps: all of it or nothing, and only for the address that was invited.

use engine::{
    audit::{Actor, Digest},
    clock::Timestamp,
    fulfillments::Email,
    ids::PersonId,
    invitations::Refusal,
};

use super::{NewPerson, insert_in, programs::bind_in};
use crate::{
    Database, Error,
    database::commit,
    invitations::{self, Accepted},
    owned,
    sessions::{self, NewSession},
};

/// Who joins.
pub enum Joining {
    /// Somebody who is signed in.
    Known {
        id: PersonId,
        email: Email,
        name: String,
    },
    /// Somebody who has no log-in yet, and gets a session.
    New(NewPerson, NewSession),
}

/// Why nobody joined; nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotJoined {
    /// The offer does not stand any more.
    Offer(Refusal),
    /// Somebody else was invited.
    Foreign,
    /// The invited address has a log-in already.
    SignInFirst,
}

/// Joins by the link with this token; none if it opens nothing.
pub async fn join(
    db: &Database,
    token: Digest,
    who: Joining,
    actor: Actor,
    now: Timestamp,
) -> Result<Option<Result<Accepted, NotJoined>>, Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        let (id, email, name) = match &who {
            Joining::Known { id, email, name } => (*id, email, name),
            Joining::New(person, session) => {
                if !insert_in(&mut tx, person, now).await? {
                    return Ok(Some(Err(NotJoined::SignInFirst)));
                }
                sessions::open_in(&mut tx, person.id, session, now).await?;
                (person.id, &person.email, &person.name)
            }
        };
        // What others lock is locked before the audit log's head, which comes last in here.
        let accepted = match invitations::accept(&mut tx, &token, name, actor, now).await? {
            None => return Ok(None),
            Some(Err(refusal)) => return Ok(Some(Err(NotJoined::Offer(refusal)))),
            Some(Ok(accepted)) => accepted,
        };
        if accepted.invitation.email != email.as_str() {
            return Ok(Some(Err(NotJoined::Foreign)));
        }
        bind_in(&mut tx, id, accepted.relationship.id).await?;
        commit(tx).await?;
        Ok(Some(Ok(accepted)))
    })
    .await
}
