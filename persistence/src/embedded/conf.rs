//! The server's settings: the whole `postgresql.conf` of an embedded cluster.
//!
//! Keeps: a commit that returned is on the disk, parameters never reach the log, nothing listens on
//! TCP. The caller may replace a setting, and does so knowingly.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use super::{Error, home::PORT};

/// The file's name in the data directory.
pub(super) const FILE: &str = "postgresql.conf";

const DEFAULTS: [(&str, &str); 19] = [
    ("listen_addresses", ""),
    ("unix_socket_permissions", "0700"),
    ("max_connections", "100"),
    ("fsync", "on"),
    ("full_page_writes", "on"),
    ("synchronous_commit", "on"),
    ("wal_compression", "off"),
    ("shared_buffers", "256MB"),
    // So that a benchmark measures commits and not checkpoints.
    ("max_wal_size", "4GB"),
    ("checkpoint_timeout", "15min"),
    ("log_destination", "stderr"),
    ("logging_collector", "off"),
    ("log_line_prefix", "%m [%p] %q%d "),
    ("log_checkpoints", "off"),
    // Parameters are serials and e-mail addresses.
    ("log_parameter_max_length", "0"),
    ("log_parameter_max_length_on_error", "0"),
    ("lc_messages", "C"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
];

/// The text of the file.
pub(super) fn text(socket_dir: &Path, extra: &[(String, String)]) -> Result<String, Error> {
    let socket_dir = socket_dir.to_string_lossy();
    let port = PORT.to_string();
    let mut settings: BTreeMap<&str, &str> = DEFAULTS.into();
    settings.extend(
        extra
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    );
    settings.insert("unix_socket_directories", &socket_dir);
    settings.insert("port", &port);
    let mut text =
        String::from("# Written at every start; pass settings to the launcher instead.\n");
    for (name, value) in settings {
        if !is_setting(name, value) {
            return Err(Error::Setting {
                name: name.to_owned(),
            });
        }
        let value = value.replace('\\', "\\\\").replace('\'', "''");
        writeln!(text, "{name} = '{value}'").expect("writing to a string");
    }
    Ok(text)
}

fn is_setting(name: &str, value: &str) -> bool {
    let named = name.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "_.".contains(letter));
    named && !value.contains(['\n', '\r', '\0'])
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::text;

    fn with(name: &str, value: &str) -> Result<String, super::Error> {
        text(
            Path::new("/tmp/consign-1"),
            &[(name.to_owned(), value.to_owned())],
        )
    }

    #[test]
    fn callers_setting_replaces_the_default() {
        let text = with("shared_buffers", "1GB").unwrap();
        assert!(text.contains("shared_buffers = '1GB'\n"), "{text}");
        assert!(!text.contains("256MB"), "{text}");
        assert!(text.contains("fsync = 'on'\n"), "{text}");
    }

    #[test]
    fn quotes_are_escaped_and_lines_refused() {
        assert!(
            with("cluster_name", "it's")
                .unwrap()
                .contains("cluster_name = 'it''s'\n")
        );
        assert!(with("cluster_name", "a\nfsync = off").is_err());
        assert!(with("fsync = off --", "on").is_err());
    }

    #[test]
    fn socket_stays_where_the_launcher_put_it() {
        let text = with("unix_socket_directories", "/").unwrap();
        assert!(
            text.contains("unix_socket_directories = '/tmp/consign-1'\n"),
            "{text}"
        );
    }
}
