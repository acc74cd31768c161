//! The repository as text: every file that is ours, read once.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use crate::code;

/// Built, fetched or kept by tools; nobody reads them.
const SKIPPED: [&str; 6] = [
    "target",
    "node_modules",
    ".git",
    ".consign",
    ".sqlx",
    "dist",
];
const SUFFIXES: [&str; 14] = [
    "rs", "toml", "md", "sql", "sh", "js", "ts", "tsx", "json", "yml", "yaml", "txt", "service",
    "conf",
];
const NAMES: [&str; 3] = ["Makefile", "run", "Caddyfile"];

/// One file, its path relative to the root and with `/` whatever the system.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
    code: OnceLock<String>,
}

impl File {
    /// The text with every comment and the inside of every literal blanked, line by line the same.
    pub(crate) fn code(&self) -> &str {
        self.code.get_or_init(|| code::blank(&self.text))
    }

    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    pub(crate) fn has_suffix(&self, suffix: &str) -> bool {
        self.name()
            .rsplit_once('.')
            .is_some_and(|(_, found)| found == suffix)
    }

    /// Whether the file lies below `folder`, given with its slash.
    pub(crate) fn below(&self, folder: &str) -> bool {
        self.path.starts_with(folder)
    }

    /// Whether the file holds tests and nothing else.
    pub(crate) fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.name() == "tests.rs"
    }
}

/// All files, in the order of their paths.
#[derive(Debug)]
pub(crate) struct Tree {
    files: Vec<File>,
}

impl Tree {
    pub(crate) fn of_repository() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("the crate lies in a workspace");
        let mut paths = Vec::new();
        walk(root, &mut paths);
        paths.sort();
        let files = paths
            .into_iter()
            .filter_map(|path| {
                // A file that vanishes between listing and reading was nobody's rule to keep.
                let text = fs::read_to_string(&path).ok()?;
                let path = path.strip_prefix(root).ok()?.to_str()?.replace('\\', "/");
                Some(File {
                    path,
                    text,
                    code: OnceLock::new(),
                })
            })
            .collect();
        Self { files }
    }

    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let files = files
            .iter()
            .map(|(path, text)| File {
                path: (*path).to_owned(),
                text: (*text).to_owned(),
                code: OnceLock::new(),
            })
            .collect();
        Self { files }
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &File> {
        self.files.iter()
    }

    pub(crate) fn sources(&self) -> impl Iterator<Item = &File> {
        self.files().filter(|file| file.has_suffix("rs"))
    }

    pub(crate) fn documents(&self) -> impl Iterator<Item = &File> {
        self.files().filter(|file| file.has_suffix("md"))
    }

    pub(crate) fn find(&self, path: &str) -> Option<&File> {
        self.files().find(|file| file.path == path)
    }

    /// Whether there is a file or folder of this path.
    pub(crate) fn exists(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        self.files().any(|file| {
            file.path
                .strip_prefix(path)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).expect("a folder of the repository can be listed");
    for entry in entries.flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if path.is_dir() {
            if !SKIPPED.contains(&&*name) {
                walk(&path, paths);
            }
        } else if NAMES.contains(&&*name)
            || path
                .extension()
                .is_some_and(|found| SUFFIXES.iter().any(|suffix| found == *suffix))
        {
            paths.push(path);
        }
    }
}

/// What breaks a rule, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) path: String,
    pub(crate) line: usize,
    pub(crate) message: String,
}

impl Finding {
    /// `line` counts from one; zero means the file as a whole.
    pub(crate) fn new(file: &File, line: usize, message: impl Into<String>) -> Self {
        Self {
            path: file.path.clone(),
            line,
            message: message.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}
