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
    access::OpenMode,
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
    failure::{
        restartable,
        Failure, //
    },
    info,
    kapi::{
        abi::{
            self,
            pindma_channel_info,
            pindma_copy,
            pindma_info,
            pindma_pool_create,
            pindma_region_info,
            pindma_region_register,
            pindma_region_sync,
            pindma_region_unregister,
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
    names::{
        Names,
        Published, //
    },
    pool::{
        self,
        Created,
        Roster, //
    },
    progress::Progress,
    queue,
    quota::Quota,
    region,
    show,
    stats::Stats,
    submit,
    transfer,
    turns::Pace,
    until::Until, //
};

/// A file as the VFS holds it: it counts as open for no longer, whatever still works for it.
pub(crate) struct Open {
    file: Arc<File>,
    _opened: Opened,
}

/// An open file, for as long as something works for it.
pub(crate) struct File {
    device: Arc<Device>,
    mode: OpenMode,
    /// Resets of the device before it was opened.
    resets: u32,
    stats: Arc<Stats>,
    /// Pages that it may have pinned.
    quota: Arc<Quota>,
    /// How fast it gets its turns, for each channel.
    paces: KVec<Arc<Pace>>,
    backlog: Arc<Backlog>,
    names: Pin<KBox<Names>>,
    roster: Arc<Roster>,
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
        let roster = Arc::pin_init(Roster::new(), gfp::for_user())?;
        // Of one that comes while the file is made, it is told.
        let resets = device.resets();
        let _opened = Device::open(device, flags)?;
        let quota = device.file_quota()?;
        let stats = device.totals.open()?;
        let names = KBox::pin_init(Names::new(stats.clone()), gfp::for_user());
        let names = names.inspect_err(|_| device.totals.close(&stats))?;
        let file = File {
            device: device.clone(),
            mode: OpenMode::of(flags),
            resets,
            stats,
            quota,
            names,
            roster,
            paces,
            backlog,
            _counted: counters::FILES.hold(),
        };
        let file = Arc::new(file, gfp::for_user())?;
        Ok(KBox::new(Self { file, _opened }, gfp::for_user())?)
    }
}

#[vtable]
impl FileOps for Open {
    fn ioctl(&self, cmd: u32, arg: UserPtr, flags: OpenFlags) -> Result<isize> {
        let file = &self.file;
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
            abi::PINDMA_POOL_CREATE => file.make::<pindma_pool_create, _>(
                arg,
                |arg, progress| pool::create(file, arg, progress),
                Created::keep,
            ),
            abi::PINDMA_REGION_REGISTER => file.make::<pindma_region_register, _>(
                arg,
                |arg, progress| region::register(file, arg, progress),
                Published::keep,
            ),
            abi::PINDMA_REGION_UNREGISTER => {
                file.tell::<pindma_region_unregister>(arg, |arg| region::unregister(file, arg))
            }
            abi::PINDMA_REGION_SYNC => {
                file.tell::<pindma_region_sync>(arg, |arg| region::sync(file, arg))
            }
            abi::PINDMA_REGION_INFO => {
                file.ask::<pindma_region_info>(arg, |info| region::info(file, info))
            }
            _ => Err(ENOTTY),
        }
    }

    fn show(&self, out: &SeqFile) {
        show::file(&self.file.device, &self.file.stats, out);
    }

    fn transfer(&self, call: &mut ReadWrite<'_>) -> Result<usize> {
        let _counted = counters::REQUESTS.hold();
        let caller = Caller {
            file: &self.file,
            nonblocking: call.flags.nonblocking(),
        };
        direct::run(caller, call)
    }

    fn size(&self) -> Result<u64> {
        direct::size(&self.file)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.file.backlog.close();
        self.file.roster.close();
        self.file.names.clear();
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

impl HasResult for pindma_pool_create {
    fn result(&mut self) -> &mut pindma_result {
        &mut self.out
    }
}

impl HasResult for pindma_region_register {
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

    /// What data it may move.
    pub(crate) fn mode(&self) -> OpenMode {
        self.mode
    }

    /// Pages that it may have pinned.
    pub(crate) fn quota(&self) -> &Arc<Quota> {
        &self.quota
    }

    /// What the file has done.
    pub(crate) fn stats(&self) -> &Arc<Stats> {
        &self.stats
    }

    /// What it has given handles to.
    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    /// Its pools.
    pub(crate) fn roster(&self) -> &Arc<Roster> {
        &self.roster
    }

    /// Resets of the device before it was opened.
    pub(crate) fn resets(&self) -> u32 {
        self.resets
    }

    /// Fails if the device takes no calls: `ENODEV`, `ENOTRECOVERABLE`; or none of this file, as it
    /// was reset: `ESTALE`.
    pub(crate) fn check_usable(&self) -> Result {
        self.check_device()?;
        if self.device.resets() == self.resets {
            Ok(())
        } else {
            Err(ESTALE)
        }
    }

    /// Fails if the device takes no calls at all: `ENODEV`, `ENOTRECOVERABLE`.
    pub(crate) fn check_device(&self) -> Result {
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
        *out = pindma_stats {
            size: out.size,
            flags: out.flags,
            ..pindma_stats::default()
        };
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
        let end = answer(&mut call.arg);
        call.write_back()?;
        end.map(|()| 0)
    }

    /// A call that answers nothing: nothing is written back.
    fn tell<T: Argument>(&self, arg: UserPtr, act: impl FnOnce(&T) -> Result) -> Result<isize> {
        if self.device.is_gone() {
            return Err(ENODEV);
        }
        act(&Call::<T>::read(arg)?.arg).map_err(restartable)?;
        Ok(0)
    }

    /// A call that makes something. What it has made is dropped again if the caller cannot be told
    /// of it, and else kept.
    fn make<T: HasResult, M>(
        &self,
        arg: UserPtr,
        make: impl FnOnce(&mut T, &mut Progress) -> Result<M, Failure>,
        keep: impl FnOnce(M),
    ) -> Result<isize> {
        let _counted = counters::REQUESTS.hold();
        let mut call = Call::<T>::read(arg)?;
        let mut progress = Progress::default();
        let (made, end) = match make(&mut call.arg, &mut progress) {
            Ok(made) => (Some(made), Ok(())),
            Err(failure) => (None, Err(failure)),
        };
        *call.arg.result() = progress.result(&end);
        call.write_back()?;
        end.map_err(|failure| failure.error())?;
        if let Some(made) = made {
            keep(made);
        }
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
        // What cannot be told is not begun.
        call.write_back()?;
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
            Err(failure) if !progress.started => Err(restartable(failure.error())),
            _ => {
                self.stats.calls.add(1);
                Ok(0)
            }
        }
    }
}
