//! Rebuilds the crate when a migration is added: the macro that embeds them cannot see it.

fn main() {
    println!("cargo:rerun-if-changed=../migrations");
}
