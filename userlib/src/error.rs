// SPDX-License-Identifier: MIT OR GPL-2.0
//! What can go wrong, with what the kernel said about it.

mod field;
mod kind;

pub(crate) mod decode;

use std::fmt;
use std::io;

pub use field::{Field, Side};
pub use kind::ErrorKind;

use crate::Done;

/// A call that failed, or ended before it was complete.
///
/// Its text says what to do next; [`kind`](Self::kind) is for programs.
///
/// ```no_run
/// # fn main() -> Result<(), pindma::Error> {
/// # let device = pindma::Device::open("/dev/pindma0")?;
/// use pindma::ErrorKind;
///
/// match device.send(&[7; 10_000], 0) {
///     Err(error) if *error.kind() == ErrorKind::TimedOut => {
///         println!("only {} bytes", error.bytes());
///     }
///     Err(error) => return Err(error), // its text says what to do next
///     Ok(done) => println!("{} bytes", done.bytes),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    operation: Operation,
    kind: ErrorKind,
    errno: i32,
    done: Done,
}

impl Error {
    /// What went wrong, with the details.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// What was tried.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// The kernel's error number, such as 4 for `EINTR`.
    #[must_use]
    pub fn errno(&self) -> i32 {
        self.errno
    }

    /// Bytes that were moved before: a contiguous prefix, counted from the
    /// start of the first slice.  What lies beyond in a destination is undefined.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.done.bytes
    }

    /// The error of a call that went on where others, which did this, had ended.
    pub(crate) fn after(self, before: Done) -> Self {
        let done = before.and(self.done);
        Self { done, ..self }
    }

    /// What was done before; all zero if the device was not told to work.
    #[must_use]
    pub fn done(&self) -> Done {
        self.done
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.kind)?;
        match self.bytes() {
            0 => Ok(()),
            bytes => write!(f, " ({bytes} bytes were moved before)"),
        }
    }
}

impl std::error::Error for Error {}

/// Keeps the [`Error`] as the source; the kind is the one of the error number.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = io::Error::from_raw_os_error(error.errno).kind();
        io::Error::new(kind, error)
    }
}

/// What was tried when an error came up.
///
/// ```no_run
/// # fn main() -> Result<(), pindma::Error> {
/// # let device = pindma::Device::open("/dev/pindma0")?;
/// use pindma::{Access, Deadline, Operation, Start};
///
/// let pool = device.pool(4096, 8, Access::WRITE)?;
/// pool.start(Start::from_device())?;
/// match pool.dequeue(Deadline::NONE) {
///     Err(error) if error.operation() == Operation::Run => {
///         println!("it has ended by itself: {}", error.kind());
///     }
///     frame => drop(frame?),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Looking for devices.
    List,
    /// Opening a device.
    Open,
    /// [`Device::info`](crate::Device::info).
    Info,
    /// [`Device::channel_info`](crate::Device::channel_info).
    ChannelInfo,
    /// [`Device::stats`](crate::Device::stats).
    Stats,
    /// A transfer from user memory to the device.
    ToDevice,
    /// A transfer from the device to user memory.
    FromDevice,
    /// A copy from user memory to user memory.
    Copy,
    /// Allocating a [`Buffer`](crate::Buffer).
    Allocate,
    /// Registering memory.
    Register,
    /// [`Region::unregister`](crate::Region::unregister).
    Unregister,
    /// [`Region::sync_for_cpu`](crate::Region::sync_for_cpu) and the like.
    Sync,
    /// [`Region::info`](crate::Region::info).
    RegionInfo,
    /// [`Device::queue`](crate::Device::queue).
    CreateQueue,
    /// [`Queue::submit`](crate::Queue::submit).
    Submit,
    /// [`Queue::next`](crate::Queue::next) and the like.
    Wait,
    /// [`Queue::cancel`](crate::Queue::cancel).
    Cancel,
    /// [`Queue::bind_eventfd`](crate::Queue::bind_eventfd).
    BindEventfd,
    /// Having a runtime watch a queue or a pool.
    Watch,
    /// A request of a queue, after it was submitted.
    Request,
    /// [`Device::pool`](crate::Device::pool).
    CreatePool,
    /// [`Pool::take`](crate::Pool::take).
    Take,
    /// [`Pool::enqueue`](crate::Pool::enqueue).
    Enqueue,
    /// [`Pool::dequeue`](crate::Pool::dequeue).
    Dequeue,
    /// [`Pool::start`](crate::Pool::start).
    Start,
    /// [`Pool::stop`](crate::Pool::stop).
    Stop,
    /// A buffer of a pool, after it was enqueued.
    Frame,
    /// What the device does with a pool between [`Pool::start`](crate::Pool::start)
    /// and its end.
    Run,
    /// [`Device::read_at`](crate::Device::read_at) and the like.
    Read,
    /// [`Device::write_at`](crate::Device::write_at) and the like.
    Write,
    /// Moving the position of the file.
    Seek,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::List => "list devices",
            Self::Open => "open",
            Self::Info => "device info",
            Self::ChannelInfo => "channel info",
            Self::Stats => "statistics",
            Self::ToDevice => "transfer to device",
            Self::FromDevice => "transfer from device",
            Self::Copy => "copy",
            Self::Allocate => "allocate a buffer",
            Self::Register => "register memory",
            Self::Unregister => "unregister memory",
            Self::Sync => "synchronise a region",
            Self::RegionInfo => "region info",
            Self::CreateQueue => "create a queue",
            Self::Submit => "submit",
            Self::Wait => "wait for completions",
            Self::Cancel => "cancel",
            Self::BindEventfd => "bind an eventfd",
            Self::Watch => "watch",
            Self::Request => "request",
            Self::CreatePool => "create a pool",
            Self::Take => "take a pool buffer",
            Self::Enqueue => "enqueue",
            Self::Dequeue => "dequeue",
            Self::Start => "start the pool",
            Self::Stop => "stop the pool",
            Self::Frame => "frame",
            Self::Run => "run of the pool",
            Self::Read => "read",
            Self::Write => "write",
            Self::Seek => "seek",
        })
    }
}
