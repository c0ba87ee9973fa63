// SPDX-License-Identifier: MIT OR GPL-2.0
//! A kernel and a device for tests: it moves bytes as the real ones would, to
//! the very addresses that it is given, so that memory that was freed or lent
//! too early shows.

mod pool;
mod queue;

use std::collections::{HashMap, VecDeque};
use std::ffi::c_void;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::slice;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use rustix::fs::{ftruncate, memfd_create, MemfdFlags};
use rustix::io::{dup, pread, pwrite, Errno};
use rustix::ioctl::Opcode;

use crate::node::{Node, Port};
use crate::{sys, Device};

use pool::FakePool;
use queue::FakeQueue;

/// Bytes of the device's memory.
pub(crate) const MEMORY: u64 = 1 << 20;

/// Stands for read(2) and write(2) where commands are named.
pub(crate) const READ_WRITE: u32 = 0;

const STARTED: u32 = sys::PINDMA_OUT_STARTED;

/// The kernel, and how tests make it behave.
#[derive(Debug)]
pub(crate) struct Fake {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    memory: OwnedFd,
    regions: HashMap<u32, Region>,
    queues: HashMap<RawFd, FakeQueue>,
    pools: HashMap<RawFd, FakePool>,
    next: u32,
    /// Whether requests wait until they are let go.
    held: bool,
    /// Whether the device does not stop, from its next job on.
    stuck: bool,
    /// Whether the device writes on its own.
    unasked: bool,
    /// Bytes that the caller has locked, and the most.
    memlock: (u64, u64),
    /// Errors for the next calls of a command.
    refusals: Vec<(Opcode, Errno)>,
    /// Bytes after which signals end the next transfers and copies.
    signals: VecDeque<u64>,
}

#[derive(Debug)]
enum Region {
    User { addr: u64, len: u64 },
    Pool(RawFd),
}

type Ended = Result<(), Errno>;

impl Fake {
    /// A device that is there in tests only, and what moves it.
    pub(crate) fn device() -> (Device, Arc<Self>) {
        let memory = memory(MEMORY);
        let fake = Arc::new(Self {
            changed: Condvar::new(),
            state: Mutex::new(State {
                memory: dup(&memory).expect("a file"),
                regions: HashMap::new(),
                queues: HashMap::new(),
                pools: HashMap::new(),
                next: 1,
                held: false,
                stuck: false,
                unasked: false,
                memlock: (0, u64::MAX),
                refusals: Vec::new(),
                signals: VecDeque::new(),
            }),
        });
        let node = Node::fake(memory, fake.clone());
        (Device::from_node(node), fake)
    }

    /// Keeps requests in flight until [`release`](Self::release).
    pub(crate) fn hold(&self) {
        self.lock().held = true;
    }

    pub(crate) fn release(&self) {
        self.lock().held = false;
        self.changed.notify_all();
    }

    /// Has the device hang from its next job on.
    pub(crate) fn hang(&self) {
        self.lock().stuck = true;
    }

    /// Has the device be one that writes on its own.
    pub(crate) fn write_unasked(&self) {
        self.lock().unasked = true;
    }

    /// Has the next call of a command fail.
    pub(crate) fn refuse(&self, command: u32, errno: Errno) {
        self.lock().refusals.push((command, errno));
    }

    /// Has a signal end the next transfer or copy, after those that were told of before,
    /// when so many bytes were moved.
    pub(crate) fn interrupt_after(&self, bytes: u64) {
        self.lock().signals.push_back(bytes);
    }

    /// Performs the oldest request of all queues, held or not; whether there was one.
    pub(crate) fn perform_one(&self) -> bool {
        let performed = self.lock().perform_one();
        self.changed.notify_all();
        performed
    }

    /// Has the device do frames for which pools have no buffer.
    pub(crate) fn lose_frames(&self, count: u64) {
        self.lock().lose_frames(count);
    }

    /// Ends the runs of all pools by themselves, because of that error.
    pub(crate) fn end_runs(&self, errno: Errno) {
        self.lock().end_runs(errno);
    }

