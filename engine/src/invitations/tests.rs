//! Every step from every status.

use chrono::TimeDelta;
use uuid::Uuid;

use super::{Invitation, Refusal, Status, Stepped, end};
use crate::{
    clock::{EPOCH, Timestamp},
    ids::{InvitationId, MerchantId, RelationshipId},
};

fn invitation(status: Status) -> Invitation {
    Invitation {
        id: InvitationId::from_uuid(Uuid::nil()),
        merchant: MerchantId::from_uuid(Uuid::nil()),
        relationship: RelationshipId::from_uuid(Uuid::nil()),
        email: "max@partner.example".to_owned(),
        status,
        valid_days: 7,
        expires_at: end(EPOCH, 7),
        accepted_at: None,
        declined_at: None,
        revoked_at: None,
        created_at: EPOCH,
        updated_at: EPOCH,
    }
}

fn day(day: i64) -> Timestamp {
    EPOCH + TimeDelta::days(day)
}

fn status(stepped: &Stepped) -> (Status, bool) {
    match stepped {
        Stepped::To(invitation) => (invitation.status, true),
        Stepped::Already(invitation) => (invitation.status, false),
    }
}

#[test]
fn open_offer_can_be_accepted_declined_revoked_and_sent_again() {
    let open = || invitation(Status::Pending);
    let accepted = open().accept(day(6)).unwrap();
    assert_eq!(
        (accepted.status, accepted.accepted_at, accepted.updated_at),
        (Status::Accepted, Some(day(6)), day(6))
    );
    let declined = open().decline(day(6)).unwrap();
    assert_eq!(status(&declined), (Status::Declined, true));
    let revoked = open().revoke(day(6)).unwrap();
    assert_eq!(status(&revoked), (Status::Revoked, true));
    let again = open().resend(day(6)).unwrap();
    assert_eq!((again.status, again.expires_at), (Status::Pending, day(13)));
    assert_eq!(open().expire(day(6)), None);
}

#[test]
fn offer_is_over_at_its_end_whether_or_not_that_was_noted() {
    for status in [Status::Pending, Status::Expired] {
        let over = || invitation(status);
        assert!(!over().is_open(day(7)));
        assert_eq!(over().accept(day(7)), Err(Refusal::Expired));
        assert_eq!(over().decline(day(7)), Err(Refusal::Expired));
        assert_eq!(over().revoke(day(7)), Err(Refusal::Expired));
        assert_eq!(over().resend(day(7)), Err(Refusal::Expired));
    }
    let noted = invitation(Status::Pending).expire(day(7)).unwrap();
    assert_eq!(noted.status, Status::Expired);
    assert_eq!(noted.expire(day(8)), None);
}

#[test]
fn ended_offer_stays_as_it_ended() {
    for ended in [Status::Accepted, Status::Declined, Status::Revoked] {
        let refusal = Refusal::Ended(ended);
        let offer = || invitation(ended);
        assert_eq!(offer().accept(day(1)), Err(refusal));
        assert_eq!(offer().resend(day(1)), Err(refusal));
        assert_eq!(offer().expire(day(8)), None);
        let declined = offer().decline(day(1)).map(|stepped| status(&stepped));
        let revoked = offer().revoke(day(1)).map(|stepped| status(&stepped));
        let again = Ok((ended, false));
        let expected = |same| if same { again } else { Err(refusal) };
        assert_eq!(declined, expected(ended == Status::Declined));
        assert_eq!(revoked, expected(ended == Status::Revoked));
    }
}

#[test]
fn offer_whose_time_is_over_counts_as_expired_before_that_is_stored() {
    let over = day(7);
    for status in Status::ALL {
        let invitation = invitation(status);
        assert_eq!(invitation.status_at(day(6)), status);
        let then = if status == Status::Pending {
            Status::Expired
        } else {
            status
        };
        assert_eq!(invitation.status_at(over), then);
    }
}
