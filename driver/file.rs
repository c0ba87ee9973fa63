// SPDX-License-Identifier: GPL-2.0

//! An open file, and its ioctls.
//!
//! Every call has the same shape: copy in, pin, enter the guard, map and start, leave it, wait,
//! enter, unmap, leave, unpin, copy out. Pinning and copying may block for ever, in userfaultfd or
//! FUSE; so nothing is held meanwhile.

use kernel::{
    prelude::*,
    seq_file::SeqFile,
    sync::Arc,
    uaccess::UserPtr, //
};

use crate::{
    backlog::Backlog,
    channel::Lease,
    copy,
    counters,
    device::{
        Device,
        Opened, //
    },
    direct,
    engine::{
        Chan,
        ChannelLimits, //
    },
    failure::Failure,
    info,
    kapi::{
        abi::{
            self,
            pindma_channel_info,
            pindma_copy,
            pindma_info,
            pindma_result,
            pindma_stats,
            pindma_transfer,
            Argument,
            Call, //
        },
        file_ops::{
            FileOps,
            OpenFlags, //
        },
        gfp,
        node::OpenFile,
        read_write::ReadWrite, //
    },
    pool,
    progress::Progress,
    queue,
    show,
    stats::Stats,
    submit,
    transfer,
    turns::Pace,
    until::Until, //
};

/// A file as the VFS holds it.
pub(crate) struct Open(Arc<File>);

/// An open file, for as long as something works for it.
pub(crate) struct File {
    device: Opened,
    stats: Arc<Stats>,
    /// How fast it gets its turns, for each channel.
    paces: KVec<Arc<Pace>>,
    backlog: Arc<Backlog>,
    _counted: counters::Held,
}

/// Who makes a call: on which file, and how.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'a> {
    /// The file.
    pub(crate) file: &'a Arc<File>,
    /// The file is `O_NONBLOCK`.
    pub(crate) nonblocking: bool,
}

impl Caller<'_> {
    /// Whether a busy channel is an error: with `O_NONBLOCK`, as long as nothing was started.
    pub(crate) fn must_not_wait(&self, progress: &Progress) -> bool {
        self.nonblocking && !progress.started
    }
}

impl OpenFile for Open {
    type Shared = Device;

    fn open(device: &Arc<Device>, flags: OpenFlags) -> Result<KBox<Self>> {
        let mut paces = KVec::new();
        for _ in device.channels() {
            paces.push(Arc::new(Pace::new(), gfp::for_user())?, gfp::for_user())?;
        }
        let backlog = Backlog::new(device)?;
        let file = File {
            device: Device::open(device, flags)?,
            stats: device.totals.open()?,
            paces,
            backlog,
            _counted: counters::FILES.hold(),
        };
        let file = Arc::new(file, gfp::for_user())?;
        Ok(KBox::new(Self(file), gfp::for_user())?)
    }
}

#[vtable]
impl FileOps for Open {
    fn ioctl(&self, cmd: u32, arg: UserPtr, flags: OpenFlags) -> Result<isize> {
        let file = &self.0;
        let caller = Caller {
            file,
            nonblocking: flags.nonblocking(),
        };
        match cmd {
            abi::PINDMA_INFO => file.ask::<pindma_info>(arg, |i| info::device(&file.device, i)),
            abi::PINDMA_CHANNEL_INFO => {
                file.ask::<pindma_channel_info>(arg, |i| info::channel(&file.device, i))
            }
            abi::PINDMA_STATS => file.ask::<pindma_stats>(arg, |out| file.report(out)),
            abi::PINDMA_TRANSFER => file.work::<pindma_transfer>(arg, caller, transfer::run),
            abi::PINDMA_QUEUE_CREATE => {
                file.check_usable()?;
                queue::create(&file.backlog, arg)
            }
            abi::PINDMA_SUBMIT => submit::run(file, arg),
            abi::PINDMA_COPY => file.work::<pindma_copy>(arg, caller, copy::run),
            abi::PINDMA_POOL_CREATE => pool::create(caller, arg),
            _ => Err(ENOTTY),
        }
    }

