//! What is stored beside an entry that adds or takes money without delivering.

use serde::{Deserialize, Serialize};

/// The words of a credit, as they are stored in an entry's `details`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreditDetails {
    pub(crate) description: String,
    pub(crate) label: String,
}
