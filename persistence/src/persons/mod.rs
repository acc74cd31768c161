//! People who sign in, and whom they act for.
//!
//! Keeps: of a password only a slow hash is stored, of a mailed link only a digest; whatever changes a
//! password ends the person's other sessions in the same transaction.

mod change;
mod email;
mod find;
mod insert;
mod join;
mod programs;
mod reset;
mod rows;
mod totp;

use engine::{
    clock::Timestamp,
    fulfillments::Email,
    ids::{MerchantId, PersonId, RelationshipId},
    persons::{Attempts, Role},
    vault::Sealed,
};

pub use change::{Edit, change_password, edit, record_failure};
pub use email::{NewEmail, NotConfirmed, confirm_email, offer_email};
pub use find::{credentials, find, membership, memberships, relationship_of, relationships_count};
pub use insert::{NewPerson, insert, insert_in, insert_member};
pub use join::{Joining, NotJoined, join};
pub use programs::{OwnProgram, bind, program, programs};
pub use reset::{Reset, find_reset, offer_reset, reset_password};
pub(crate) use rows::{Row as PersonRow, select_person};
pub use totp::{accept_step, confirm_totp, offer_totp, remove_totp, use_recovery_code};

/// Somebody who can sign in.
#[derive(Debug, Clone)]
pub struct Person {
    pub id: PersonId,
    pub email: Email,
    pub name: String,
    pub locale: String,
    pub disabled: bool,
    /// Whether signing in takes a one-time code.
    pub totp: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A person with what a sign-in is checked against.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub person: Person,
    pub password_hash: String,
    pub attempts: Attempts,
    /// Of one-time codes; also while it is not confirmed yet.
    pub totp_secret: Option<Sealed>,
}

/// What a person is for a merchant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    pub merchant: MerchantId,
    pub name: String,
    pub role: Role,
}

/// A relationship of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Own {
    pub merchant: MerchantId,
    pub relationship: RelationshipId,
}
