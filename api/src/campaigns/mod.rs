//! Embed campaigns over HTTP: made and changed by the reseller or the merchant, placed by their snippets.
//!
//! Keeps: a snippet has nothing secret but its token, which names a campaign and opens nothing else.

pub(crate) mod change;
pub(crate) mod create;
mod fields;
pub(crate) mod list;
mod refusal;
pub(crate) mod rotate;
mod shown;
pub(crate) mod snippet;

pub(crate) use shown::{CampaignWithSnippet, EmbedCampaign};
