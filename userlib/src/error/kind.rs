// SPDX-License-Identifier: MIT OR GPL-2.0
//! The kinds of errors, and their texts.

use std::io;
use std::path::PathBuf;

use super::{Field, Side};

/// What went wrong.
///
/// Segments are counted from 0, in the order of the slices of the call; a call
/// with one slice has segment 0.
///
/// ```no_run
/// # fn main() -> Result<(), pindma::Error> {
/// # let device = pindma::Device::open("/dev/pindma0")?;
/// use pindma::ErrorKind;
///
/// match device.send(&[1; 4096], 0) {
///     Ok(done) => println!("{} bytes", done.bytes),
///     Err(error) => match error.kind() {
///         ErrorKind::MemlockLimit { needed, limit, .. } => {
///             println!("{needed} bytes of {limit} would be needed");
///         }
///         _ => return Err(error),
///     },
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// `ENOENT`, `ENXIO` or `ENODEV` of open: there is no such device.
    #[error(
        "{} does not exist or has no device behind it; is the module loaded (`modprobe pindma`) \
         and bound to a card (`dmesg`, `lspci -k`)? `pindma doctor` looks",
        path.display()
    )]
    #[non_exhaustive]
    NotFound {
        /// What was opened.
        path: PathBuf,
    },
    /// `EACCES` or `EPERM` of open.
    #[error(
        "no permission for {}; run as root, or have the administrator give the node to your \
         group (its mode is 0600 unless a udev rule says otherwise)",
        path.display()
    )]
    #[non_exhaustive]
    PermissionDenied {
        /// What was opened.
        path: PathBuf,
    },
    /// What was opened is something else than a pindma device.
    #[error("{} is not a pindma device; those are named /dev/pindma0 and so on", path.display())]
    #[non_exhaustive]
    NotADevice {
        /// What was opened.
        path: PathBuf,
    },
    /// `ENOSYS` of open: `/sys`, where the kernel names its devices, is not there, so
    /// that nobody knows what was to be opened.
    #[error(
        "nobody knows whether {} is a pindma device, as sysfs is not mounted on /sys; mount it \
         (`mount -t sysfs sysfs /sys`), or give the container the host's",
        path.display()
    )]
    #[non_exhaustive]
    Unidentified {
        /// What was to be opened.
        path: PathBuf,
    },
    /// `EBUSY` of open: the device is open exclusively, or is open and an
    /// exclusive open was asked for.
    #[error(
        "{0} is in use, and one of the two wants it exclusively; wait or see who has it open \
         (`fuser {0}`)",
        path.display()
    )]
    #[non_exhaustive]
    InUse {
        /// What was opened.
        path: PathBuf,
    },

    /// `EINVAL`: an argument has a value that is never right.
    #[error("{field}{} is not valid: {}", place(*side, *segment), field.rule())]
    #[non_exhaustive]
    Invalid {
        /// Which argument.
        field: Field,
        /// The side of the segment that is meant.
        side: Side,
        /// The segment that is meant, if it is about one.
        segment: Option<u32>,
    },
    /// `ERANGE`: the device range does not lie inside the channel's memory.
    #[error(
        "{len} bytes at device address {at:#x} do not lie inside the memory of channel \
         {channel}{}",
        of(", which has bytes: ", *memory)
    )]
    #[non_exhaustive]
    Range {
        /// Channel that was asked for.
        channel: u32,
        /// Device address in bytes.
        at: u64,
        /// Length in bytes.
        len: u64,
        /// Bytes of memory that the channel has, if known.
        memory: Option<u64>,
    },
    /// `EMSGSIZE`: too many slices for one call.
    #[error("{given} slices are too many for one call{}; make several calls", of(", which takes at most ", *max))]
    #[non_exhaustive]
    TooManySegments {
        /// Slices that were given, on the side that has more.
        given: usize,
        /// Most that the device takes on either side, if known.
        max: Option<u64>,
    },
    /// `ENOENT` of a call: there is no such channel.
    #[error("there is no channel {channel}{}", of("; channels of the device, counted from 0: ", *channels))]
    #[non_exhaustive]
    NoChannel {
        /// Channel that was asked for.
        channel: u32,
        /// How many the device has, if known.
        channels: Option<u64>,
    },
    /// `EOPNOTSUPP`: the channel, or the loaded module, cannot do this.
    #[error("channel {channel} cannot do this ({field}); `pindma info` lists what it can")]
    #[non_exhaustive]
    Unsupported {
        /// Channel that was asked for.
        channel: u32,
        /// What it is that cannot be done.
        field: Field,
    },
    /// `ENOTTY` or `E2BIG`: the loaded module is older than this crate.
    #[error(
        "the loaded pindma module is older than this program and does not know the request; \
         update the module"
    )]
    OlderModule,

    /// `EFAULT`: user memory cannot be pinned.
    #[error(
        "memory at {address:#x} cannot be used ({}, after {pages_pinned} good pages): it is not \
         mapped, not accessible{}",
        segment_of(*side, *segment),
        match side { Side::Source => "", Side::Destination => ", or read-only" }
    )]
    #[non_exhaustive]
    Fault {
        /// The side of the segment.
        side: Side,
        /// The segment.
        segment: u32,
        /// The first address that cannot be used.
        address: u64,
        /// How many pages of the segment, from its start, could be pinned.
        pages_pinned: u64,
    },
    /// `ENOMEM`: pinning would exceed `RLIMIT_MEMLOCK`.
    #[error(
        "{needed} bytes must be locked, {used} are already, and the limit is {limit}; raise it \
         (`ulimit -l {}`, LimitMEMLOCK= of a service, limits.conf), or run with CAP_IPC_LOCK, or \
         transfer less at a time",
        kib(needed.saturating_add(*used))
    )]
    #[non_exhaustive]
    MemlockLimit {
        /// Bytes that had to be locked.
        needed: u64,
        /// Bytes that the user had locked already.
        used: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// `ENOMEM`: the kernel is out of memory, or an IOMMU of addresses.
    #[error(
        "the kernel is out of memory, or of I/O addresses for the device; free some, try again \
         when other calls have ended, or transfer less at a time"
    )]
    OutOfMemory,
    /// `ENOSPC`: the device's limit of pinned pages is reached, or bounce buffers
    /// have run out.
    #[error(
        "the device's limit of pinned pages is reached, or bounce buffers have run out; try again \
         when other calls have ended, or transfer less at a time (limits: `pindma info`, module \
         parameter max_pinned_pages, kernel parameter swiotlb=)"
    )]
    NoSpace,
    /// `ENOSPC` when something is made: this open file has as many regions,
    /// pools or queues as it may, or one of the limits of
    /// [`NoSpace`](Self::NoSpace) is reached.
    #[error(
        "this open file has as many regions, pools or queues as it may, or the device's limit of \
         pinned pages is reached, or bounce buffers have run out; drop some, or open the device \
         once more (limits: `pindma info`)"
    )]
    TooMany,
    /// `ENOSPC` of a write: the end of the device's memory.
    #[error("the end of the device's memory is reached; `pindma info` says how much it has")]
    EndOfMemory,
    /// `ENXIO`: memory is out of the device's reach and cannot be bounced.
    #[error(
        "memory {} lies in RAM beyond the address bits that the device drives, \
         and cannot be bounced; turn the IOMMU on (such as intel_iommu=on) or allow bounce \
         buffers (remove swiotlb=noforce) on the kernel's command line",
        whereabouts(*side, *spot)
    )]
    #[non_exhaustive]
    OutOfReach {
        /// The side of the segment.
        side: Side,
        /// The segment, and the first address that is out of reach, as this
        /// process sees it; if the kernel has said so.
        spot: Option<(u32, u64)>,
    },

    /// `ENOENT` of a call that names memory: it is not registered any more.
    #[error(
        "the region or pool is not registered any more, for somebody else who has the open file \
         has unregistered it; register it again"
    )]
    StaleHandle,
    /// `EPERM`: the region, queue or pool was made by another process.
    #[error(
        "the region or pool was made by another process; register memory in the process that \
         transfers it, or share the region"
    )]
    OtherProcess,
    /// `EPERM`: no memory cgroup could be charged with buffers so large.
    #[error(
        "contiguous buffers larger than the page allocator's largest are charged to no memory \
         cgroup; make them smaller, do without contiguous, or get CAP_SYS_RESOURCE"
    )]
    Uncharged,
    /// `EAGAIN` of mmap of a pool, after `mlockall(MCL_FUTURE)`.
    #[error(
        "all future mappings are locked (mlockall), and those of the pool would exceed \
         RLIMIT_MEMLOCK beside what is locked; raise the limit, or make the pool before mlockall"
    )]
    LockedMappings,
    /// The memory is registered with another open file.
    #[error(
        "the memory belongs to another open file, or another pool; use the device or pool that \
         it was made with"
    )]
    OtherFile,
    /// The device did not stop earlier and may still write to the memory.
    #[error(
        "the device did not stop when told to in an earlier call, and may still write to this \
         memory; it cannot be used again"
    )]
    Lost,
    /// `EOPNOTSUPP`: a region or pool was not made for transfers in this direction.
    #[error(
        "the region or pool was not made for this direction; register it with the access that the \
         transfer needs, or with both"
    )]
    WrongAccess,
    /// A channel of the device lacks
    /// [`WHEN_TOLD`](crate::ChannelCapabilities::WHEN_TOLD): memory that the device
    /// may write changes at any time.
    #[error(
        "the device writes to registered memory whenever it likes, so that no slice of it can be \
         lent; register it for reading by the device, or with the option `unasked`"
    )]
    WritesUnasked,
    /// A range is not inside a region, a block or a part of one.
    #[error("bytes {start} to {end} do not lie inside the memory, which has {len}")]
    #[non_exhaustive]
    OutsideMemory {
        /// First byte asked for.
        start: usize,
        /// The byte behind the last.
        end: usize,
        /// Bytes that there are.
        len: usize,
    },
    /// `ERANGE`: a range is not inside its region, as the kernel sees it.
    #[error("segment {segment} does not lie inside its region, or inside one buffer of its pool")]
    #[non_exhaustive]
    OutsideRegion {
        /// The segment.
        segment: u32,
    },
    /// A region cannot be unregistered while there are other parts of it.
    #[error(
        "there are other parts of the region, here or in a queue; unregister it when they have \
         been dropped or joined"
    )]
    InParts,
    /// `EBUSY`: a transfer of somebody else uses the region.
    #[error(
        "a transfer of another process uses the region; wait for it (`unregister_by`), or drop \
         the region, which leaks its memory"
    )]
    RegionInUse,
    /// `EBUSY`: a buffer of the pool is not the application's now.
    #[error("the buffer of the pool is not the application's now, or a transfer uses it")]
    NotOwned,
    /// `EBUSY` of a start: the pool is started already.
    #[error("the pool is started already; stop it before it is started in another way")]
    AlreadyStarted,
    /// `EAGAIN` of a submit: the queue has no room for another request.
    #[error("the queue is full; reap completions, then submit again")]
    QueueFull,
    /// Nothing can come from a pool, as the program holds all of its buffers.
    #[error(
        "the device has no buffer to work on, since the program holds all of them; drop or \
         enqueue some"
    )]
    NothingEnqueued,
    /// `EBADF`: the device was not opened for what was asked.
    #[error(
        "the file was not opened for this: open the device for writing to move data to it or to \
         copy, for reading to move data from it"
    )]
    NotOpenForThis,
    /// `EBADF`: a file is not of the kind that it should be.
    #[error("the file is not of the right kind; an eventfd is needed (eventfd(2))")]
    WrongFile,
    /// The runtime that watches the file was shut down.
    #[error(
        "the runtime that watches the file was shut down; nothing is lost: the queue or pool can \
         be waited for without it, or by another"
    )]
    NoRuntime,
    /// `ECANCELED`: the request was cancelled, or the pool stopped.
    #[error("it was cancelled, or the pool was stopped, before the device was done with it")]
    Cancelled,

    /// `EAGAIN`: the channel is busy, and the file is non-blocking.
    #[error("the channel is busy and the device was opened non-blocking; try again later")]
    Busy,
    /// `EINTR`: a signal came, or the process was stopped while data moved.
    /// Everything in flight was drained first; see
    /// [`Request`](crate::Request#when-a-call-ends-early) for how to go on.
    #[error("a signal came; the call can be made again for the rest")]
    Interrupted,
    /// `ETIMEDOUT`: the deadline passed, or one window took longer than the
    /// device's own limit.  Everything in flight was drained first.
    #[error(
        "the deadline passed, or the device took longer than the module's max_timeout_ms; \
         everything in flight was ended first"
    )]
    TimedOut,
    /// `ETIMEDOUT` of a wait: nothing came before its deadline.  That ends the wait
    /// and nothing else: requests, frames and transfers go on.
    #[error("nothing came before the deadline of the wait; what is in flight goes on")]
    NothingInTime,
    /// `EIO`: the device reported an error, or lost bus mastering.
    #[error(
        "the device reported an error or lost bus mastering; the kernel log says more (`dmesg`)"
    )]
    DeviceError,
    /// `ESTALE`: the device was reset since it was opened, or lost power as the
    /// system slept; what its memory holds is unknown.
    #[error(
        "the device was reset or lost power since it was opened, and what its memory holds is \
         unknown; open it again and send it what it needs to know"
    )]
    Reset,
    /// `ENODEV`: the device is gone; the file is good for nothing but close.
    #[error(
        "the device is gone (unplugged, or unbound from the driver); open it again when it is back"
    )]
    DeviceGone,
    /// `ENOTRECOVERABLE`: the device did not stop when told to, now or earlier.
    #[error(
        "the device did not stop when told to, now or in an earlier call, and is out of service; \
         memory it was using stays pinned; bind it again or power-cycle it (`dmesg` says more)"
    )]
    NotRecoverable,
    /// Any other error number.
    #[error("{}", io::Error::from_raw_os_error(*errno))]
    #[non_exhaustive]
    Other {
        /// The number.
        errno: i32,
    },
}

fn segment_of(side: Side, segment: u32) -> String {
    format!("segment {segment} of the {side}")
}

fn place(side: Side, segment: Option<u32>) -> String {
    segment.map_or(String::new(), |segment| {
        format!(" of {}", segment_of(side, segment))
    })
}

/// Which memory it is, as far as that is known.
fn whereabouts(side: Side, spot: Option<(u32, u64)>) -> String {
    match spot {
        Some((segment, address)) => format!("at {address:#x} ({})", segment_of(side, segment)),
        None => format!("of the {side}"),
    }
}

/// A limit in words, or nothing if it is not known.
fn of(words: &str, limit: Option<u64>) -> String {
    limit.map_or(String::new(), |limit| format!("{words}{limit}"))
}

/// The unit of `ulimit -l`.
fn kib(bytes: u64) -> u64 {
    bytes.div_ceil(1024)
}
