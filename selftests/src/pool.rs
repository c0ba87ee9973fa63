// SPDX-License-Identifier: GPL-2.0

//! A thin client of pools.

use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use crate::abi::{
    self, pindma_pool_create, pindma_pool_dequeue, pindma_pool_enqueue, pindma_pool_query,
    pindma_pool_record, pindma_pool_start, pindma_pool_stop,
};
use crate::check::{check, errno_name, same, Outcome};
use crate::device::{Device, PAGE};
use crate::sys::{self, Mapping};

/// Most records that the client takes at a time.
const ROOM: usize = 64;

const RECORD: usize = size_of::<pindma_pool_record>();

/// A request for `count` buffers of `bytes` bytes, which the device may read and write.
pub(crate) fn ask(count: u32, bytes: usize) -> pindma_pool_create {
    pindma_pool_create {
        size: size_of::<pindma_pool_create>() as u32,
        buffer_bytes: bytes as u64,
        count,
        access: abi::DEV_READ | abi::DEV_WRITE,
        ..pindma_pool_create::default()
    }
}

/// Frames of `bytes` bytes into the buffers; 0: of a whole buffer.
pub(crate) fn from_device(bytes: usize) -> pindma_pool_start {
    pindma_pool_start {
        size: size_of::<pindma_pool_start>() as u32,
        direction: abi::FROM_DEVICE,
        frame_bytes: bytes as u64,
        ..pindma_pool_start::default()
    }
}

/// The same, whether there is a buffer or not.
pub(crate) fn stream(bytes: usize) -> pindma_pool_start {
    pindma_pool_start {
        flags: abi::START_STREAM,
        ..from_device(bytes)
    }
}

/// Frames of `bytes` bytes out of the buffers.
pub(crate) fn to_device(bytes: usize) -> pindma_pool_start {
    pindma_pool_start {
        direction: abi::TO_DEVICE,
        ..from_device(bytes)
    }
}

/// A record that enqueues the buffer with this handle.
pub(crate) fn record(buffer: u32, bytes: usize) -> pindma_pool_record {
    pindma_pool_record {
        buffer,
        bytes: bytes as u64,
        ..pindma_pool_record::default()
    }
}

/// A pool.
#[derive(Debug)]
pub(crate) struct Pool {
    file: Device,
    pub(crate) stride: usize,
    pub(crate) count: usize,
    pub(crate) handle: u32,
    pub(crate) out: abi::pindma_result,
    /// Where the driver writes records to.
    room: Mapping,
}

/// What a stop has said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) frames: u64,
    pub(crate) overruns: u64,
}

impl Pool {
    /// Makes a pool; the errno, and what came out, if that fails.
    pub(crate) fn try_make(
        device: &Device,
        mut request: pindma_pool_create,
    ) -> Outcome<Result<Pool, (i32, pindma_pool_create)>> {
        let errno = device.command(abi::PINDMA_POOL_CREATE, &mut request);
        if errno != 0 {
            return Ok(Err((errno, request)));
        }
        let file = Device::from(sys::inherited_fd(request.out_fd)?);
        Ok(Ok(Pool {
            file,
            stride: request.out_stride as usize,
            count: request.out_count as usize,
            handle: request.out_handle,
            out: request.out,
            room: Mapping::anonymous(ROOM * RECORD)?,
        }))
    }

    /// Makes a pool.
    #[track_caller]
    pub(crate) fn make(device: &Device, request: pindma_pool_create) -> Outcome<Pool> {
        match Pool::try_make(device, request)? {
            Ok(pool) => Ok(pool),
            Err((errno, request)) => Err(crate::check::Fail::new(format!(
                "pool: {}, field {}",
                errno_name(errno),
                request.out.field
            ))),
        }
    }

