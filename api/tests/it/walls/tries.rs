//! Everybody who must not get through an operation, and what each may be told.

use engine::{api_keys::Scope, ids::PersonId};

use super::{
    Ground,
    operations::{For, Operation},
    text_of,
};
use crate::support::World;

/// Who tries.
pub(super) enum Caller {
    Nobody,
    Key(String),
    Session {
        person: PersonId,
        merchant: Option<String>,
        origin: &'static str,
    },
    Ended(String),
}

/// One who tries, and what the answer may be.
pub(super) struct Try {
    pub(super) who: &'static str,
    pub(super) caller: Caller,
    pub(super) allowed: Allowed,
}

pub(super) type Allowed = &'static [(u16, &'static str)];

/// What a suspended reseller hears depends on what it asks for first; a list of rows says it per row.
const SUSPENDED: Allowed = &[
    (403, "RELATIONSHIP_INACTIVE"),
    (404, "NOT_FOUND"),
    (403, "FORBIDDEN"),
    (422, "VALIDATION_ERROR"),
    (200, ""),
];

const UNAUTHORIZED: Allowed = &[(401, "UNAUTHORIZED")];
const FORBIDDEN: Allowed = &[(403, "FORBIDDEN")];
pub(super) const NOT_FOUND: Allowed = &[(404, "NOT_FOUND")];
const STEP_UP: Allowed = &[(403, "STEP_UP_REQUIRED")];
const WRONG_SURFACE: Allowed = &[(400, "BAD_REQUEST"), (403, "FORBIDDEN")];

impl Ground {
    /// Everybody who must not get through, for an operation.
    pub(super) fn tries(&self, world: &World, operation: &Operation) -> Vec<Try> {
        let mut tries = Vec::new();
        let mut add = |who, caller, allowed| {
            tries.push(Try {
                who,
                caller,
                allowed,
            });
        };
        if operation.caller != For::Anybody {
            add("nobody", Caller::Nobody, UNAUTHORIZED);
            let ended = "__Host-consign=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
            add(
                "an ended session",
                Caller::Ended(ended.to_owned()),
                UNAUTHORIZED,
            );
        }
        match operation.caller {
            For::Reseller => self.of_reseller(world, operation, &mut add),
            For::Merchant => self.of_merchant(world, operation, &mut add),
            For::Owner => self.of_owner(world, operation, &mut add),
            For::Person => self.of_person(world, operation, &mut add),
            For::Anybody if !operation.reads() => {
                add("a foreign page", self.elsewhere("nobody"), FORBIDDEN);
            }
            For::Anybody => {}
        }
        tries
    }

    fn keys_that_do_not_live(&self, add: &mut impl FnMut(&'static str, Caller, Allowed)) {
        let names = [
            "a malformed key",
            "a wrong key",
            "an expired key",
            "a revoked key",
        ];
        for (who, key) in names.into_iter().zip(&self.unknown) {
            add(who, Caller::Key(key.clone()), UNAUTHORIZED);
        }
    }

    fn of_reseller(
        &self,
        world: &World,
        operation: &Operation,
        add: &mut impl FnMut(&'static str, Caller, Allowed),
    ) {
        if operation.path.ends_with("/dynamic") {
            // Its key is in the query; its own tests are in `dynamic_url`.
            return;
        }
        self.keys_that_do_not_live(add);
        add("a session", self.session("victim"), UNAUTHORIZED);
        let merchants = Caller::Key(world.merchant_key());
        add("the merchant's key", merchants, FORBIDDEN);
        let other = Caller::Key(text_of(&self.stranger.key));
        add("another merchant's key", other, FORBIDDEN);
        if let Some(scope) = operation.scope {
            let (balance, products) = &self.scopeless;
            let without = if scope == Scope::BalanceRead {
                products
            } else {
                balance
            };
            add(
                "a key without the scope",
                Caller::Key(without.clone()),
                FORBIDDEN,
            );
        }
        if operation.names_something() {
            let theirs = Caller::Key(text_of(&self.stranger.resellers[0].key));
            add("another merchant's reseller", theirs, NOT_FOUND);
            if !operation.path.contains("product") {
                let siblings = Caller::Key(self.sibling.clone());
                add("another reseller of the merchant", siblings, NOT_FOUND);
            }
        }
        if !operation.reads() {
            let suspended = Caller::Key(world.key("demo-suspended"));
            add("a suspended reseller", suspended, SUSPENDED);
        }
    }

    fn of_merchant(
        &self,
        world: &World,
        operation: &Operation,
        add: &mut impl FnMut(&'static str, Caller, Allowed),
    ) {
        self.keys_that_do_not_live(add);
        let own = Some(world.cast.merchant.to_string());
        add(
            "a reseller's key",
            Caller::Key(world.key("demo-both")),
            FORBIDDEN,
        );
        for who in ["nobody", "former", "victim"] {
            add("a session of no member", self.session(who), FORBIDDEN);
        }
        let rival = self.session_for("rival", own);
        add("another merchant's owner, as a member", rival, FORBIDDEN);
        if !operation.reads() {
            add("a viewer", self.session("viewer"), FORBIDDEN);
            add("a foreign page", self.elsewhere("owner"), FORBIDDEN);
        }
        if operation.names_something() {
            let theirs = Caller::Key(text_of(&self.stranger.key));
            add("another merchant's key", theirs, NOT_FOUND);
            add("another merchant's owner", self.session("rival"), NOT_FOUND);
        }
    }

    fn of_owner(
        &self,
        world: &World,
        operation: &Operation,
        add: &mut impl FnMut(&'static str, Caller, Allowed),
    ) {
        let own = Some(world.cast.merchant.to_string());
        for key in [world.merchant_key(), world.key("demo-both")] {
            add("a key", Caller::Key(key), FORBIDDEN);
        }
        for who in ["nobody", "former", "victim", "viewer", "manager"] {
            add("who is no owner", self.session(who), FORBIDDEN);
        }
        let rival = self.session_for("rival", own);
        add("another merchant's owner, as an owner", rival, FORBIDDEN);
        if operation.steps_up {
            add("an owner without a step-up", self.session("owner"), STEP_UP);
        } else if operation.names_something() {
            add(
                "an owner with a reseller's thing",
                self.session("owner"),
                NOT_FOUND,
            );
        }
        if !operation.reads() {
            add("a foreign page", self.elsewhere("owner"), FORBIDDEN);
        }
    }

    fn of_person(
        &self,
        world: &World,
        operation: &Operation,
        add: &mut impl FnMut(&'static str, Caller, Allowed),
    ) {
        for key in [world.merchant_key(), world.key("demo-both")] {
            add("a key", Caller::Key(key), WRONG_SURFACE);
        }
        if !operation.reads() {
            add("a foreign page", self.elsewhere("victim"), FORBIDDEN);
        }
        if operation.steps_up {
            add(
                "the person without a step-up",
                self.session("victim"),
                STEP_UP,
            );
        } else if operation.names_something() {
            for who in ["nobody", "sibling", "owner", "rival"] {
                add("another person", self.session(who), NOT_FOUND);
            }
        }
    }
}
