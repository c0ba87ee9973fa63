// SPDX-License-Identifier: MIT OR GPL-2.0
//! The kernel's side of a pool.

use std::num::NonZeroU32;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::Arc;

use rustix::io::Errno;
use rustix::ioctl::Opcode;

use super::claim::Claim;
use super::mapping::Mapping;
use super::named::Named;
use super::registration::unregister;
use super::ring::BATCH;
use super::running::Running;
use super::table::{Owner, Table};
use super::{address, call};
use crate::node::{Node, Port};
use crate::sys;

const CREATE: Opcode = sys::PINDMA_POOL_CREATE as Opcode;
const QUERY: Opcode = sys::PINDMA_POOL_BUFFER as Opcode;
const ENQUEUE: Opcode = sys::PINDMA_POOL_ENQUEUE as Opcode;
const DEQUEUE: Opcode = sys::PINDMA_POOL_DEQUEUE as Opcode;
const START: Opcode = sys::PINDMA_POOL_START as Opcode;
const STOP: Opcode = sys::PINDMA_POOL_STOP as Opcode;

/// What a pool is to be like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) buffer_bytes: usize,
    pub(crate) count: u32,
    pub(crate) access: u32,
    pub(crate) flags: u32,
}

/// What was taken back.
pub(crate) struct Dequeued {
    /// How many buffers.
    pub(crate) count: rustix::io::Result<usize>,
    /// Buffers that the device still has.
    pub(crate) left: u32,
    /// Whether the device works on none of them before it is started.
    pub(crate) stopped: bool,
    /// The errno with which the run has ended by itself, else 0.
    pub(crate) ended: i32,
}

impl Wanted {
    fn raw(&self) -> sys::pindma_pool_create {
        sys::pindma_pool_create {
            size: size_of::<sys::pindma_pool_create>() as u32,
            flags: self.flags,
            buffer_bytes: self.buffer_bytes as u64,
            count: self.count,
            access: self.access,
            ..Default::default()
        }
    }
}

/// A pool of the kernel, mapped, and who has which buffer.
///
/// # Invariants
///
/// The bytes of a buffer are only lent by its claim, of which there is at most
/// one, and none while the buffer is the device's.
pub(crate) struct Stock {
    node: Arc<Node>,
    mapping: Mapping,
    port: Port,
    handle: u32,
    stride: usize,
    buffer_bytes: usize,
    table: Table,
    count: u32,
    running: Running,
}

impl Stock {
    /// Allocates and maps a pool; on failure the errno and what is known of it.
    pub(crate) fn new(
        node: &Arc<Node>,
        wanted: &Wanted,
    ) -> Result<Self, (i32, sys::pindma_result)> {
        let plain = |errno: Errno| (errno.raw_os_error(), sys::pindma_result::default());
        let page = rustix::param::page_size();
        let buffer_bytes = wanted.buffer_bytes.checked_next_multiple_of(page);
        let buffer_bytes = buffer_bytes.ok_or(plain(Errno::NOMEM))?;
        let mut arg = wanted.raw();
        create(node, &mut arg).map_err(|errno| (errno.raw_os_error(), arg.out))?;
        let port = made(node, &arg);
        let made = Made { node, arg: &arg };
        let stride = usize::try_from(arg.out_stride).ok();
        let len = stride.and_then(|stride| stride.checked_mul(arg.out_count as usize));
        let len = len.filter(|len| isize::try_from(*len).is_ok());
        let (Some(stride), Some(len)) = (stride, len) else {
            return Err(made.undo(Errno::NOMEM));
        };
        if stride < buffer_bytes {
            return Err(made.undo(Errno::PROTO));
        }
        let mapping = Mapping::new(&port, len).map_err(|errno| made.undo(errno))?;
        Ok(Self {
            node: node.clone(),
            mapping,
            port,
            handle: arg.out_handle,
            stride,
            buffer_bytes,
            table: Table::new(arg.out_count as usize),
            count: arg.out_count,
            running: Running::default(),
        })
    }

    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    pub(crate) fn buffer_bytes(&self) -> usize {
        self.buffer_bytes
    }

    pub(crate) fn handle(&self) -> u32 {
        self.handle
    }

