// SPDX-License-Identifier: GPL-2.0

//! A thin client of completion queues.

use std::fmt;
use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use crate::abi::{
    self, pindma_completion, pindma_entry, pindma_queue_cancel, pindma_queue_create,
    pindma_queue_eventfd, pindma_queue_wait, pindma_result, pindma_seg, pindma_submit,
};
use crate::check::{check, errno_name, same, Fail, Outcome};
use crate::device::{Call, Device};
use crate::os;
use crate::sys::{self, Mapping};

/// Most completions that the client takes at a time.
const ROOM: usize = 256;

pub(crate) const RECORD: usize = size_of::<pindma_completion>();

/// A request of one segment, without a deadline.
pub(crate) fn entry(
    user_data: u64,
    direction: u32,
    dev_addr: usize,
    seg: pindma_seg,
) -> pindma_entry {
    pindma_entry {
        user_data,
        direction,
        dev_addr: dev_addr as u64,
        deadline: abi::DEADLINE_NONE,
        seg,
        ..pindma_entry::default()
    }
}

/// A request of a vector, which must outlive its use.
pub(crate) fn entry_of(
    user_data: u64,
    direction: u32,
    dev_addr: usize,
    segs: &[pindma_seg],
) -> pindma_entry {
    pindma_entry {
        segs: segs.as_ptr() as u64,
        nr_segs: segs.len() as u32,
        ..entry(user_data, direction, dev_addr, pindma_seg::default())
    }
}

/// A request for a queue.
pub(crate) fn ask(depth: u32) -> pindma_queue_create {
    pindma_queue_create {
        size: size_of::<pindma_queue_create>() as u32,
        depth,
        ..pindma_queue_create::default()
    }
}

/// A batch; `entries` must outlive its use.
pub(crate) fn batch(queue: &Queue, entries: &[pindma_entry]) -> pindma_submit {
    pindma_submit {
        size: size_of::<pindma_submit>() as u32,
        queue: queue.fd().as_raw_fd(),
        nr_entries: entries.len() as u32,
        entries: entries.as_ptr() as u64,
        ..pindma_submit::default()
    }
}

/// A wait for `min` completions into memory at `at`.
pub(crate) fn wait_into(at: u64, max: u32, min: u32, deadline: i64) -> pindma_queue_wait {
    pindma_queue_wait {
        size: size_of::<pindma_queue_wait>() as u32,
        completions: at,
        max,
        min,
        deadline,
        ..pindma_queue_wait::default()
    }
}

/// How a submission ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Submitted {
    pub(crate) errno: i32,
    pub(crate) count: u32,
    pub(crate) out: pindma_result,
}

impl Submitted {
    /// All of them were taken.
    #[track_caller]
    pub(crate) fn all(self, count: usize) -> Outcome<pindma_result> {
        check(self.errno == 0 && self.out.status == 0, self)?;
        same("submitted", self.count as usize, count)?;
        Ok(self.out)
    }

    /// Only `count` were taken, because of this.
    #[track_caller]
    pub(crate) fn only(self, count: u32, errno: i32) -> Outcome<pindma_result> {
        same("submitted", self.count, count)?;
        check(self.out.status == -errno, self)?;
        let wanted = if count == 0 { errno } else { 0 };
        check(self.errno == wanted, self)?;
        Ok(self.out)
    }

    /// None was taken because of this input.
    #[track_caller]
    pub(crate) fn refused_for(self, errno: i32, field: u32) -> Outcome<pindma_result> {
        let out = self.only(0, errno)?;
        same("field", out.field, field)?;
        Ok(out)
    }
}

impl fmt::Display for Submitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (errno, out) = (self.errno, self.out);
        write!(f, "{} submitted, {}", self.count, Call { errno, out })
    }
}

/// How a wait ended.
#[derive(Clone, Debug)]
pub(crate) struct Waited {
    pub(crate) errno: i32,
    pub(crate) completions: Vec<pindma_completion>,
    pub(crate) in_flight: u32,
}

impl Waited {
    /// Nothing was there, for this reason.
    #[track_caller]
    pub(crate) fn nothing(self, errno: i32) -> Outcome {
        let got = errno_name(self.errno);
        same("the wait", got, errno_name(errno))?;
        same("completions", self.completions.len(), 0)
    }

    /// The names of those that were there, in order.
    pub(crate) fn names(&self) -> Vec<u64> {
        let name = |done: &pindma_completion| done.user_data;
        self.completions.iter().map(name).collect()
    }
}

/// A queue.
#[derive(Debug)]
pub(crate) struct Queue {
    file: Device,
    /// Where the driver writes completions to.
    room: Mapping,
}

impl Queue {
    pub(crate) fn create(device: &Device, depth: u32) -> Outcome<Queue> {
        let mut request = ask(depth);
        match device.command(abi::PINDMA_QUEUE_CREATE, &mut request) {
            0 => Queue::from_fd(sys::inherited_fd(request.out_fd)?),
            errno => Err(Fail::new(format!("queue: {}", errno_name(errno)))),
        }
    }

    pub(crate) fn from_fd(fd: OwnedFd) -> Outcome<Queue> {
        Ok(Queue {
            file: Device::from(fd),
            room: Mapping::anonymous(ROOM * RECORD)?,
        })
    }

