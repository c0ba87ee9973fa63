// SPDX-License-Identifier: GPL-2.0

//! The file of a pool: its ioctls, poll and mmap.

use kernel::{
    prelude::*,
    seq_file::{
        seq_print,
        SeqFile, //
    },
    sync::{
        poll::PollTable,
        Arc, //
    },
    uaccess::{
        UserPtr,
        UserSlice, //
    },
};

use super::{
    buffers::Stage,
    run::Setup,
    Pool,
    Pools, //
};
use crate::{
    base::{
        batch,
        deadline::Deadline,
        failure::{
            restartable,
            Failure, //
        }, //
    },
    card::{
        entry::Route,
        watch::Watching, //
    },
    engine::Chan,
    kapi::{
        abi::{
            self,
            pindma_pool_dequeue,
            pindma_pool_enqueue,
            pindma_pool_query,
            pindma_pool_record,
            pindma_pool_start,
            pindma_pool_stop,
            Argument,
            Call, //
        },
        anon::Kind,
        block::Block,
        clock,
        file_ops::{
            FileOps,
            OpenFlags,
            Ready, //
        },
        gfp,
        pins::Direction, //
    },
    memory::{
        fit,
        loan::Lender, //
    }, //
};

/// The kind of file that a pool is.
pub(super) static KIND: Kind<OpenPool> = Kind::new(c"[pindma_pool]");

