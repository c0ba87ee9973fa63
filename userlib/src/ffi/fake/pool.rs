// SPDX-License-Identifier: MIT OR GPL-2.0
//! Pools of the kernel for tests.

use std::collections::VecDeque;
use std::os::fd::{IntoRawFd, OwnedFd, RawFd};

use rustix::io::{dup, pread, pwrite, Errno};

use super::{array, memory, room, Ended, Region, State, STARTED};
use crate::sys;

/// Bytes from one buffer to the next: more than a buffer has.
const GAP: u64 = 4096;

#[derive(Debug)]
pub(super) struct FakePool {
    memory: OwnedFd,
    stride: u64,
    buffer_bytes: u64,
    /// The handle of each buffer that is the application's.
    owned: Vec<Option<u32>>,
    queued: VecDeque<(u32, u64)>,
    ready: VecDeque<sys::pindma_pool_record>,
    started: Option<sys::pindma_pool_start>,
    /// Why it is not started any more.
    ended: i32,
    seq: u64,
    overruns: u64,
}

impl FakePool {
    /// What the device has not begun with comes back.
    fn end_run(&mut self, errno: Errno) {
        self.started = None;
        self.ended = -errno.raw_os_error();
        for (index, _) in self.queued.drain(..) {
            self.ready.push_back(sys::pindma_pool_record {
                index,
                status: -errno.raw_os_error(),
                ..Default::default()
            });
        }
    }
}

impl State {
    pub(super) fn create_pool(&mut self, arg: &mut sys::pindma_pool_create) -> Ended {
        if arg.buffer_bytes == 0 {
            arg.out.field = sys::PINDMA_FIELD_BUFFER_BYTES;
            return Err(Errno::INVAL);
        }
        let buffer_bytes = arg.buffer_bytes.next_multiple_of(4096);
        let stride = buffer_bytes + GAP;
        let owned = (0..arg.count).map(|_| Some(self.number())).collect();
        let file = memory(stride * u64::from(arg.count));
        let pool = FakePool {
            memory: dup(&file).expect("a file"),
            stride,
            buffer_bytes,
            owned,
            queued: VecDeque::new(),
            ready: VecDeque::new(),
            started: None,
            ended: 0,
            seq: 0,
            overruns: 0,
        };
        let fd = file.into_raw_fd();
        self.pools.insert(fd, pool);
        arg.out_handle = self.number();
        self.regions.insert(arg.out_handle, Region::Pool(fd));
        (arg.out_stride, arg.out_count, arg.out_fd) = (stride, arg.count, fd);
        Ok(())
    }

    fn pool(&mut self, fd: RawFd) -> Result<&mut FakePool, Errno> {
        self.pools.get_mut(&fd).ok_or(Errno::BADF)
    }

    pub(super) fn query(&mut self, fd: RawFd, arg: &mut sys::pindma_pool_query) -> Ended {
        let pool = self.pool(fd)?;
        let owned = pool.owned.get(arg.index as usize).ok_or(Errno::INVAL)?;
        arg.out_buffer = owned.unwrap_or(0);
        Ok(())
    }

    pub(super) fn enqueue(&mut self, fd: RawFd, arg: &mut sys::pindma_pool_enqueue) -> Ended {
        let pool = self.pool(fd)?;
        // SAFETY: the vector is valid, as the caller of the command vouches.
        let records: &[sys::pindma_pool_record] = unsafe { array(arg.records, arg.nr_records) };
        for record in records {
            let known = pool
                .owned
                .iter()
                .position(|owned| *owned == Some(record.buffer));
            let Some(index) = known else {
                return if arg.out_enqueued == 0 {
                    Err(Errno::NOENT)
                } else {
                    Ok(())
                };
            };
            pool.owned[index] = None;
            pool.queued.push_back((index as u32, record.bytes));
            arg.out_enqueued += 1;
        }
        Ok(())
    }

