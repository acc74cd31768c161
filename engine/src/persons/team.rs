//! Who acts for a merchant, and in which role.
//!
//! Keeps: a merchant always has an owner.

use super::Role;

/// Nobody else could give rights any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastOwner;

/// Whether a member, of a team with so many owners, may have another role from now on, or none.
pub fn changed(owners: u64, from: Role, to: Option<Role>) -> Result<(), LastOwner> {
    let leaves = from == Role::Owner && to != Some(Role::Owner);
    if leaves && owners <= 1 {
        return Err(LastOwner);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_owner_must_stay_one() {
        for (owners, from, to, allowed) in [
            (1, Role::Owner, None, false),
            (1, Role::Owner, Some(Role::Viewer), false),
            (1, Role::Owner, Some(Role::Owner), true),
            (2, Role::Owner, None, true),
            (2, Role::Owner, Some(Role::Manager), true),
            (1, Role::Manager, None, true),
            (1, Role::Viewer, Some(Role::Owner), true),
        ] {
            assert_eq!(
                changed(owners, from, to).is_ok(),
                allowed,
                "{owners} {from:?} {to:?}"
            );
        }
    }
}
