//! What is stored beside an entry that adds or takes money without delivering.

use serde::{Deserialize, Serialize};

use crate::audit::Who;

/// The words of a credit, as they are stored in an entry's `details`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CreditDetails {
    pub(crate) description: String,
    pub(crate) label: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<Who>,
}
