//! What a customer was given of each line, key by key.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter,
};

use super::Line;
use crate::{catalog::ProductKind, ids::SerialId};

/// One serial that a customer has, and what took its place because it was no good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    pub serial: SerialId,
    pub successor: Option<SerialId>,
}

/// For every line its units, each with what took its place behind it: the last is the one that counts. Of a line
/// without serials there are none, nor of one that was left out.
pub fn chains(lines: &[Line], units: &[Unit]) -> Vec<Vec<Vec<SerialId>>> {
    let pairs = units
        .iter()
        .filter_map(|unit| Some((unit.serial, unit.successor?)));
    let next: BTreeMap<SerialId, SerialId> = pairs.collect();
    let later: BTreeSet<SerialId> = next.values().copied().collect();
    let chain = |first| {
        let own = iter::successors(Some(first), |serial| next.get(serial).copied());
        own.take(units.len()).collect()
    };
    let serials = units.iter().map(|unit| unit.serial);
    let mut firsts = serials.filter(|serial| !later.contains(serial));
    let own = lines.iter().map(|line| {
        if line.kind == ProductKind::Service || line.left_out {
            return Vec::new();
        }
        let units = usize::try_from(line.quantity).unwrap_or(usize::MAX);
        firsts.by_ref().take(units).map(chain).collect()
    });
    own.collect()
}