    pub(crate) fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// The bytes of a buffer, without a reference to them.
    pub(super) fn raw(&self, index: u32) -> NonNull<[u8]> {
        self.mapping.range(self.offset(index), self.buffer_bytes)
    }

    /// Where a buffer begins in the pool's memory.
    pub(super) fn offset(&self, index: u32) -> usize {
        index as usize * self.stride
    }

    pub(super) fn mark(&self, index: u32, owner: Owner) {
        self.table.set(index as usize, owner);
    }

    /// Claims a buffer that is the program's and that nobody has; else None.
    pub(crate) fn claim(self: &Arc<Self>, index: u32) -> rustix::io::Result<Option<Claim>> {
        let mut owners = self.table.lock();
        let Some(Owner::Idle(known)) = owners.get(index as usize).copied() else {
            return Ok(None);
        };
        let Some(handle) = known.map_or_else(|| self.ask(index), |known| Ok(Some(known)))? else {
            return Ok(None);
        };
        owners[index as usize] = Owner::Claimed;
        Ok(Some(self.claimed(index, handle)))
    }

    /// The handle of a buffer that is the program's; None if it is not.
    fn ask(&self, index: u32) -> rustix::io::Result<Option<NonZeroU32>> {
        let mut arg = sys::pindma_pool_query {
            size: size_of::<sys::pindma_pool_query>() as u32,
            index,
            ..Default::default()
        };
        // SAFETY: QUERY takes a pindma_pool_query, which holds no pointers.
        unsafe { call::<QUERY, _>(&self.port, &mut arg) }?;
        Ok(NonZeroU32::new(arg.out_buffer))
    }

    /// Gives buffers to the device, from the first on.  What it does not take
    /// stays, with the errno.
    pub(crate) fn enqueue_all(&self, claims: &mut Vec<Claim>) -> Result<(), i32> {
        while !claims.is_empty() {
            let next = claims.len().min(BATCH);
            let taken = self.give(&claims[..next], 0)?;
            claims.drain(..taken).for_each(Claim::forget);
        }
        Ok(())
    }

    /// Marks buffers as the device's and tells the kernel; how many it took, at
    /// least one.  The caller forgets the claims of those.
    pub(super) fn give(&self, claims: &[Claim], bytes: u64) -> Result<usize, i32> {
        let records: Vec<_> = claims.iter().map(|claim| claim.record(bytes)).collect();
        // Another thread may dequeue them before this one gets to know.
        claims.iter().for_each(|claim| claim.mark(Owner::Device));
        let mut arg = sys::pindma_pool_enqueue {
            size: size_of::<sys::pindma_pool_enqueue>() as u32,
            records: address(records.as_ptr()),
            nr_records: records.len() as u32,
            ..Default::default()
        };
        // SAFETY: ENQUEUE takes a pindma_pool_enqueue; `records` lives until it
        // returns; nobody looks at the buffers that it names, since the caller
        // has their claims and forgets them.
        let returned = unsafe { call::<ENQUEUE, _>(&self.port, &mut arg) };
        let taken = match returned {
            Ok(()) => claims.len().min(arg.out_enqueued as usize),
            Err(_) => 0,
        };
        let rest = &claims[taken..];
        rest.iter().for_each(|claim| claim.mark(Owner::Claimed));
        match returned {
            Ok(()) if taken == 0 => Err(Errno::IO.raw_os_error()),
            Ok(()) => Ok(taken),
            Err(errno) => Err(errno.raw_os_error()),
        }
    }

    /// Takes buffers back: waits for `min`, and hands what there is to `sink`,
    /// at most a batch and not more than `max`.
    pub(crate) fn dequeue(
        self: &Arc<Self>,
        max: usize,
        min: usize,
        deadline: i64,
        sink: &mut dyn FnMut(Claim, sys::pindma_pool_record),
    ) -> Dequeued {
        let run = self.running.now();
        let mut records = [sys::pindma_pool_record::default(); BATCH];
        let records = &mut records[..max.min(BATCH)];
        let mut arg = sys::pindma_pool_dequeue {
            size: size_of::<sys::pindma_pool_dequeue>() as u32,
            records: address(records.as_mut_ptr()),
            max: records.len() as u32,
            min: min.min(records.len()) as u32,
            deadline,
            ..Default::default()
        };
        // SAFETY: DEQUEUE takes a pindma_pool_dequeue; `records` is borrowed
        // mutably and has room for as many as said.
        let returned = unsafe { call::<DEQUEUE, _>(&self.port, &mut arg) };
        let count = returned.map(|()| records.len().min(arg.out_dequeued as usize));
        for record in &records[..count.unwrap_or(0)] {
            if let Some(claim) = self.receive(record) {
                sink(claim, *record);
            }
        }
        let stopped = arg.out_flags & sys::PINDMA_DEQUEUE_STOPPED != 0;
        if stopped {
            self.running.end(run);
        }
        Dequeued {
            count,
            left: arg.out_queued,
            stopped,
            ended: reason(&arg),
        }
    }

