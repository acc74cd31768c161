//! Which mails resellers and merchants get, and the mails about what was told of in the feeds.

mod fields;
mod letters;
pub(crate) mod merchant;
pub(crate) mod reseller;
mod turns;

pub(crate) use turns::is_full;
pub use turns::mail_due;