    fn show(&self, out: &SeqFile) {
        show::file(&self.0.device, &self.0.stats, out);
    }

    fn transfer(&self, call: &mut ReadWrite<'_>) -> Result<usize> {
        let _counted = counters::REQUESTS.hold();
        let caller = Caller {
            file: &self.0,
            nonblocking: call.flags.nonblocking(),
        };
        direct::run(caller, call)
    }

    fn size(&self) -> Result<u64> {
        direct::size(&self.0)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.backlog.close();
    }
}

/// An argument that ends with a result.
trait HasResult: Argument {
    fn result(&mut self) -> &mut pindma_result;
}

impl HasResult for pindma_transfer {
    fn result(&mut self) -> &mut pindma_result {
        &mut self.out
    }
}

impl HasResult for pindma_copy {
    fn result(&mut self) -> &mut pindma_result {
        &mut self.out
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.device.totals.close(&self.stats);
    }
}

impl File {
    /// The device.
    pub(crate) fn device(&self) -> &Arc<Device> {
        &self.device
    }

    /// What the file has done.
    pub(crate) fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Fails if the device takes no calls: `ENODEV`, `ENOTRECOVERABLE`.
    pub(crate) fn check_usable(&self) -> Result {
        if self.device.is_gone() {
            Err(ENODEV)
        } else if self.device.has_failed() {
            Err(ENOTRECOVERABLE)
        } else {
            Ok(())
        }
    }

    /// What channel `number` of a call can do.
    pub(crate) fn channel_limits(&self, number: u32) -> Result<&'static ChannelLimits, Failure> {
        let channels = self.device.facts.limits.channels;
        channels
            .get(number as usize)
            .ok_or_else(|| Failure::field(ENOENT, abi::PINDMA_FIELD_CHANNEL))
    }

    /// Waits for a channel; see [`Channel::acquire`](crate::channel::Channel::acquire).
    pub(crate) fn acquire(
        &self,
        ch: Chan,
        until: Until<'_>,
        nonblocking: bool,
    ) -> Result<Lease<'_>> {
        let channel = self.device.channel(ch).ok_or(ENOENT)?;
        let pace = self.paces.get(ch.0 as usize).ok_or(ENOENT)?;
        channel.acquire(pace, until, nonblocking)
    }

    /// Its requests, and the queues that they end in.
    pub(crate) fn backlog(&self) -> &Arc<Backlog> {
        &self.backlog
    }

    fn report(&self, out: &mut pindma_stats) -> Result {
        if out.flags != 0 {
            return Err(EOPNOTSUPP);
        }
        self.stats.report(out);
        Ok(())
    }

    /// A call that only answers.
    fn ask<T: Argument>(
        &self,
        arg: UserPtr,
        answer: impl FnOnce(&mut T) -> Result,
    ) -> Result<isize> {
        if self.device.is_gone() {
            return Err(ENODEV);
        }
        let mut call = Call::<T>::read(arg)?;
        answer(&mut call.arg)?;
        call.write_back()?;
        Ok(0)
    }

    /// A call that moves data. It succeeds once anything was started; what became of it stands in
    /// its result.
    fn work<'a, T: HasResult>(
        &'a self,
        arg: UserPtr,
        caller: Caller<'a>,
        run: fn(Caller<'a>, &T, &mut Progress) -> Result<(), Failure>,
    ) -> Result<isize> {
        let _counted = counters::REQUESTS.hold();
        let mut call = Call::<T>::read(arg)?;
        let mut progress = Progress::default();
        let end = run(caller, &call.arg, &mut progress);
        *call.arg.result() = progress.result(&end);
        let written = call.write_back();
        match end {
            // That memory may still change must be told, whatever else has failed.
            Err(failure) if failure.error() == ENOTRECOVERABLE && written.is_err() => {
                Err(ENOTRECOVERABLE)
            }
            _ if written.is_err() => Err(EFAULT),
            Err(failure) if !progress.started => Err(failure.error()),
            _ => {
                self.stats.calls.add(1);
                Ok(0)
            }
        }
    }
}