    /// Another descriptor of the same open file.
    pub(crate) fn duplicate(&self) -> Outcome<Queue> {
        Ok(Queue {
            file: self.file.duplicate()?,
            room: Mapping::anonymous(ROOM * RECORD)?,
        })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.file.fd()
    }

    /// One command on one struct; the errno, 0 for success.
    pub(crate) fn command<T: sys::Plain>(&self, command: u32, argument: &mut T) -> i32 {
        self.file.command(command, argument)
    }

    pub(crate) fn submit(&self, device: &Device, entries: &[pindma_entry]) -> Submitted {
        submit(device, batch(self, entries))
    }

    /// Waits for `min` completions, and takes up to `max`.
    pub(crate) fn wait(&self, max: u32, min: u32, deadline: i64) -> Waited {
        let mut request = wait_into(self.room.addr(0), max, min, deadline);
        let errno = self.command(abi::PINDMA_QUEUE_WAIT, &mut request);
        let count = request.out_reaped as usize;
        let bytes = self.room.read(0, count * RECORD);
        Waited {
            errno,
            completions: records(&bytes),
            in_flight: request.out_in_flight,
        }
    }

    /// Takes what there is, without waiting.
    pub(crate) fn take(&self) -> Vec<pindma_completion> {
        self.wait(ROOM as u32, 0, 0).completions
    }

    /// Takes `count` completions, however long that takes.
    #[track_caller]
    pub(crate) fn reap(&self, count: usize) -> Outcome<Vec<pindma_completion>> {
        let mut all = Vec::new();
        while all.len() < count {
            let missing = (count - all.len()).min(ROOM) as u32;
            let waited = self.wait(missing, missing, abi::DEADLINE_NONE);
            let errno = errno_name(waited.errno);
            check(
                waited.errno == 0,
                format!("{} of {count} completions, then {errno}", all.len()),
            )?;
            all.extend(waited.completions);
        }
        Ok(all)
    }

    /// Takes one completion, however long that takes.
    #[track_caller]
    pub(crate) fn reap_one(&self) -> Outcome<pindma_completion> {
        Ok(self.reap(1)?[0])
    }

    /// Cancels; how many, or an errno.
    pub(crate) fn cancel(&self, user_data: u64) -> Result<u32, i32> {
        self.cancel_with(pindma_queue_cancel {
            user_data,
            ..pindma_queue_cancel::default()
        })
    }

    pub(crate) fn cancel_all(&self) -> Result<u32, i32> {
        self.cancel_with(pindma_queue_cancel {
            flags: abi::CANCEL_ALL,
            ..pindma_queue_cancel::default()
        })
    }

    pub(crate) fn cancel_with(&self, mut request: pindma_queue_cancel) -> Result<u32, i32> {
        request.size = size_of::<pindma_queue_cancel>() as u32;
        match self.command(abi::PINDMA_QUEUE_CANCEL, &mut request) {
            0 => Ok(request.out_canceled),
            errno => Err(errno),
        }
    }

    /// Has an eventfd signalled; -1: none. The errno.
    pub(crate) fn set_eventfd(&self, fd: i32) -> i32 {
        let mut request = pindma_queue_eventfd {
            size: size_of::<pindma_queue_eventfd>() as u32,
            fd,
            ..pindma_queue_eventfd::default()
        };
        self.command(abi::PINDMA_QUEUE_EVENTFD, &mut request)
    }

    /// read(2) of up to `len` bytes.
    pub(crate) fn read(&self, len: usize) -> io::Result<Vec<pindma_completion>> {
        let mut bytes = vec![0; len];
        let got = os::read(self.fd(), &mut bytes)?;
        Ok(records(&bytes[..got]))
    }

    /// Never wait any more.
    pub(crate) fn set_nonblocking(&self) -> Outcome {
        Ok(os::set_nonblocking(self.fd())?)
    }
}

/// Submits a batch.
pub(crate) fn submit(device: &Device, mut request: pindma_submit) -> Submitted {
    let errno = device.command(abi::PINDMA_SUBMIT, &mut request);
    Submitted {
        errno,
        count: request.out_submitted,
        out: request.out,
    }
}

fn records(bytes: &[u8]) -> Vec<pindma_completion> {
    bytes.chunks_exact(RECORD).map(sys::from_bytes).collect()
}

/// The request was done, all `bytes` of it.
#[track_caller]
pub(crate) fn done(completion: &pindma_completion, user_data: u64, bytes: usize) -> Outcome {
    ended(completion, user_data, 0)?;
    same("bytes", completion.bytes, bytes as u64)?;
    check(completion.flags & abi::OUT_STARTED != 0, "not started")
}

/// The request ended with this errno.
#[track_caller]
pub(crate) fn ended(completion: &pindma_completion, user_data: u64, errno: i32) -> Outcome {
    same("user_data", completion.user_data, user_data)?;
    let status = errno_name(-completion.status);
    same("status", status, errno_name(errno))?;
    same("fault_addr", completion.fault_addr, 0)?;
    check(completion.reserved == [0; 2], "reserved is not zero")
}

/// The request ended with this errno before the device began with it.
#[track_caller]
pub(crate) fn untouched(completion: &pindma_completion, user_data: u64, errno: i32) -> Outcome {
    ended(completion, user_data, errno)?;
    same("bytes", completion.bytes, 0)?;
    check(completion.flags & abi::OUT_STARTED == 0, "started")
}