    /// Fails to make a pool, with this errno and because of this field.
    #[track_caller]
    pub(crate) fn refused(
        device: &Device,
        request: pindma_pool_create,
        errno: i32,
        field: u32,
    ) -> Outcome<abi::pindma_result> {
        match Pool::try_make(device, request)? {
            Ok(_) => Err(crate::check::Fail::new("there is a pool")),
            Err((got, request)) => {
                same("errno", errno_name(got), errno_name(errno))?;
                same("status", request.out.status, -errno)?;
                same("field", request.out.field, field)?;
                same("descriptor", request.out_fd, -1)?;
                same("buffers", request.out_count, 0)?;
                Ok(request.out)
            }
        }
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.file.fd()
    }

    /// The file, for calls that are made by hand.
    pub(crate) fn file(&self) -> &Device {
        &self.file
    }

    /// The same pool by another descriptor.
    pub(crate) fn duplicate(&self) -> Outcome<Pool> {
        Ok(Pool {
            file: self.file.duplicate()?,
            room: Mapping::anonymous(ROOM * RECORD)?,
            ..*self
        })
    }

    /// The pool that somebody has sent.
    pub(crate) fn received(fd: OwnedFd, sender: &Pool) -> Outcome<Pool> {
        Ok(Pool {
            file: Device::from(fd),
            room: Mapping::anonymous(ROOM * RECORD)?,
            ..*sender
        })
    }

    /// `/proc/self/fdinfo` of it.
    pub(crate) fn fdinfo(&self) -> Outcome<String> {
        let number = self.fd().as_raw_fd();
        Ok(std::fs::read_to_string(format!(
            "/proc/self/fdinfo/{number}"
        ))?)
    }

    /// Bytes of all buffers.
    pub(crate) fn len(&self) -> usize {
        self.count * self.stride
    }