/// A pool as the VFS holds it.
pub(super) struct OpenPool(Arc<Pool>, #[expect(dead_code, reason = "dropped")] Watching);

impl OpenPool {
    /// The file of `pool`, which becomes one of `pools`.
    pub(super) fn boxed(pools: &Pools, pool: &Arc<Pool>) -> Result<KBox<Self>> {
        let watching = Watching::new(pool.device.watch(), pool.clone())?;
        let open = KBox::new(Self(pool.clone(), watching), gfp::for_user())?;
        pools.add(pool)?;
        Ok(open)
    }
}

impl Drop for OpenPool {
    fn drop(&mut self) {
        let pool = &self.0;
        pool.retire();
        let owner = pool.state.lock().owner.clone();
        if let Some(owner) = owner {
            owner.pools.strike(pool);
        }
    }
}

#[vtable]
impl FileOps for OpenPool {
    fn ioctl(&self, cmd: u32, arg: UserPtr, flags: OpenFlags) -> Result<isize> {
        match cmd {
            abi::PINDMA_POOL_BUFFER => self.ask(arg, |query| self.query(query)),
            abi::PINDMA_POOL_ENQUEUE => self.act(arg, |arg| self.enqueue(arg)),
            abi::PINDMA_POOL_DEQUEUE => self.hand_out(arg, flags.nonblocking()),
            abi::PINDMA_POOL_START => self.tell(arg, |arg| self.start(arg)),
            abi::PINDMA_POOL_STOP => self.act(arg, |arg| self.stop(arg)),
            _ => Err(ENOTTY),
        }
    }

    fn poll(&self, file: &kernel::fs::File, table: PollTable<'_>) -> Ready {
        let pool = &self.0;
        table.register_wait(file, &pool.changed);
        let state = pool.state.lock();
        let ready = state.buffers.ready() > 0;
        Ready {
            readable: ready,
            writable: ready && pool.direction == Direction::ToDevice,
            failed: !ready && pool.stopped(&state).is_some(),
            hung_up: pool.dead(&state).is_some(),
        }
    }

    fn mmap(&self) -> Result<usize> {
        self.0.maker.admit()?;
        Ok(self.0.pages())
    }

    fn page(&self, index: usize) -> Option<(&Block, usize)> {
        self.0.page(index)
    }

    fn show(&self, out: &SeqFile) {
        let pool = &self.0;
        let state = pool.state.lock();
        let count = |stage| state.buffers.count(stage);
        seq_print!(out, "pindma-device:\t{}\n", &*pool.device.facts.bus);
        seq_print!(out, "pindma-stride:\t{}\n", pool.stride());
        seq_print!(out, "pindma-buffers:\t{}\n", pool.memory.len());
        seq_print!(out, "pindma-owned:\t{}\n", count(Stage::Owned));
        seq_print!(out, "pindma-queued:\t{}\n", count(Stage::Queued));
        seq_print!(out, "pindma-active:\t{}\n", count(Stage::Active));
        seq_print!(out, "pindma-ready:\t{}\n", count(Stage::Ready));
        seq_print!(out, "pindma-started:\t{}\n", u8::from(state.run.is_some()));
        let totals = state.run.as_ref().map_or(state.totals, |run| run.totals());
        seq_print!(out, "pindma-frames:\t{}\n", totals.frames);
        seq_print!(out, "pindma-overruns:\t{}\n", totals.overruns);
    }
}

impl OpenPool {
    /// A call that only asks, and that everybody may make who has the file.
    fn ask<T: Argument>(&self, arg: UserPtr, f: impl FnOnce(&mut T) -> Result) -> Result<isize> {
        self.check_there()?;
        let mut call = Call::<T>::read(arg)?;
        let end = f(&mut call.arg);
        call.write_back()?;
        end.map(|()| 0)
    }

    /// A call that does something, and tells how far it got.
    fn act<T: Argument>(&self, arg: UserPtr, f: impl FnOnce(&mut T) -> Result) -> Result<isize> {
        self.check_there()?;
        let mut call = Call::<T>::read(arg)?;
        // What cannot be told is not done.
        call.write_back()?;
        let end = f(&mut call.arg);
        let written = call.write_back();
        end?;
        written?;
        Ok(0)
    }

    /// A call that has nothing to tell: nothing is written back.
    fn tell<T: Argument>(&self, arg: UserPtr, f: impl FnOnce(&T) -> Result) -> Result<isize> {
        self.check_there()?;
        f(&Call::<T>::read(arg)?.arg)?;
        Ok(0)
    }

    fn check_there(&self) -> Result {
        match self.0.device.is_gone() {
            true => Err(ENODEV),
            false => Ok(()),
        }
    }

    fn query(&self, arg: &mut pindma_pool_query) -> Result {
        arg.out_state = 0;
        arg.out_buffer = 0;
        arg.out_reserved = 0;
        if arg.flags != 0 {
            return Err(EOPNOTSUPP);
        }
        let state = self.0.state.lock();
        let (stage, handle) = state.buffers.look(arg.index as usize).ok_or(ENOENT)?;
        arg.out_state = stage.to_abi();
        arg.out_buffer = handle.map_or(0, |handle| handle.to_abi());
        Ok(())
    }

    fn enqueue(&self, arg: &mut pindma_pool_enqueue) -> Result {
        arg.out_enqueued = 0;
        self.0.maker.admit()?;
        let all = match arg.flags {
            0 => false,
            abi::PINDMA_ENQUEUE_ALL => true,
            _ => return Err(EOPNOTSUPP),
        };
        if !all {
            batch::check(arg.nr_records)?;
        } else if (arg.records, arg.nr_records) != (0, 0) {
            return Err(EINVAL);
        }
        self.0.check_usable()?;
        if all {
            arg.out_enqueued = Pool::enqueue_owned(&self.0);
            return Ok(());
        }
        let bytes = arg.nr_records as usize * size_of::<pindma_pool_record>();
        let mut records = UserSlice::new(pointer(arg.records)?, bytes).reader();
        for _ in 0..arg.nr_records {
            match records.read().and_then(|record| self.enqueue_one(&record)) {
                Ok(()) => arg.out_enqueued += 1,
                Err(_) if arg.out_enqueued > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn enqueue_one(&self, record: &pindma_pool_record) -> Result {
        if record.flags != 0 {
            return Err(EOPNOTSUPP);
        }
        let asked = pindma_pool_record {
            buffer: record.buffer,
            bytes: record.bytes,
            ..pindma_pool_record::default()
        };
        if *record != asked || record.bytes > self.0.stride() {
            return Err(EINVAL);
        }
        fit::check_part(&self.0.device.facts.limits, record.bytes)?;
        Pool::enqueue(&self.0, record)
    }

    /// `PINDMA_POOL_DEQUEUE`. What cannot be told is not taken.
    fn hand_out(&self, arg: UserPtr, nonblocking: bool) -> Result<isize> {
        let mut call = Call::<pindma_pool_dequeue>::read(arg)?;
        call.write_back()?;
        let end = self.dequeue(&mut call.arg, nonblocking);
        call.write_back()?;
        end.map(|()| 0).map_err(restartable)
    }

    /// Also when the device is gone: what was ready before that is not lost.
    fn dequeue(&self, arg: &mut pindma_pool_dequeue, nonblocking: bool) -> Result {
        arg.out_dequeued = 0;
        arg.out_queued = 0;
        arg.out_flags = 0;
        arg.out_status = 0;
        if arg.flags != 0 {
            return Err(EOPNOTSUPP);
        }
        batch::check(arg.max)?;
        let deadline = Deadline::from_abi(arg.deadline).ok_or(EINVAL)?;
        if arg.min > arg.max {
            return Err(EINVAL);
        }
        self.0.maker.admit()?;
        let min = if nonblocking { 0 } else { arg.min as usize };
        loop {
            let result = self.take(arg, min, deadline);
            let state = self.0.state.lock();
            // What has become ready since is taken as well, so that who gets EAGAIN knows how
            // things stood when there was nothing.
            if result != Err(EAGAIN) || state.buffers.ready() == 0 {
                arg.out_queued = state.buffers.with_device() as u32;
                if let Some(end) = self.0.stopped(&state) {
                    arg.out_flags = abi::PINDMA_DEQUEUE_STOPPED;
                    arg.out_status = end.map_or_else(Error::to_errno, |()| 0);
                }
                return result;
            }
        }
    }

    /// Waits for records and copies them out. Another thread may be faster, and take them all.
    fn take(&self, arg: &mut pindma_pool_dequeue, min: usize, deadline: Deadline) -> Result {
        while arg.out_dequeued == 0 {
            self.0.wait(min, deadline)?;
            self.copy_out(arg)?;
        }
        Ok(())
    }

    fn copy_out(&self, arg: &mut pindma_pool_dequeue) -> Result {
        let bytes = arg.max as usize * size_of::<pindma_pool_record>();
        let mut records = UserSlice::new(pointer(arg.records)?, bytes).writer();
        while arg.out_dequeued < arg.max {
            let Some(record) = self.0.dequeue() else {
                break;
            };
            let told = pindma_pool_record {
                time_ns: clock::from_host(record.time_ns),
                ..record
            };
            if let Err(error) = records.write(&told) {
                self.0.undo_dequeue(&record);
                if arg.out_dequeued == 0 {
                    return Err(error);
                }
                break;
            }
            arg.out_dequeued += 1;
        }
        Ok(())
    }

    fn start(&self, arg: &pindma_pool_start) -> Result {
        self.0.maker.admit()?;
        let setup = self.setup(arg).map_err(|failure| failure.error())?;
        self.0.check_usable()?;
        Pool::start(&self.0, setup)
    }

    fn setup(&self, arg: &pindma_pool_start) -> Result<Setup, Failure> {
        let stream = match arg.flags {
            0 => false,
            abi::PINDMA_START_STREAM => true,
            _ => return Err(EOPNOTSUPP.into()),
        };
        if arg.reserved != 0 {
            return Err(EINVAL.into());
        }
        let channels = &self.0.device.facts.limits.channels;
        let limits = channels.get(arg.channel as usize).ok_or(ENOENT)?;
        let direction = fit::direction(arg.direction, limits)?;
        if stream && !direction.writes() {
            return Err(EINVAL.into());
        }
        if !self.0.direction.includes(direction) {
            return Err(EOPNOTSUPP.into());
        }
        let frame_bytes = match arg.frame_bytes {
            0 => self.0.stride(),
            bytes => bytes,
        };
        if frame_bytes > self.0.stride() {
            return Err(ERANGE.into());
        }
        let dev_fixed = fit::dev_fixed(arg.dev_flags, limits)?;
        fit::check_device(limits, arg.dev_addr, frame_bytes, dev_fixed)?;
        Ok(Setup {
            route: Route {
                ch: Chan(arg.channel),
                direction,
                dev_addr: arg.dev_addr,
                dev_fixed,
            },
            frame_bytes,
            stream,
        })
    }

    fn stop(&self, arg: &mut pindma_pool_stop) -> Result {
        arg.out_frames = 0;
        arg.out_overruns = 0;
        self.0.maker.admit()?;
        if arg.flags != 0 {
            return Err(EOPNOTSUPP);
        }
        let totals = self.0.stop().map_err(restartable)?;
        arg.out_frames = totals.frames;
        arg.out_overruns = totals.overruns;
        Ok(())
    }
}

fn pointer(addr: u64) -> Result<UserPtr> {
    Ok(UserPtr::from_addr(
        usize::try_from(addr).map_err(|_| EFAULT)?,
    ))
}
