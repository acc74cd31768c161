//! What is mailed to somebody who is to act for a merchant.

use chrono::TimeDelta;
use engine::{
    clock::Timestamp,
    fulfillments::Email,
    ids::{MailId, PersonId},
    persons::Role,
    random::Random,
};
use persistence::{
    mail::{Letter, Post},
    members::NewMember,
    persons::NewPerson,
};

use crate::auth::{Token, passwords::NOBODYS_HASH};

/// How long a link works by which somebody sets a first password.
const VALID_DAYS: i64 = 7;

/// Who invites, and where one signs in.
pub(crate) struct Occasion<'a> {
    pub(crate) merchant: &'a str,
    pub(crate) origin: &'a str,
}

/// Somebody who is to act for a merchant, with the link that lets a new person set a password.
pub(crate) fn new_member(
    occasion: &Occasion<'_>,
    (email, name, role): (Email, String, Role),
    now: Timestamp,
    random: &dyn Random,
) -> (NewMember, String) {
    let token = Token::generate(random);
    let Occasion { merchant, origin } = occasion;
    let url = format!("{origin}/reset/{}", token.expose());
    let post = |text: String| Post {
        id: MailId::generate(now, random),
        letter: Letter {
            to: email.as_str().to_owned(),
            subject: format!("You act for {merchant}"),
            text,
        },
    };
    let role_name = role.name();
    let new = NewMember {
        role,
        welcome: post(format!(
            "You may act for {merchant} at {origin}, as {role_name}.\n\n\
             Set a password within {VALID_DAYS} days:\n\n{url}\n\n\
             If you do not know {merchant}, do nothing.\n"
        )),
        notice: post(format!(
            "You may act for {merchant} at {origin}, as {role_name}. Sign in as always.\n"
        )),
        link: (token.digest(), now + TimeDelta::days(VALID_DAYS)),
        person: NewPerson {
            id: PersonId::generate(now, random),
            password_hash: NOBODYS_HASH.to_owned(),
            email,
            name,
        },
    };
    (new, url)
}