    /// Waiting is what makes the device work.
    pub(super) fn dequeue(&mut self, fd: RawFd, arg: &mut sys::pindma_pool_dequeue) -> Ended {
        while self.pool(fd)?.ready.len() < arg.min as usize {
            if !self.fill_one(fd)? {
                break;
            }
        }
        let handles: Vec<u32> = (0..arg.max).map(|_| self.number()).collect();
        let pool = self.pool(fd)?;
        if pool.started.is_none() {
            arg.out_flags = sys::PINDMA_DEQUEUE_STOPPED;
            arg.out_status = pool.ended;
        }
        arg.out_queued = (pool.queued.len() + pool.ready.len()) as u32;
        if pool.ready.is_empty() {
            return Err(Errno::AGAIN);
        }
        let count = pool.ready.len().min(arg.max as usize);
        // SAFETY: there is room, as the caller of the command vouches.
        let records = unsafe { room(arg.records, arg.max) };
        for ((record, ready), handle) in records
            .iter_mut()
            .zip(pool.ready.drain(..count))
            .zip(handles)
        {
            pool.owned[ready.index as usize] = Some(handle);
            *record = sys::pindma_pool_record {
                buffer: handle,
                ..ready
            };
        }
        arg.out_dequeued = count as u32;
        arg.out_queued -= count as u32;
        Ok(())
    }

    /// Has the device work on one buffer; whether it had one.
    fn fill_one(&mut self, fd: RawFd) -> Result<bool, Errno> {
        let stuck = self.stuck;
        let pool = self.pool(fd)?;
        let Some(start) = pool.started else {
            return Ok(false);
        };
        let Some((index, bytes)) = pool.queued.pop_front() else {
            return Ok(false);
        };
        let seg = sys::pindma_seg {
            addr: u64::from(index) * pool.stride,
            len: [bytes, pool.buffer_bytes][usize::from(bytes == 0)],
            ..Default::default()
        };
        let (seq, overruns) = (pool.seq, std::mem::take(&mut pool.overruns));
        pool.seq += 1;
        if !stuck {
            self.move_in_pool(fd, start.direction, start.dev_addr, &seg)?;
        }
        let stuck_status = -Errno::NOTRECOVERABLE.raw_os_error();
        self.pool(fd)?.ready.push_back(sys::pindma_pool_record {
            index,
            bytes: seg.len,
            seq,
            overruns,
            status: if stuck { stuck_status } else { 0 },
            flags: STARTED,
            ..Default::default()
        });
        Ok(true)
    }

    /// Loses frames of all pools, as if nothing had been enqueued.
    pub(super) fn lose_frames(&mut self, count: u64) {
        for pool in self.pools.values_mut() {
            pool.overruns += count;
            pool.seq += count;
        }
    }

    pub(super) fn start(&mut self, fd: RawFd, arg: &mut sys::pindma_pool_start) -> Ended {
        let pool = self.pool(fd)?;
        if pool.started.is_some() {
            return Err(Errno::BUSY);
        }
        if arg.channel != 0 {
            return Err(Errno::NOENT);
        }
        pool.started = Some(*arg);
        Ok(())
    }

    pub(super) fn stop(&mut self, fd: RawFd, arg: &mut sys::pindma_pool_stop) -> Ended {
        let pool = self.pool(fd)?;
        arg.out_frames = pool.seq;
        if pool.started.is_some() {
            pool.end_run(Errno::CANCELED);
        }
        Ok(())
    }

    /// Ends the runs of all pools, as if a frame could not be begun.
    pub(super) fn end_runs(&mut self, errno: Errno) {
        let pools = self.pools.values_mut();
        pools.for_each(|pool| pool.end_run(errno));
    }

    pub(super) fn move_in_pool(
        &self,
        fd: RawFd,
        direction: u32,
        at: u64,
        seg: &sys::pindma_seg,
    ) -> Ended {
        let pool = self.pools.get(&fd).ok_or(Errno::NOENT)?;
        let mut bytes = vec![0; seg.len as usize];
        if direction == sys::PINDMA_TO_DEVICE {
            pread(&pool.memory, &mut bytes, seg.addr)?;
            pwrite(&self.memory, &bytes, at)?;
        } else {
            pread(&self.memory, &mut bytes, at)?;
            pwrite(&pool.memory, &bytes, seg.addr)?;
        }
        Ok(())
    }
}
