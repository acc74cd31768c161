//! Who acted, as it is stored beside what a lane committed.
//!
//! Keeps: what is stored for ever is read for ever, so what a later version adds is let pass.

use engine::audit::{Actor, ActorKind};
use serde::{Deserialize, Serialize};

use crate::Error;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Who {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    label: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ip: Option<std::net::IpAddr>,
}

impl Who {
    pub(crate) fn of(actor: &Actor) -> Self {
        Self {
            kind: actor.kind.name().to_owned(),
            id: actor.id.clone(),
            label: actor.label.clone(),
            ip: actor.ip,
        }
    }
}

impl TryFrom<Who> for Actor {
    type Error = Error;

    fn try_from(who: Who) -> Result<Self, Error> {
        let kind = ActorKind::parse(&who.kind).ok_or(Error::Inconsistent {
            what: "an actor of no known kind",
        })?;
        Ok(Self {
            kind,
            id: who.id,
            label: who.label,
            ip: who.ip,
        })
    }
}
