//! The serials of a file, cut into uploads.
//!
//! Keeps: memory is bounded by one upload, whatever the file holds; each serial of the file is in
//! exactly one upload, in the file's order; an upload knows the line of the file each serial is from.

use std::{
    cell::Cell,
    io::{self, BufRead, BufReader, Read},
    rc::Rc,
};

use anyhow::{Context as _, bail, ensure};

/// What the server takes of one serial.
const SERIAL_BYTES_MAX: usize = 4096;
/// What is read of one record before it counts as damaged: an open quote would swallow the file.
const RECORD_BYTES_MAX: u64 = 1024 * 1024;

/// How large an upload may become.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) serials_max: usize,
    /// Of the JSON text, without its envelope.
    pub(crate) bytes_max: usize,
}

/// What the server takes in one request, less room for the envelope.
pub(crate) const SERVER_BOUNDS: Bounds = Bounds {
    serials_max: 50_000,
    bytes_max: 8 * 1024 * 1024 - 8 * 1024,
};

/// Serials for one request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Upload {
    /// One per line.
    pub(crate) serials: String,
    /// The line of the file of each serial.
    pub(crate) lines: Vec<u64>,
    /// How many bytes of the file were read up to the end of this upload.
    pub(crate) read_bytes: u64,
}

/// A serial with its place in the file.
#[derive(Debug)]
pub(crate) struct Found {
    serial: String,
    line: u64,
    read_bytes: u64,
}

