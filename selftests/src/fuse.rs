// SPDX-License-Identifier: GPL-2.0

//! A file that a FUSE server of our own has: one that takes what is written, and does not answer.
//!
//! The protocol is that of `include/uapi/linux/fuse.h`, spoken on `/dev/fuse`.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use crate::check::{Fail, Outcome};
use crate::os;

const TARGET: &str = "/tmp/fuse";
const ROOT: u64 = 1;
const HEADER: usize = 40;

const FORGET: u32 = 2;
const GETATTR: u32 = 3;
const SETATTR: u32 = 4;
const OPEN: u32 = 14;
const READ: u32 = 15;
const WRITE: u32 = 16;
const RELEASE: u32 = 18;
const FLUSH: u32 = 25;
const INIT: u32 = 26;
/// The error of a message that invalidates an inode.
const INVALIDATE: i32 = 2;

/// Writes that were not answered, by their numbers and lengths.
type Withheld = Arc<Mutex<Vec<(u64, u32)>>>;

/// A server, with its one file.
pub(crate) struct Server {
    pipe: Arc<File>,
    withheld: Withheld,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves a file of `len` bytes.
    pub(crate) fn start(len: usize) -> Outcome<Server> {
        let pipe = Arc::new(
            OpenOptions::new()
                .read(true)
                .write(true)
                .open("/dev/fuse")?,
        );
        File::create(TARGET)?;
        // The root is a file, and so is what it is mounted on.
        let data = format!(
            "fd={},rootmode=100000,user_id=0,group_id=0",
            pipe.as_raw_fd()
        );
        let withheld = Withheld::default();
        let (server, kept) = (pipe.clone(), withheld.clone());
        os::mount_with("fuse", "fuse", TARGET, &data)
            .map_err(|e| Fail::new(format!("fuse at {TARGET}: {e}")))?;
        // Before that nothing can be read.
        let thread = thread::spawn(move || serve(&server, &kept, len as u64));
        Ok(Server {
            pipe,
            withheld,
            thread: Some(thread),
        })
    }

    /// The file.
    pub(crate) fn file(&self) -> Outcome<File> {
        let file = OpenOptions::new().read(true).write(true).open(TARGET)?;
        // The kernel takes it for empty until it asks.
        file.metadata()?;
        Ok(file)
    }

    /// Has the kernel write back what is dirty, and drop it. Ends when that has ended: what is
    /// withheld must be answered by then.
    pub(crate) fn invalidate(&self) -> JoinHandle<()> {
        let pipe = self.pipe.clone();
        thread::spawn(move || {
            let mut body = ROOT.to_ne_bytes().to_vec();
            // All of it.
            body.extend([0; 16]);
            let _ = answer(&pipe, 0, INVALIDATE, &body);
        })
    }

    /// Whether the kernel waits for the answer to a write.
    pub(crate) fn withholds(&self) -> bool {
        self.withheld.lock().is_ok_and(|writes| !writes.is_empty())
    }

    /// Answers the writes there were.
    pub(crate) fn release(&self) {
        let writes = self
            .withheld
            .lock()
            .map(|mut writes| std::mem::take(&mut *writes));
        for (unique, size) in writes.unwrap_or_default() {
            let _ = answer(&self.pipe, unique, 0, &written(size));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.release();
        if os::unmount(TARGET).is_ok() {
            if let Some(thread) = self.thread.take() {
                let _ = thread.join();
            }
        }
    }
}

fn serve(pipe: &File, withheld: &Withheld, len: u64) {
    let mut buffer = vec![0; 1 << 18];
    let mut reader = pipe;
    // It fails when the file system is gone.
    while let Ok(count) = reader.read(&mut buffer) {
        if count >= HEADER {
            let _ = handle(pipe, withheld, len, &buffer[..count]);
        }
    }
}

fn handle(pipe: &File, withheld: &Withheld, len: u64, message: &[u8]) -> io::Result<()> {
    let unique = u64::from_ne_bytes(at(message, 8));
    // Of a read or write, behind its file handle and offset.
    let size = || u32::from_ne_bytes(at(message, HEADER + 16));
    match u32::from_ne_bytes(at(message, 4)) {
        INIT => answer(pipe, unique, 0, &capabilities()),
        GETATTR | SETATTR => answer(pipe, unique, 0, &attributes(len)),
        OPEN => answer(pipe, unique, 0, &[0; 16]),
        READ => answer(pipe, unique, 0, &vec![0; size() as usize]),
        WRITE => {
            if let Ok(mut writes) = withheld.lock() {
                writes.push((unique, size()));
            }
            Ok(())
        }
        FLUSH | RELEASE => answer(pipe, unique, 0, &[]),
        FORGET => Ok(()),
        _ => answer(pipe, unique, -libc::ENOSYS, &[]),
    }
}

fn at<const N: usize>(message: &[u8], offset: usize) -> [u8; N] {
    let bytes = message.get(offset..offset + N);
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .unwrap_or([0; N])
}

fn answer(mut pipe: &File, unique: u64, error: i32, body: &[u8]) -> io::Result<()> {
    let mut message = (16 + body.len() as u32).to_ne_bytes().to_vec();
    message.extend(error.to_ne_bytes());
    message.extend(unique.to_ne_bytes());
    message.extend(body);
    pipe.write_all(&message)
}

/// Version 7.31, nothing in particular; as much is written at a time as a page has.
fn capabilities() -> Vec<u8> {
    let mut body = Vec::new();
    for number in [7, 31, 0, 0, 0, 4096_u32] {
        body.extend(number.to_ne_bytes());
    }
    body.resize(64, 0);
    body
}

/// Those of a file that everybody may write, for ever.
fn attributes(len: u64) -> Vec<u8> {
    const FILE: u32 = libc::S_IFREG | 0o666;
    let mut body = Vec::new();
    for number in [u64::MAX >> 1, 0, ROOT, len, len / 512, 0, 0, 0] {
        body.extend(number.to_ne_bytes());
    }
    for number in [0, 0, 0, FILE, 1, 0, 0, 0, 4096, 0_u32] {
        body.extend(number.to_ne_bytes());
    }
    body
}

fn written(size: u32) -> [u8; 8] {
    u64::from(size).to_ne_bytes()
}
