// SPDX-License-Identifier: MIT OR GPL-2.0
//! The kernel's side of a pool.

use std::mem;
use std::num::NonZeroU32;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::Arc;

use rustix::io::Errno;
use rustix::ioctl::Opcode;

use super::mapping::Mapping;
use super::named::Named;
use super::registration::unregister;
use super::ring::BATCH;
use super::table::{Owner, Table};
use super::{address, call, Refusal, LOST};
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
    #[cfg_attr(not(feature = "tokio"), expect(dead_code))]
    pub(crate) left: u32,
    /// Whether the device works on none of them before it is started.
    pub(crate) stopped: bool,
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

    pub(crate) fn node(&self) -> &Node {
        &self.node
    }

    /// Claims a buffer that is the program's and that nobody has; else None.
    pub(crate) fn claim(&self, index: u32) -> rustix::io::Result<Option<Claim<'_>>> {
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

    /// Gives a buffer to the device, to move its first `bytes`, 0: all; or hands
    /// it back with the errno.
    pub(crate) fn enqueue<'p>(
        &'p self,
        claim: Claim<'p>,
        bytes: u64,
    ) -> Result<(), (i32, Claim<'p>)> {
        match self.give(slice::from_ref(&claim), bytes) {
            Ok(_) => {
                claim.forget();
                Ok(())
            }
            Err(errno) => Err((errno, claim)),
        }
    }

    /// Gives buffers to the device, from the first on.  What it does not take
    /// stays, with the errno.
    pub(crate) fn enqueue_all<'p>(&'p self, claims: &mut Vec<Claim<'p>>) -> Result<(), i32> {
        while !claims.is_empty() {
            let next = claims.len().min(BATCH);
            let taken = self.give(&claims[..next], 0)?;
            claims.drain(..taken).for_each(Claim::forget);
        }
        Ok(())
    }

    /// Whether a buffer can be given to the device.
    pub(crate) fn may_enqueue(&self, claim: &Claim<'_>) -> Result<(), Refusal> {
        if !ptr::eq(claim.stock, self) {
            return Err(Refusal::OtherFile);
        }
        if claim.lost {
            return Err(Refusal::Lost);
        }
        Ok(())
    }

    /// Marks buffers as the device's and tells the kernel; how many it took, at
    /// least one.  The caller forgets the claims of those.
    fn give(&self, claims: &[Claim<'_>], bytes: u64) -> Result<usize, i32> {
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
    pub(crate) fn dequeue<'p>(
        &'p self,
        max: usize,
        min: usize,
        deadline: i64,
        sink: &mut dyn FnMut(Claim<'p>, sys::pindma_pool_record),
    ) -> Dequeued {
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
        Dequeued {
            count,
            left: arg.out_queued,
            stopped: arg.out_flags & sys::PINDMA_DEQUEUE_STOPPED != 0,
        }
    }

    /// A claim of the buffer that came back; None for one that was not away.
    fn receive(&self, record: &sys::pindma_pool_record) -> Option<Claim<'_>> {
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

    fn claimed(&self, index: u32, handle: NonZeroU32) -> Claim<'_> {
        Claim {
            stock: self,
            index,
            handle,
            lost: false,
        }
    }

    pub(crate) fn start(&self, arg: &sys::pindma_pool_start) -> rustix::io::Result<()> {
        let mut arg = *arg;
        // SAFETY: START takes a pindma_pool_start, which holds no pointers.
        unsafe { call::<START, _>(&self.port, &mut arg) }
    }

    /// Stops the pool: frames since the start, and how many of them were lost.
    pub(crate) fn stop(&self) -> rustix::io::Result<(u64, u64)> {
        let mut arg = sys::pindma_pool_stop {
            size: size_of::<sys::pindma_pool_stop>() as u32,
            ..Default::default()
        };
        // SAFETY: STOP takes a pindma_pool_stop, which holds no pointers.
        unsafe { call::<STOP, _>(&self.port, &mut arg) }
            .map(|()| (arg.out_frames, arg.out_overruns))
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
/// nothing to leak here if that takes longer.
impl Drop for Stock {
    fn drop(&mut self) {
        // A pool that was never started, or whose device is gone, cannot be stopped.
        let _ = self.stop();
        // If this fails the pool goes with the device's file.
        let _ = unregister(&self.node, self.handle, None);
    }
}

/// A buffer of a pool that is the program's.
///
/// # Invariants
///
/// There is no other claim of the buffer, and the device does not access it but
/// during a call that borrows the claim, or while a queue owns it; or it is `lost`.
pub struct Claim<'p> {
    stock: &'p Stock,
    index: u32,
    handle: NonZeroU32,
    lost: bool,
}

impl<'p> Claim<'p> {
    pub(crate) fn index(&self) -> u32 {
        self.index
    }

    pub(crate) fn len(&self) -> usize {
        self.stock.buffer_bytes
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.lost
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        assert!(!self.lost, "{LOST}");
        let raw = self.raw();
        // SAFETY: the type's invariants; `self` is borrowed for as long.
        unsafe { slice::from_raw_parts(raw.cast().as_ptr(), raw.len()) }
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        assert!(!self.lost, "{LOST}");
        let raw = self.raw();
        // SAFETY: the type's invariants; `self` is mutably borrowed for as long.
        unsafe { slice::from_raw_parts_mut(raw.cast().as_ptr(), raw.len()) }
    }

    pub(crate) fn node(&self) -> &'p Node {
        self.stock.node()
    }

    fn record(&self, bytes: u64) -> sys::pindma_pool_record {
        sys::pindma_pool_record {
            buffer: self.handle.get(),
            bytes,
            ..Default::default()
        }
    }

    fn raw(&self) -> NonNull<[u8]> {
        self.stock.mapping.range(self.offset(), self.len())
    }

    fn offset(&self) -> usize {
        self.index as usize * self.stock.stride
    }

    fn mark(&self, owner: Owner) {
        self.stock.table.set(self.index as usize, owner);
    }

    /// Ends the claim of a buffer that is the device's now.
    fn forget(self) {
        mem::forget(self);
    }
}

/// The buffer stays the program's, for whoever claims it next.
impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.mark(if self.lost {
            Owner::Lost
        } else {
            Owner::Idle(Some(self.handle))
        });
    }
}

// SAFETY: there is one claim of a buffer; a lost one lends nothing, and its
// buffer is not claimed again.
unsafe impl Named for Claim<'_> {
    fn segment(&self, node: &Node, range: Range<usize>) -> Result<sys::pindma_seg, Refusal> {
        if !ptr::eq(node, self.stock.node()) {
            return Err(Refusal::OtherFile);
        }
        if self.lost {
            return Err(Refusal::Lost);
        }
        super::within(&range, self.len())?;
        Ok(sys::pindma_seg {
            addr: (self.offset() + range.start) as u64,
            len: range.len() as u64,
            handle: self.stock.handle(),
            flags: 0,
        })
    }

    fn length(&self) -> usize {
        self.len()
    }

    fn lose(&mut self) {
        self.lost = true;
    }
}
