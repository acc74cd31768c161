//! `consign import`: send a file of serials of any size as uploads under one label.
//!
//! Keeps: a serial that is on the server already is counted, not added again, so a run that was cut
//! off is run again; memory holds two uploads at most.

use std::{fs::File, path::PathBuf};

use anyhow::Context as _;
use engine::{
    api_keys::base62_secret,
    ids::{ProductId, VariantId},
    random::SystemRandom,
};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use tokio::sync::mpsc;

use super::{
    connection::{Connection, Refused, Target, id, number},
    say,
    uploads::{self, SERVER_BOUNDS, Upload},
};

/// Put the serials of a file on sale.
#[derive(Debug, clap::Args)]
pub struct Import {
    #[command(flatten)]
    target: Target,
    /// The product they are of, `prd_…`.
    #[arg(long, value_parser = id(ProductId::parse))]
    product: ProductId,
    /// Its variant, `var_…`, if it has any.
    #[arg(long, value_parser = id(VariantId::parse))]
    variant: Option<VariantId>,
    /// A name for this delivery of serials, to find it again.
    #[arg(long)]
    label: String,
    /// The file is CSV with a header row, and the serials are in this column.
    #[arg(long)]
    column: Option<String>,
    /// One serial per line, or CSV with `--column`.
    file: PathBuf,
}

/// One run of the command.
struct Run {
    connection: Connection,
    path: String,
    /// What its uploads are named after.
    name: String,
    uploads: u64,
    counts: Counts,
}

/// What has arrived so far.
#[derive(Debug, Default)]
struct Counts {
    added: u64,
    duplicates: u64,
    stock: u64,
}

#[derive(Serialize)]
struct Body<'a> {
    serials: &'a str,
    remove_duplicates: bool,
    label: &'a str,
}

impl Import {
    pub async fn run(self) -> anyhow::Result<()> {
        let mut run = Run {
            connection: Connection::open(&self.target)?,
            path: self.path(),
            name: base62_secret(&SystemRandom),
            uploads: 0,
            counts: Counts::default(),
        };
        let file =
            File::open(&self.file).with_context(|| format!("opening `{}`", self.file.display()))?;
        let bar = bar(file.metadata().map(|found| found.len()).unwrap_or_default());
        let (sender, mut receiver) = mpsc::channel(1);
        let column = self.column.clone();
        let reading = tokio::task::spawn_blocking(move || read(file, column.as_deref(), &sender));
        while let Some(upload) = receiver.recv().await {
            let sent = run.send(&upload, &self.label).await;
            sent.with_context(|| so_far(&run.counts))?;
            bar.set_position(upload.read_bytes);
            bar.set_message(so_far(&run.counts));
        }
        let read = reading.await.context("reading the file")?;
        read.with_context(|| so_far(&run.counts))?;
        bar.finish_and_clear();
        say(format_args!(
            "{}, {} in stock",
            so_far(&run.counts),
            run.counts.stock
        ))
    }

    fn path(&self) -> String {
        let product = self.product;
        match self.variant {
            Some(variant) => format!("/dev/v1/products/{product}/variants/{variant}/serials"),
            None => format!("/dev/v1/products/{product}/serials"),
        }
    }
}

impl Run {
    /// Sends one upload under a name of its own, so that it is counted once even if its answer was
    /// lost on the way.
    async fn send(&mut self, upload: &Upload, label: &str) -> anyhow::Result<()> {
        let body = Body {
            serials: &upload.serials,
            remove_duplicates: true,
            label,
        };
        let body = serde_json::to_vec(&body).context("writing an upload")?;
        self.uploads += 1;
        let name = format!("{}-{}", self.name, self.uploads);
        let sent = self.connection.post_once(&self.path, body, &name).await;
        let answer = sent.map_err(|error| in_the_file(error, upload))?;
        let stored = &answer["data"];
        self.counts.added += number(stored, "added_count")?;
        self.counts.duplicates += number(stored, "duplicate_count")?;
        self.counts.stock = number(stored, "stock")?;
        Ok(())
    }
}

/// Reads until the end, an error, or nobody who takes the uploads.
fn read(file: File, column: Option<&str>, sender: &mpsc::Sender<Upload>) -> anyhow::Result<()> {
    let found: Box<dyn Iterator<Item = _>> = match column {
        Some(name) => Box::new(uploads::column(file, name)?),
        None => Box::new(uploads::text(file)),
    };
    for upload in uploads::uploads(found, SERVER_BOUNDS) {
        if sender.blocking_send(upload?).is_err() {
            break;
        }
    }
    Ok(())
}

fn so_far(counts: &Counts) -> String {
    format!(
        "{} added, {} were there already",
        counts.added, counts.duplicates
    )
}

/// The server counts the lines of an upload; people look into the file.
fn in_the_file(error: anyhow::Error, upload: &Upload) -> anyhow::Error {
    let Some(refused) = error.downcast_ref::<Refused>() else {
        return error;
    };
    let lines: Vec<String> = refused
        .details
        .iter()
        .map(|detail| match line_of(&detail.field, upload) {
            Some(line) => format!("line {line} of the file: {}", detail.message),
            None => format!("`{}` {}", detail.field, detail.message),
        })
        .collect();
    if lines.is_empty() {
        error
    } else {
        error.context(lines.join("; "))
    }
}

/// The line of the file behind a field like `line 7`.
fn line_of(field: &str, upload: &Upload) -> Option<u64> {
    let line: usize = field.strip_prefix("line ")?.parse().ok()?;
    upload.lines.get(line.checked_sub(1)?).copied()
}

fn bar(bytes: u64) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} eta {eta}  {msg}",
    );
    ProgressBar::new(bytes).with_style(style.expect("the template is well-formed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_line_is_named_as_it_stands_in_the_file() {
        let upload = Upload {
            lines: vec![10, 12, 13],
            ..Upload::default()
        };
        assert_eq!(line_of("line 2", &upload), Some(12));
        assert_eq!(line_of("line 4", &upload), None);
        assert_eq!(line_of("line 0", &upload), None);
        assert_eq!(line_of("label", &upload), None);
    }
}