    /// A claim of the buffer that came back; None for one that was not away.
    fn receive(self: &Arc<Self>, record: &sys::pindma_pool_record) -> Option<Claim> {
        let handle = NonZeroU32::new(record.buffer)?;
        let was_away = self
            .table
            .change(record.index as usize, Owner::Device, Owner::Claimed);
        let mut claim = was_away.then(|| self.claimed(record.index, handle))?;
        if record.status == -Errno::NOTRECOVERABLE.raw_os_error() {
            claim.lose();
        }
        Some(claim)
    }

    fn claimed(self: &Arc<Self>, index: u32, handle: NonZeroU32) -> Claim {
        Claim::new(self.clone(), index, handle)
    }

    /// Whether it was started and is not known to have stopped since.
    pub(crate) fn is_running(&self) -> bool {
        self.running.now().is_some()
    }

    pub(crate) fn start(&self, arg: &sys::pindma_pool_start) -> rustix::io::Result<()> {
        let mut arg = *arg;
        // SAFETY: START takes a pindma_pool_start, which holds no pointers.
        unsafe { call::<START, _>(&self.port, &mut arg) }?;
        self.running.begin();
        Ok(())
    }

    /// Stops the pool: frames since the start, and how many of them were lost.
    pub(crate) fn stop(&self) -> rustix::io::Result<(u64, u64)> {
        self.running.end(self.running.now());
        let mut arg = sys::pindma_pool_stop {
            size: size_of::<sys::pindma_pool_stop>() as u32,
            ..Default::default()
        };
        // SAFETY: STOP takes a pindma_pool_stop, which holds no pointers.
        unsafe { call::<STOP, _>(&self.port, &mut arg) }
            .map(|()| (arg.out_frames, arg.out_overruns))
    }
}

/// The errno with which a run has ended that nobody has stopped, else 0.
fn reason(arg: &sys::pindma_pool_dequeue) -> i32 {
    match arg.out_status.saturating_neg() {
        errno if errno == Errno::CANCELED.raw_os_error() => 0,
        errno => errno,
    }
}

/// Has the kernel make a pool; `arg` says how it went.
fn create(node: &Node, arg: &mut sys::pindma_pool_create) -> rustix::io::Result<()> {
    // SAFETY: CREATE takes a pindma_pool_create, which holds no pointers.
    unsafe { call::<CREATE, _>(node.port(), arg) }
}

fn made(node: &Node, arg: &sys::pindma_pool_create) -> Port {
    // SAFETY: the kernel has just made this file for the caller alone.
    node.made(unsafe { OwnedFd::from_raw_fd(arg.out_fd) })
}

/// A pool that has been made and is not used yet.
struct Made<'a> {
    node: &'a Node,
    arg: &'a sys::pindma_pool_create,
}

impl Made<'_> {
    /// Gives it back, since `errno` came up.
    fn undo(&self, errno: Errno) -> (i32, sys::pindma_result) {
        // If this fails the pool goes with the device's file.
        let _ = unregister(self.node, self.arg.out_handle, None);
        (errno.raw_os_error(), sys::pindma_result::default())
    }
}

impl AsFd for Stock {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.port.as_fd()
    }
}

/// The memory stays the kernel's until the device is done with it, so there is
/// nothing to leak here if it has not stopped.
impl Drop for Stock {
    fn drop(&mut self) {
        // If this fails the pool goes with the device's file.
        let _ = unregister(&self.node, self.handle, None);
    }
}
