// SPDX-License-Identifier: GPL-2.0

//! The kernel's log, watched for what must never be in it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;

/// A line with one of these is a failure of the case before it.
const FORBIDDEN: [&str; 17] = [
    "WARNING:",
    "BUG:",
    "BUG ",
    "Oops",
    "Call Trace:",
    "general protection",
    "unable to handle",
    "Bad page",
    "refcount_t:",
    "rcu: INFO",
    "blocked for more than",
    "DMAR: [DMA",
    "DMAR: DRHD: handling fault",
    "IO_PAGE_FAULT",
    "swiotlb buffer is full",
    "swiotlb addr",
    "DMA-API:",
];

/// A place in the kernel's log.
pub(crate) struct Log {
    file: File,
}

impl Log {
    /// Starts at the end of what is in the log now.
    pub(crate) fn open() -> io::Result<Log> {
        let mut file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open("/dev/kmsg")?;
        file.seek(SeekFrom::End(0))?;
        Ok(Log { file })
    }

    /// Text of the records that came since the last call.
    pub(crate) fn news(&mut self) -> Vec<String> {
        let mut record = [0; 8192];
        let mut lines = Vec::new();
        loop {
            match self.file.read(&mut record) {
                Ok(len) if len > 0 => lines.push(text_of(&record[..len])),
                // The log ran over: go on with what is there.
                Err(error) if error.raw_os_error() == Some(libc::EPIPE) => {}
                _ => return lines,
            }
        }
    }

    /// Those of the new records that must not be there.
    pub(crate) fn complaints(&mut self) -> Vec<String> {
        let mut news = self.news();
        news.retain(|line| FORBIDDEN.iter().any(|word| line.contains(word)));
        news
    }
}

/// A record is `level,seq,time,flags;text\n` and lines of its own for keys.
fn text_of(record: &[u8]) -> String {
    let text = String::from_utf8_lossy(record);
    let first = text.lines().next().unwrap_or_default();
    first
        .split_once(';')
        .map_or(first, |(_, text)| text)
        .to_string()
}
