//! Histories in files, written by client processes that may be killed at any moment.
//!
//! Keeps: a call is on disk before it is sent, its answer before the next call of its client; a line
//! torn by the death of its writer is left out, and said to be; any other line that cannot be read is
//! an error, never a gap.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::{self, BufRead as _, BufReader, Write as _},
    path::Path,
};

use serde::{Deserialize, Serialize};

use crate::{Answered, History, Invocation};

/// One line of a file.
#[derive(Serialize, Deserialize)]
enum Record {
    Sent(Invocation),
    Answered {
        client: u32,
        sequence: u64,
        answered: Answered,
    },
}

/// Appends to one file; many clients of one process may share it, one call at a time.
#[derive(Debug)]
pub struct Writer {
    file: File,
}

/// Whether the last line of a file was torn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Torn {
    No,
    LastLine,
}

impl Writer {
    /// Begins a file; each process has its own.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .create_new(true)
            .append(true)
            .open(path)?;
        Ok(Self { file })
    }

    /// Before the call is sent. Returns once it is durable.
    pub fn sent(&mut self, invocation: Invocation) -> io::Result<()> {
        self.write(&Record::Sent(invocation))?;
        self.sync()
    }

    /// When the answer is there. Not durable before [`sync`](Self::sync) or the next call is.
    pub fn answered(&mut self, client: u32, sequence: u64, answered: Answered) -> io::Result<()> {
        self.write(&Record::Answered {
            client,
            sequence,
            answered,
        })
    }

    pub fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn write(&mut self, record: &Record) -> io::Result<()> {
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        self.file.write_all(&line)
    }
}

/// Reads one file and adds its calls to `history`.
pub fn read(path: &Path, history: &mut History) -> io::Result<Torn> {
    let mut lines = BufReader::new(File::open(path)?);
    let mut open = HashMap::<(u32, u64), usize>::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Ok(Torn::No);
        }
        if line.last() != Some(&b'\n') {
            return Ok(Torn::LastLine);
        }
        match serde_json::from_slice(&line)? {
            Record::Sent(invocation) => {
                let place = (invocation.client, invocation.sequence);
                if open.insert(place, history.invocations.len()).is_some() {
                    return Err(corrupt("a call was written twice", place));
                }
                history.invocations.push(invocation);
            }
            Record::Answered {
                client,
                sequence,
                answered,
            } => {
                let place = (client, sequence);
                let call = open.get(&place);
                let call = call.and_then(|at| history.invocations.get_mut(*at));
                let call = call.ok_or_else(|| corrupt("an answer to no call", place))?;
                if call.answered.replace(answered).is_some() {
                    return Err(corrupt("a call was answered twice", place));
                }
            }
        }
    }
}

fn corrupt(what: &str, (client, sequence): (u32, u64)) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("{what}: client {client}, call {sequence}"),
    )
}
