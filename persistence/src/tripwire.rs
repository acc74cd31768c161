//! The lanes' numbers in a file beside the process, not in the database that they speak of.
//!
//! Keeps: one file per installation, so that another database is not judged by it; a file is replaced
//! whole or not at all. It is not flushed to disk: after a power cut it may be older or empty, which
//! means less is noticed, never that a good database is refused.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    process,
};

use engine::journal::{Mark, Tripwire, TripwireFailure};
use futures_util::future::BoxFuture;
use tokio::fs;

const HEAD: &str = "consign lanes 1";
const END: &str = "end";

/// What a machine remembers of one installation's lanes.
#[derive(Debug, Clone)]
pub struct TripwireFile {
    path: PathBuf,
}

impl TripwireFile {
    /// The file of the installation of this name; its directory is made if it is not there.
    pub async fn open(directory: &Path, installation: &str) -> Result<Self, TripwireFailure> {
        fs::create_dir_all(directory)
            .await
            .map_err(|error| failure("making", directory, &error))?;
        let path = directory.join(format!("lanes-{installation}"));
        Ok(Self { path })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Forgets what was remembered; whether there was something.
    pub async fn forget(&self) -> Result<bool, TripwireFailure> {
        match fs::remove_file(&self.path).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(failure("removing", &self.path, &error)),
        }
    }

    async fn read(&self) -> Result<Vec<Mark>, TripwireFailure> {
        let text = match fs::read_to_string(&self.path).await {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failure("reading", &self.path, &error)),
        };
        Ok(parse(&text).unwrap_or_else(|| {
            let path = self.path.display();
            tracing::warn!("`{path}` was cut short, by a power cut perhaps: nothing is remembered");
            Vec::new()
        }))
    }

    async fn replace(&self, marks: &[Mark]) -> Result<(), TripwireFailure> {
        // A process that waits on the same machine may write its own.
        let new = self.path.with_extension(process::id().to_string());
        fs::write(&new, text(marks))
            .await
            .map_err(|error| failure("writing", &new, &error))?;
        fs::rename(&new, &self.path)
            .await
            .map_err(|error| failure("replacing", &self.path, &error))
    }
}

impl Tripwire for TripwireFile {
    fn remembered(&self) -> BoxFuture<'_, Result<Vec<Mark>, TripwireFailure>> {
        Box::pin(self.read())
    }

    fn remember<'a>(&'a self, marks: &'a [Mark]) -> BoxFuture<'a, Result<(), TripwireFailure>> {
        Box::pin(self.replace(marks))
    }
}

fn failure(doing: &str, path: &Path, error: &std::io::Error) -> TripwireFailure {
    TripwireFailure(format!("{doing} `{}`: {error}", path.display()))
}

fn text(marks: &[Mark]) -> String {
    let lines = marks
        .iter()
        .map(|Mark { lane, seq }| format!("{lane} {seq}\n"));
    format!("{HEAD}\n{}{END}\n", lines.collect::<String>())
}

/// None for what is not whole.
fn parse(text: &str) -> Option<Vec<Mark>> {
    let lines = text.strip_prefix(HEAD)?.strip_prefix('\n')?;
    let lines = lines.strip_suffix('\n')?.strip_suffix(END)?;
    let mark = |line: &str| {
        let (lane, seq) = line.split_once(' ')?;
        let (lane, seq) = (lane.parse().ok()?, seq.parse().ok()?);
        Some(Mark { lane, seq })
    };
    lines.lines().map(mark).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKS: [Mark; 2] = [
        Mark { lane: 0, seq: 7 },
        Mark {
            lane: 3,
            seq: i64::MAX,
        },
    ];

    #[test]
    fn only_what_is_whole_is_read() {
        let whole = text(&MARKS);
        assert_eq!(parse(&whole).as_deref(), Some(&MARKS[..]));
        assert_eq!(parse(&text(&[])), Some(vec![]));
        for length in 0..whole.len() {
            assert_eq!(parse(&whole[..length]), None, "{length} bytes");
        }
    }

    #[tokio::test]
    async fn marks_are_those_of_their_installation() {
        let directory = std::env::temp_dir().join(format!("consign-tripwire-{}", process::id()));
        let one = TripwireFile::open(&directory, "one").await.unwrap();
        assert_eq!(one.remembered().await, Ok(vec![]));
        one.remember(&MARKS[1..]).await.unwrap();
        one.remember(&MARKS).await.unwrap();
        assert_eq!(one.remembered().await.unwrap(), MARKS);
        let other = TripwireFile::open(&directory, "other").await.unwrap();
        assert_eq!(other.remembered().await, Ok(vec![]));
        assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 1);
        assert_eq!(one.forget().await, Ok(true));
        assert_eq!(one.forget().await, Ok(false));
        std::fs::remove_dir(&directory).unwrap();
    }
}