    /// Maps a part of it.
    pub(crate) fn map_part(&self, offset: usize, len: usize, flags: i32) -> io::Result<Mapping> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        Mapping::at(len, protection, flags, Some(self.fd()), offset as u64)
    }

    /// Maps all of it.
    pub(crate) fn map(&self) -> Outcome<Mapping> {
        Ok(self.map_part(0, self.len(), libc::MAP_SHARED)?)
    }

    /// Whose a buffer is, and its handle.
    pub(crate) fn try_look(&self, index: usize) -> (i32, u32, u32) {
        let mut query = pindma_pool_query {
            size: size_of::<pindma_pool_query>() as u32,
            index: index as u32,
            ..pindma_pool_query::default()
        };
        let errno = self.file.command(abi::PINDMA_POOL_BUFFER, &mut query);
        (errno, query.out_state, query.out_buffer)
    }

    /// Whose a buffer is.
    pub(crate) fn state(&self, index: usize) -> Outcome<u32> {
        let (errno, state, _) = self.try_look(index);
        same("errno of a query", errno_name(errno), errno_name(0))?;
        Ok(state)
    }

    /// The handle of a buffer, which must be ours.
    #[track_caller]
    pub(crate) fn buffer(&self, index: usize) -> Outcome<u32> {
        let (errno, state, handle) = self.try_look(index);
        same("errno of a query", errno_name(errno), errno_name(0))?;
        same("state", state, abi::POOL_OWNED)?;
        check(handle != 0, "no handle")?;
        Ok(handle)
    }

    /// Enqueues; the errno, and how many were taken.
    pub(crate) fn try_enqueue(&self, records: &[pindma_pool_record]) -> (i32, u32) {
        let mut request = pindma_pool_enqueue {
            size: size_of::<pindma_pool_enqueue>() as u32,
            records: records.as_ptr() as u64,
            nr_records: records.len() as u32,
            // What is left in there must not matter.
            out_enqueued: u32::MAX,
            ..pindma_pool_enqueue::default()
        };
        let errno = self.file.command(abi::PINDMA_POOL_ENQUEUE, &mut request);
        (errno, request.out_enqueued)
    }

    /// Enqueues the buffer with this handle.
    #[track_caller]
    pub(crate) fn enqueue(&self, buffer: u32) -> Outcome {
        let (errno, taken) = self.try_enqueue(&[record(buffer, 0)]);
        same("errno of an enqueue", errno_name(errno), errno_name(0))?;
        same("taken", taken, 1)
    }

    /// Enqueues all that are ours; how many those were.
    #[track_caller]
    pub(crate) fn enqueue_all(&self) -> Outcome<u32> {
        let mut request = pindma_pool_enqueue {
            size: size_of::<pindma_pool_enqueue>() as u32,
            flags: abi::ENQUEUE_ALL,
            ..pindma_pool_enqueue::default()
        };
        let errno = self.file.command(abi::PINDMA_POOL_ENQUEUE, &mut request);
        same("errno of an enqueue", errno_name(errno), errno_name(0))?;
        Ok(request.out_enqueued)
    }

    /// Dequeues into records at `addr`.
    pub(crate) fn dequeue_to(&self, addr: u64, max: u32, min: u32, deadline: i64) -> Dequeued {
        let mut request = pindma_pool_dequeue {
            size: size_of::<pindma_pool_dequeue>() as u32,
            records: addr,
            max,
            min,
            deadline,
            ..pindma_pool_dequeue::default()
        };
        let errno = self.file.command(abi::PINDMA_POOL_DEQUEUE, &mut request);
        Dequeued {
            errno,
            count: request.out_dequeued,
            queued: request.out_queued,
            stopped: request.out_flags & abi::DEQUEUE_STOPPED != 0,
            status: request.out_status,
        }
    }

    /// Dequeues; the errno, and the records.
    pub(crate) fn try_dequeue(
        &self,
        max: u32,
        min: u32,
        deadline: i64,
    ) -> (i32, Vec<pindma_pool_record>) {
        let got = self.dequeue_to(self.room.addr(0), max, min, deadline);
        let record = |index| {
            let bytes = self.room.read(index as usize * RECORD, RECORD);
            sys::from_bytes(&bytes)
        };
        (got.errno, (0..got.count).map(record).collect())
    }

    /// Dequeues `count`, however long that takes.
    #[track_caller]
    pub(crate) fn dequeue(&self, count: usize) -> Outcome<Vec<pindma_pool_record>> {
        let (errno, records) = self.try_dequeue(count as u32, count as u32, abi::DEADLINE_NONE);
        same("errno of a dequeue", errno_name(errno), errno_name(0))?;
        same("records", records.len(), count)?;
        Ok(records)
    }

    pub(crate) fn try_start(&self, mut how: pindma_pool_start) -> i32 {
        self.file.command(abi::PINDMA_POOL_START, &mut how)
    }

    #[track_caller]
    pub(crate) fn start(&self, how: pindma_pool_start) -> Outcome {
        let errno = self.try_start(how);
        same("errno of a start", errno_name(errno), errno_name(0))
    }

    pub(crate) fn try_stop(&self) -> (i32, Totals) {
        let mut stop = pindma_pool_stop {
            size: size_of::<pindma_pool_stop>() as u32,
            out_frames: u64::MAX,
            out_overruns: u64::MAX,
            ..pindma_pool_stop::default()
        };
        let errno = self.file.command(abi::PINDMA_POOL_STOP, &mut stop);
        let (frames, overruns) = (stop.out_frames, stop.out_overruns);
        (errno, Totals { frames, overruns })
    }

    #[track_caller]
    pub(crate) fn stop(&self) -> Outcome<Totals> {
        let (errno, totals) = self.try_stop();
        same("errno of a stop", errno_name(errno), errno_name(0))?;
        Ok(totals)
    }
}

/// How a dequeue ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dequeued {
    pub(crate) errno: i32,
    pub(crate) count: u32,
    pub(crate) queued: u32,
    pub(crate) stopped: bool,
    /// Why it is.
    pub(crate) status: i32,
}

/// A pool of `count` buffers of a page each.
pub(crate) fn of_pages(device: &Device, count: u32) -> Outcome<Pool> {
    Pool::make(device, ask(count, PAGE))
}
