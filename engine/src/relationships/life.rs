//! The life of a relationship: invited, active, suspended, terminated.
//!
//! Keeps: nothing comes back from the end, and what a step finds done is not done twice.

use super::{Relationship, Status};
use crate::clock::Timestamp;

/// What a merchant may do with a relationship that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Suspend,
    Reactivate,
    Terminate,
}

impl Step {
    /// Where it leads.
    pub const fn end(self) -> Status {
        match self {
            Self::Suspend => Status::Suspended,
            Self::Reactivate => Status::Active,
            Self::Terminate => Status::Terminated,
        }
    }
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum Stepped {
    To(Box<Relationship>),
    /// It is there already: nothing is changed.
    Already(Box<Relationship>),
}

/// The status does not allow the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrongStatus(pub Status);

impl Relationship {
    /// Takes a step. The reason is shown to the reseller for as long as the status lasts.
    pub fn step(
        mut self,
        step: Step,
        reason: Option<String>,
        now: Timestamp,
    ) -> Result<Stepped, WrongStatus> {
        if self.status == step.end() {
            return Ok(Stepped::Already(Box::new(self)));
        }
        let allowed = match self.status {
            Status::Invited | Status::Terminated => false,
            Status::Active => matches!(step, Step::Suspend | Step::Terminate),
            Status::Suspended => matches!(step, Step::Reactivate | Step::Terminate),
        };
        if !allowed {
            return Err(WrongStatus(self.status));
        }
        self.enter(step.end(), reason, now);
        Ok(Stepped::To(Box::new(self)))
    }

    /// The invited person accepted.
    pub fn accepted(mut self, now: Timestamp) -> Result<Self, WrongStatus> {
        if self.status != Status::Invited {
            return Err(WrongStatus(self.status));
        }
        self.accepted_at = Some(now);
        self.enter(Status::Active, None, now);
        Ok(self)
    }

    /// Nobody will accept: declined, taken back, or over.
    pub fn given_up(mut self, reason: String, now: Timestamp) -> Result<Self, WrongStatus> {
        if self.status != Status::Invited {
            return Err(WrongStatus(self.status));
        }
        self.enter(Status::Terminated, Some(reason), now);
        Ok(self)
    }

    fn enter(&mut self, status: Status, reason: Option<String>, now: Timestamp) {
        match status {
            Status::Suspended => self.suspended_at = Some(now),
            Status::Terminated => self.terminated_at = Some(now),
            Status::Active => self.suspended_at = None,
            Status::Invited => {}
        }
        self.status = status;
        self.status_reason = reason;
        self.version += 1;
        self.updated_at = now;
    }
}
