//! What a comparison found, and its forms: a table to read, a file to diff.
//!
//! Keeps: nothing is rounded before it is printed, and printing happens in one place.

pub(crate) mod comparison;
pub(crate) mod goals;
pub(crate) mod json;
pub(crate) mod markdown;

/// The one place that prints to standard output.
#[expect(clippy::print_stdout, reason = "the output of a command-line tool")]
pub(crate) fn say(text: &str) {
    println!("{text}");
}
