//! Looks into every log line of this process for texts that must not be in one.

use std::{
    io,
    sync::{Arc, Mutex, OnceLock, PoisonError, RwLock},
};

use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use tracing_subscriber::{EnvFilter, fmt};

static WATCH: OnceLock<LogWatch> = OnceLock::new();

/// What is looked for, and the lines in which it was found.
#[derive(Clone, Default)]
pub(crate) struct LogWatch {
    marks: Arc<RwLock<Vec<String>>>,
    found: Arc<Mutex<Vec<String>>>,
    lines: Arc<Mutex<usize>>,
}

impl LogWatch {
    /// The watch of this process, which sees every line from debug on.
    pub(crate) fn of_process() -> &'static Self {
        WATCH.get_or_init(|| {
            let watch = Self::default();
            let writer = watch.clone();
            fmt()
                .with_env_filter(EnvFilter::new("debug"))
                .with_writer(move || writer.clone())
                .init();
            watch
        })
    }

    /// Looks for a text from now on, also as base64, hex and percent-encoded.
    pub(crate) fn look_for(&self, text: &str) {
        let mut marks = self.marks.write().unwrap_or_else(PoisonError::into_inner);
        marks.extend(forms(text));
    }

    /// The lines in which something was found, of how many.
    pub(crate) fn found(&self) -> (Vec<String>, usize) {
        let found = self
            .found
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        (
            found,
            *self.lines.lock().unwrap_or_else(PoisonError::into_inner),
        )
    }
}

/// The forms in which a text could hide.
pub(crate) fn forms(text: &str) -> Vec<String> {
    let hex = |upper: bool, lead: &str| {
        text.bytes().fold(String::new(), |all, byte| {
            let pair = if upper {
                format!("{byte:02X}")
            } else {
                format!("{byte:02x}")
            };
            all + lead + &pair
        })
    };
    let percent = text.replace('@', "%40").replace('+', "%2B");
    let encoded = BASE64_STANDARD_NO_PAD.encode(text);
    // The end of base64 depends on what follows the text.
    let encoded = encoded[..encoded.len() - 4].to_owned();
    vec![
        text.to_owned(),
        encoded,
        hex(false, ""),
        hex(true, ""),
        hex(true, "%"),
        percent,
    ]
}

impl io::Write for LogWatch {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let marks = self.marks.read().unwrap_or_else(PoisonError::into_inner);
        if marks.iter().any(|mark| text.contains(mark.as_str())) {
            let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            found.push(text.into_owned());
        }
        *self.lines.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