/// One serial per line; white space around it and empty lines do not count.
pub(crate) fn text(file: impl Read) -> impl Iterator<Item = anyhow::Result<Found>> {
    let mut reader = BufReader::with_capacity(256 * 1024, file);
    let (mut line, mut read_bytes) = (0_u64, 0_u64);
    std::iter::from_fn(move || {
        loop {
            line += 1;
            let raw = match read_line(&mut reader, line) {
                Ok(raw) if raw.is_empty() => return None,
                Ok(raw) => raw,
                Err(error) => return Some(Err(error)),
            };
            read_bytes += raw.len() as u64;
            match checked(&raw, line) {
                Ok(Some(serial)) => {
                    return Some(Ok(Found {
                        serial,
                        line,
                        read_bytes,
                    }));
                }
                Ok(None) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    })
}

/// The serials in the named column of a CSV file with a header row.
pub(crate) fn column(
    file: impl Read,
    name: &str,
) -> anyhow::Result<impl Iterator<Item = anyhow::Result<Found>>> {
    let since_record = Rc::new(Cell::new(0));
    let guarded = Guarded {
        file,
        since_record: Rc::clone(&since_record),
    };
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(guarded);
    let header = reader.byte_headers().context("reading the header row")?;
    let is_it = |cell: &[u8]| {
        cell.strip_prefix(BYTE_ORDER_MARK)
            .unwrap_or(cell)
            .trim_ascii()
            == name.as_bytes()
    };
    let index = header.iter().position(is_it);
    let index = index.with_context(|| format!("the header row has no column `{name}`"))?;
    Ok(reader.into_byte_records().filter_map(move |record| {
        since_record.set(0);
        found_in(record, index).transpose()
    }))
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

fn found_in(
    record: Result<csv::ByteRecord, csv::Error>,
    index: usize,
) -> anyhow::Result<Option<Found>> {
    let record = record.context("reading a record")?;
    let (line, read_bytes) = record
        .position()
        .map_or((0, 0), |position| (position.line(), position.byte()));
    let cell = record.get(index).unwrap_or_default();
    Ok(checked(cell, line)?.map(|serial| Found {
        serial,
        line,
        read_bytes,
    }))
}

fn read_line(reader: &mut impl BufRead, line: u64) -> anyhow::Result<Vec<u8>> {
    let mut raw = Vec::new();
    let bound = 4 * SERIAL_BYTES_MAX as u64;
    reader
        .take(bound)
        .read_until(b'\n', &mut raw)
        .context("reading the file")?;
    let cut = raw.len() as u64 == bound && !raw.ends_with(b"\n");
    ensure!(!cut, "line {line} is longer than {SERIAL_BYTES_MAX} bytes");
    Ok(raw)
}

/// The serial in a line or cell; none if it is empty.
fn checked(raw: &[u8], line: u64) -> anyhow::Result<Option<String>> {
    let raw = if line == 1 {
        raw.strip_prefix(BYTE_ORDER_MARK).unwrap_or(raw)
    } else {
        raw
    };
    let Ok(text) = std::str::from_utf8(raw) else {
        bail!("line {line} is not UTF-8")
    };
    let serial = text.trim();
    ensure!(
        serial.len() <= SERIAL_BYTES_MAX,
        "line {line} is longer than {SERIAL_BYTES_MAX} bytes"
    );
    ensure!(
        !serial.contains(char::is_control),
        "line {line} has a control character in its serial"
    );
    Ok((!serial.is_empty()).then(|| serial.to_owned()))
}

/// Cuts what was found into uploads. After an error there is nothing more.
pub(crate) fn uploads(
    found: impl Iterator<Item = anyhow::Result<Found>>,
    bounds: Bounds,
) -> impl Iterator<Item = anyhow::Result<Upload>> {
    let mut found = found.peekable();
    let mut failed = false;
    std::iter::from_fn(move || {
        if failed {
            return None;
        }
        let next = fill(&mut found, bounds);
        failed = next.is_err();
        next.transpose()
    })
}

fn fill(
    found: &mut std::iter::Peekable<impl Iterator<Item = anyhow::Result<Found>>>,
    bounds: Bounds,
) -> anyhow::Result<Option<Upload>> {
    let mut upload = Upload::default();
    let mut bytes = 0;
    let fits = |next: &anyhow::Result<Found>, bytes, count| {
        let size = next.as_ref().map_or(0, |next| json_bytes(&next.serial));
        count < bounds.serials_max && bytes + size <= bounds.bytes_max
    };
    while let Some(next) = found.next_if(|next| fits(next, bytes, upload.lines.len())) {
        let next = next?;
        bytes += json_bytes(&next.serial);
        if !upload.lines.is_empty() {
            upload.serials.push('\n');
        }
        upload.serials.push_str(&next.serial);
        upload.lines.push(next.line);
        upload.read_bytes = next.read_bytes;
    }
    Ok((!upload.lines.is_empty()).then_some(upload))
}

/// How long a serial and its line break are as JSON text.
fn json_bytes(serial: &str) -> usize {
    let escaped = serial
        .bytes()
        .filter(|byte| matches!(byte, b'"' | b'\\'))
        .count();
    serial.len() + escaped + "\\n".len()
}

/// Fails when one record takes more than its bound.
struct Guarded<F> {
    file: F,
    since_record: Rc<Cell<u64>>,
}

impl<F: Read> Read for Guarded<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.since_record.get() > RECORD_BYTES_MAX {
            return Err(io::Error::other(
                "a record is longer than 1 MiB: is a quote left open?",
            ));
        }
        let read = self.file.read(buffer)?;
        self.since_record.set(self.since_record.get() + read as u64);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Bounds = Bounds {
        serials_max: 2,
        bytes_max: 20,
    };

    fn all(uploads: impl Iterator<Item = anyhow::Result<Upload>>) -> Vec<(String, Vec<u64>)> {
        uploads
            .map(|upload| upload.map(|upload| (upload.serials, upload.lines)).unwrap())
            .collect()
    }

    fn failure(file: &[u8]) -> String {
        let mut all = uploads(text(file), SMALL);
        all.find_map(Result::err)
            .map(|error| error.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn text_is_cut_by_count_and_keeps_its_lines() {
        let file = "\u{feff}A-1\r\n\n  B-2 \nC-3";
        let cut = all(uploads(text(file.as_bytes()), SMALL));
        assert_eq!(
            cut,
            [
                ("A-1\nB-2".to_owned(), vec![1, 3]),
                ("C-3".to_owned(), vec![4])
            ]
        );
    }

    #[test]
    fn text_is_cut_by_the_size_of_its_json() {
        let cut = all(uploads(text(&b"\"\"\"\"\"\"\naaaaaaa\n"[..]), SMALL));
        assert_eq!(cut.len(), 2, "six quotes are twelve bytes of JSON");
        let cut = all(uploads(text(&b"aaaaaa\naaaaaaa\n"[..]), SMALL));
        assert_eq!(cut.len(), 1);
    }

    #[test]
    fn file_without_serials_makes_no_upload() {
        assert!(all(uploads(text(&b"\n \n"[..]), SMALL)).is_empty());
    }

    #[test]
    fn bad_line_is_named() {
        assert_eq!(failure(b"a\nb\xff\n"), "line 2 is not UTF-8");
        assert_eq!(
            failure(b"a\nb\x07c\n"),
            "line 2 has a control character in its serial"
        );
        assert_eq!(failure(&[b'x'; 4097]), "line 1 is longer than 4096 bytes");
        assert_eq!(
            failure(&vec![b'x'; 40_000]),
            "line 1 is longer than 4096 bytes"
        );
    }

    #[test]
    fn column_of_a_csv_file_is_found_by_its_header() {
        let file = "\u{feff}code,name\n\"A,1\",x\n,y\nB-2,z\n";
        let cut = all(uploads(column(file.as_bytes(), "code").unwrap(), SMALL));
        assert_eq!(cut, [("A,1\nB-2".to_owned(), vec![2, 4])]);
        let missing = column(file.as_bytes(), "serial")
            .err()
            .map(|error| error.to_string());
        assert_eq!(
            missing.as_deref(),
            Some("the header row has no column `serial`")
        );
    }

    #[test]
    fn open_quote_does_not_swallow_the_file() {
        let file = io::Cursor::new(b"code\n\"open").chain(io::repeat(b'x'));
        let failed = uploads(column(file, "code").unwrap(), SMALL)
            .next()
            .unwrap()
            .unwrap_err();
        assert!(
            format!("{failed:#}").contains("a quote left open"),
            "{failed:#}"
        );
    }

    #[test]
    fn after_an_error_there_is_nothing_more() {
        let mut all = uploads(text(&b"\x07\nfine\n"[..]), SMALL);
        assert!(all.next().unwrap().is_err());
        assert!(all.next().is_none());
    }
}
