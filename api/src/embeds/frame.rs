//! Which pages may frame a widget, and what it leads to.

use crate::state::App;

/// Those of these origins, as they are written in a policy; where none is named, any.
pub(crate) fn ancestors(app: &App, origins: &[String]) -> String {
    if origins.is_empty() {
        anywhere(app).to_owned()
    } else {
        origins.join(" ")
    }
}

/// Pages by https; where we are not reached by https ourselves, any.
pub(crate) fn anywhere(app: &App) -> &'static str {
    if app.tls() { "https:" } else { "https: http:" }
}