    /// Unregisters everything, as somebody else who has the file could.
    pub(crate) fn forget_regions(&self) {
        self.lock().regions.clear();
    }

    /// Has the device write to a place, like one that did not stop.
    pub(crate) fn write_to(&self, addr: u64, len: u64) {
        self.lock()
            .move_bytes(sys::PINDMA_FROM_DEVICE, 0, addr, len);
    }

    /// How many regions and pools are registered.
    pub(crate) fn registered(&self) -> usize {
        self.lock().regions.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("tests that panic end")
    }

    /// What a read or a write fails with before anything is moved.
    pub(crate) fn read_or_write(&self) -> Ended {
        self.lock().refusal(READ_WRITE).map_or(Ok(()), Err)
    }

    /// Has the caller's memory locked up to a limit.
    pub(crate) fn limit_memlock(&self, used: u64, limit: u64) {
        self.lock().memlock = (used, limit);
    }

    /// # Safety
    ///
    /// As for the kernel: `arg` is what the command takes, and the addresses in
    /// it are valid for what it does.
    pub(crate) unsafe fn ioctl(&self, port: &Port, opcode: Opcode, arg: *mut c_void) -> Ended {
        let fd = port.as_fd().as_raw_fd();
        if let Some(errno) = self.lock().refusal(opcode) {
            return Err(errno);
        }
        macro_rules! with {
            ($type:ident) => {
                // SAFETY: the caller vouches for the type.
                unsafe { &mut *arg.cast::<sys::$type>() }
            };
        }
        match opcode {
            sys::PINDMA_INFO => self.lock().info(with!(pindma_info)),
            sys::PINDMA_CHANNEL_INFO => self.lock().channel_info(with!(pindma_channel_info)),
            sys::PINDMA_TRANSFER => self.lock().transfer(with!(pindma_transfer)),
            sys::PINDMA_COPY => self.lock().copy(with!(pindma_copy)),
            sys::PINDMA_REGION_REGISTER => self.lock().register(with!(pindma_region_register)),
            sys::PINDMA_REGION_UNREGISTER => self.unregister(with!(pindma_region_unregister)),
            sys::PINDMA_REGION_SYNC => self.lock().check(with!(pindma_region_sync).handle),
            sys::PINDMA_REGION_INFO => self.lock().region_info(with!(pindma_region_info)),
            sys::PINDMA_QUEUE_CREATE => self.lock().create_queue(with!(pindma_queue_create)),
            sys::PINDMA_SUBMIT => self.submit(with!(pindma_submit)),
            sys::PINDMA_QUEUE_WAIT => self.wait(fd, with!(pindma_queue_wait)),
            sys::PINDMA_QUEUE_CANCEL => self.cancel(fd, with!(pindma_queue_cancel)),
            sys::PINDMA_QUEUE_EVENTFD => Ok(()),
            sys::PINDMA_POOL_CREATE => self.lock().create_pool(with!(pindma_pool_create)),
            sys::PINDMA_POOL_BUFFER => self.lock().query(fd, with!(pindma_pool_query)),
            sys::PINDMA_POOL_ENQUEUE => self.lock().enqueue(fd, with!(pindma_pool_enqueue)),
            sys::PINDMA_POOL_DEQUEUE => self.lock().dequeue(fd, with!(pindma_pool_dequeue)),
            sys::PINDMA_POOL_START => self.lock().start(fd, with!(pindma_pool_start)),
            sys::PINDMA_POOL_STOP => self.lock().stop(fd, with!(pindma_pool_stop)),
            _ => Err(Errno::NOTTY),
        }
    }

    fn unregister(&self, arg: &mut sys::pindma_region_unregister) -> Ended {
        let mut state = self.lock();
        if state.is_used(arg.handle) {
            return Err(Errno::BUSY);
        }
        let known = state.regions.remove(&arg.handle);
        known.map(drop).ok_or(Errno::NOENT)
    }
}

impl State {
    fn refusal(&mut self, opcode: Opcode) -> Option<Errno> {
        let at = self
            .refusals
            .iter()
            .position(|(command, _)| *command == opcode)?;
        Some(self.refusals.remove(at).1)
    }

