//! Resellers as their merchant sees and changes them.

pub(crate) mod get;
pub(crate) mod list;
mod reseller;
pub(crate) mod step;
pub(crate) mod terms;
pub(crate) mod update;

use engine::relationships::Mode;
pub(crate) use reseller::{Reseller, Showcase};

/// A mode by its name; wholesale is another word for stock.
pub(crate) fn mode(name: &str) -> Option<Mode> {
    Mode::parse(name).or_else(|| (name == "WHOLESALE").then_some(Mode::Stock))
}
