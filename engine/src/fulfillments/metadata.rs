//! What a shop sends with an order or a visit and gets back with it: names and values that mean nothing here.

use std::collections::BTreeMap;

const ENTRIES_MAX: usize = 20;
const BYTES_MAX: usize = 2048;

/// Why these are not kept, if they are not: storage holds no NUL in a text.
pub fn check_metadata(metadata: &BTreeMap<String, String>) -> Result<(), &'static str> {
    let texts = || metadata.iter().flat_map(|(name, value)| [name, value]);
    if metadata.len() > ENTRIES_MAX || texts().map(String::len).sum::<usize>() > BYTES_MAX {
        return Err("must have at most 20 entries and 2 KiB");
    }
    if texts().any(|text| text.contains('\0')) {
        return Err("must not contain NUL");
    }
    Ok(())
}