    fn number(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    fn info(&mut self, arg: &mut sys::pindma_info) -> Ended {
        arg.out_max_segs = 16;
        arg.out_channels = 1;
        if self.stuck {
            arg.out_state = sys::PINDMA_STATE_FAILED;
        }
        arg.out_max_depth = 64;
        arg.out_window_bytes = 1 << 20;
        (arg.out_memlock_used, arg.out_memlock_limit) = self.memlock;
        Ok(())
    }

    fn channel_info(&mut self, arg: &mut sys::pindma_channel_info) -> Ended {
        if !self.unasked {
            arg.out_caps = sys::PINDMA_CHANNEL_WHEN_TOLD.into();
        }
        arg.out_mem_bytes = MEMORY;
        Ok(())
    }

    fn register(&mut self, arg: &mut sys::pindma_region_register) -> Ended {
        // SAFETY: the vector is valid, as the caller of the command vouches.
        let [seg] = (unsafe { segs(arg.segs, arg.nr_segs) }) else {
            return Err(Errno::MSGSIZE);
        };
        if seg.len == 0 {
            arg.out.field = sys::PINDMA_FIELD_SEG_LEN;
            return Err(Errno::INVAL);
        }
        let (addr, len) = (seg.addr, seg.len);
        arg.out_handle = self.number();
        self.regions
            .insert(arg.out_handle, Region::User { addr, len });
        Ok(())
    }

    fn check(&self, handle: u32) -> Ended {
        let known = self.regions.contains_key(&handle);
        known.then_some(()).ok_or(Errno::NOENT)
    }

    fn region_info(&self, arg: &mut sys::pindma_region_info) -> Ended {
        if let Some(Region::User { len, .. }) = self.regions.get(&arg.handle) {
            arg.out_len = *len;
        }
        self.check(arg.handle)
    }

    /// Whether a request in flight names the region.
    fn is_used(&self, handle: u32) -> bool {
        let mut queues = self.queues.values();
        queues.any(|queue| queue.uses(handle))
    }

    fn transfer(&mut self, arg: &mut sys::pindma_transfer) -> Ended {
        // SAFETY: the vector is valid, as the caller of the command vouches.
        let segs = unsafe { segs(arg.segs, arg.nr_segs) }.to_vec();
        if arg.flags & sys::PINDMA_MUST_COPY != 0 {
            arg.out.flags |= sys::PINDMA_OUT_COPIED;
        }
        let (segs, signal) = self.until_signal(segs);
        if signal {
            arg.out.status = -Errno::INTR.raw_os_error();
        }
        let moved = self.perform(arg.direction, arg.dev_addr, &segs);
        match moved {
            Err(Errno::NOTRECOVERABLE) => {
                arg.out.status = -Errno::NOTRECOVERABLE.raw_os_error();
            }
            Err(Errno::NOENT) => {
                arg.out.field = sys::PINDMA_FIELD_SEG_HANDLE;
                return Err(Errno::NOENT);
            }
            moved => arg.out.bytes = moved?,
        }
        arg.out.flags |= STARTED;
        Ok(())
    }

    /// The bytes before the next signal, and whether there is one.
    fn until_signal(&mut self, segs: Vec<sys::pindma_seg>) -> (Vec<sys::pindma_seg>, bool) {
        let Some(mut room) = self.signals.pop_front() else {
            return (segs, false);
        };
        let begun = segs.into_iter().filter_map(|seg| {
            let len = seg.len.min(room);
            room -= len;
            (len > 0).then_some(sys::pindma_seg { len, ..seg })
        });
        (begun.collect(), true)
    }

    /// Copies by way of the start of the device's memory.
    fn copy(&mut self, arg: &mut sys::pindma_copy) -> Ended {
        // SAFETY: the vectors are valid, as the caller of the command vouches.
        let src = unsafe { segs(arg.src, arg.nr_src) }.to_vec();
        // SAFETY: as above.
        let dst = unsafe { segs(arg.dst, arg.nr_dst) }.to_vec();
        let sum = |segs: &[sys::pindma_seg]| segs.iter().map(|seg| seg.len).sum::<u64>();
        if sum(&src) != sum(&dst) {
            return Err(Errno::INVAL);
        }
        let signal = self.signals.front().copied();
        let (src, _) = self.until_signal(src);
        signal
            .into_iter()
            .for_each(|bytes| self.signals.push_front(bytes));
        let (dst, signal) = self.until_signal(dst);
        self.perform(sys::PINDMA_TO_DEVICE, 0, &src)?;
        arg.out.bytes = self.perform(sys::PINDMA_FROM_DEVICE, 0, &dst)?;
        if signal {
            arg.out.status = -Errno::INTR.raw_os_error();
        }
        arg.out.flags |= STARTED;
        Ok(())
    }

    /// Does the device's work; how many bytes it has moved.
    fn perform(
        &mut self,
        direction: u32,
        mut at: u64,
        segs: &[sys::pindma_seg],
    ) -> Result<u64, Errno> {
        if self.stuck {
            return Err(Errno::NOTRECOVERABLE);
        }
        let begin = at;
        for seg in segs {
            if at.saturating_add(seg.len) > MEMORY {
                return Err(Errno::RANGE);
            }
            self.move_segment(direction, at, seg)?;
            at += seg.len;
        }
        Ok(at - begin)
    }

    fn move_segment(&self, direction: u32, at: u64, seg: &sys::pindma_seg) -> Ended {
        match self.regions.get(&seg.handle) {
            None if seg.handle != 0 => Err(Errno::NOENT),
            Some(Region::Pool(fd)) => self.move_in_pool(*fd, direction, at, seg),
            Some(Region::User { addr, len }) => {
                assert!(seg.addr + seg.len <= *len, "the crate checks ranges");
                self.move_bytes(direction, at, addr + seg.addr, seg.len);
                Ok(())
            }
            None => {
                self.move_bytes(direction, at, seg.addr, seg.len);
                Ok(())
            }
        }
    }

    /// The program's side is accessed here and not by a system call, so that a
    /// sanitizer sees it.
    fn move_bytes(&self, direction: u32, at: u64, addr: u64, len: u64) {
        let start = std::ptr::with_exposed_provenance_mut::<u8>(addr as usize);
        let mut bytes = vec![0; len as usize];
        if direction == sys::PINDMA_TO_DEVICE {
            // SAFETY: whoever gave the address says that it can be read.
            unsafe { start.copy_to_nonoverlapping(bytes.as_mut_ptr(), bytes.len()) };
            assert_eq!(pwrite(&self.memory, &bytes, at), Ok(bytes.len()));
        } else {
            assert_eq!(pread(&self.memory, &mut bytes, at), Ok(len as usize));
            // SAFETY: whoever gave the address says that it can be written.
            unsafe { start.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        }
    }
}

/// A file of zeros.
fn memory(len: u64) -> OwnedFd {
    let file = memfd_create("pindma-fake", MemfdFlags::CLOEXEC).expect("memory");
    ftruncate(&file, len).expect("memory");
    file
}

/// # Safety
///
/// There must be `count` elements at `addr`, for as long as they are used.
unsafe fn segs<'a>(addr: u64, count: u32) -> &'a [sys::pindma_seg] {
    // SAFETY: the caller vouches for it.
    unsafe { array(addr, count) }
}

/// # Safety
///
/// There must be `count` elements at `addr`, for as long as they are used.
unsafe fn array<'a, T>(addr: u64, count: u32) -> &'a [T] {
    let start = std::ptr::with_exposed_provenance::<T>(addr as usize);
    // SAFETY: the caller vouches for it.
    unsafe { slice::from_raw_parts(start, count as usize) }
}

/// # Safety
///
/// There must be room for `count` elements at `addr`, for as long as they are
/// used, and nobody else must use it.
unsafe fn room<'a, T>(addr: u64, count: u32) -> &'a mut [T] {
    let start = std::ptr::with_exposed_provenance_mut::<T>(addr as usize);
    // SAFETY: the caller vouches for it.
    unsafe { slice::from_raw_parts_mut(start, count as usize) }
}
