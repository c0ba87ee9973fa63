// SPDX-License-Identifier: MIT OR GPL-2.0
//! Buffers that the kernel has allocated, and the device works on one after the
//! other.

mod options;

use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::Arc;

use rustix::io::Errno;

use crate::error::{decode, Operation};
use crate::ffi::claim::Claim;
use crate::ffi::pool::{Dequeued, Stock};
use crate::ffi::Refusal;
use crate::request::limit;
use crate::{Access, Block, Deadline, Frame, Frames, Refused, Result, Start};

pub use options::PoolOptions;

/// Buffers that the kernel has allocated, pinned and mapped for the device, and
/// that are mapped here.
///
/// A buffer is either the program's, as a [`Block`] that lends its bytes, or the
/// device's.  [`enqueue`](Self::enqueue) and [`dequeue`](Self::dequeue) change
/// that, and the kernel enforces it.
///
/// ```no_run
/// use pindma::{Access, Deadline, Device, Start};
///
/// # fn main() -> Result<(), pindma::Error> {
/// let device = Device::open("/dev/pindma0")?;
/// let pool = device.pool(4096, 16, Access::WRITE)?;
/// pool.enqueue_all()?;
/// pool.start(Start::from_device())?;
/// for _ in 0..1000 {
///     let Some(frame) = pool.dequeue(Deadline::NONE)? else { break };
///     println!("{} bytes, {} frames lost", frame.data().len(), frame.overruns);
///     pool.enqueue(frame.block)?;
/// }
/// pool.stop()?;
/// # Ok(())
/// # }
/// ```
///
/// [`frames`](Self::frames) does all of that.
///
/// Threads may share a pool.  It can be polled: it is readable when there are
/// buffers to dequeue, and has an error (`POLLERR`) when there are none and it is
/// not started.
///
/// Dropping a pool stops the device and waits for that.  Its memory lasts as long
/// as the last [`Block`], [`Frame`] or [`Lease`](crate::Lease) of it.
///
/// What the device writes does not set the soft-dirty bits of `/proc/PID/pagemap`:
/// who saves only what has changed must save pools whole.
pub struct Pool {
    stock: Arc<Stock>,
    access: Access,
}

impl Pool {
    fn new(stock: Stock, access: Access) -> Self {
        let stock = Arc::new(stock);
        Self { stock, access }
    }

    /// For a pool that needs more than [`Device::pool`](crate::Device::pool).
    pub fn options() -> PoolOptions {
        PoolOptions::default()
    }

    /// Buffers that there are.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.stock.count()
    }

    /// Bytes of a buffer: what was asked for, rounded up to whole pages.
    #[must_use]
    pub fn buffer_bytes(&self) -> usize {
        self.stock.buffer_bytes()
    }

    /// The buffer with that index, if it is the program's and nobody has it.
    ///
    /// # Errors
    ///
    /// [`DeviceGone`](crate::ErrorKind::DeviceGone).
    pub fn take(&self, index: u32) -> Result<Option<Block>> {
        let claim = self.stock.claim(index);
        claim
            .map(|claim| claim.map(Block::new))
            .map_err(|errno| decode::plain_call(Operation::Take, errno))
    }

    /// All buffers that are the program's and that nobody has: at first, all
    /// there are.
    ///
    /// # Errors
    ///
    /// See [`take`](Self::take).
    pub fn take_all(&self) -> Result<Vec<Block>> {
        let blocks = (0..self.count()).map(|index| self.take(index));
        blocks.filter_map(Result::transpose).collect()
    }

    /// Gives a buffer to the device, all of it.
    ///
    /// # Errors
    ///
    /// The block, with [`Lost`](crate::ErrorKind::Lost),
    /// [`OtherFile`](crate::ErrorKind::OtherFile) if it is another pool's, or
    /// [`DeviceGone`](crate::ErrorKind::DeviceGone).
    pub fn enqueue(&self, block: Block) -> std::result::Result<(), Refused<Block>> {
        self.enqueue_bytes(block, 0)
    }

    /// Gives a buffer to the device, which is to move its first `bytes`; 0: all.
    ///
    /// # Errors
    ///
    /// See [`enqueue`](Self::enqueue).
    pub fn enqueue_bytes(
        &self,
        block: Block,
        bytes: u64,
    ) -> std::result::Result<(), Refused<Block>> {
        match self.check(&block) {
            Ok(()) => block.enqueue(bytes),
            Err(error) => Err(Refused::new(error, block)),
        }
    }

    /// Whether a block can be given to the device.
    fn check(&self, block: &Block) -> Result<()> {
        let claim = block.claim();
        let allowed = match Arc::ptr_eq(claim.stock(), &self.stock) {
            true => claim.may_enqueue(),
            false => Err(Refusal::OtherFile),
        };
        allowed.map_err(|refusal| decode::refusal(Operation::Enqueue, refusal))
    }

    /// Gives the device all buffers that are the program's and that nobody has;
    /// how many there were.
    ///
    /// # Errors
    ///
    /// See [`enqueue`](Self::enqueue).
    pub fn enqueue_all(&self) -> Result<usize> {
        let mut blocks = self.take_all()?;
        let count = blocks.len();
        self.enqueue_batch(&mut blocks)?;
        Ok(count)
    }

    /// Gives buffers to the device, in order, with as few system calls as
    /// possible.  What it does not take stays in `blocks`.
    ///
    /// # Errors
    ///
    /// See [`enqueue`](Self::enqueue).
    pub fn enqueue_batch(&self, blocks: &mut Vec<Block>) -> Result<()> {
        blocks.iter().try_for_each(|block| self.check(block))?;
        let mut claims: Vec<_> = blocks.drain(..).map(Block::into_claim).collect();
        let enqueued = self.stock.enqueue_all(&mut claims);
        blocks.extend(claims.into_iter().map(Block::new));
        enqueued.map_err(|errno| decode::with_errno(Operation::Enqueue, errno))
    }

    /// Has the device work on the buffers that are enqueued, and on all that
    /// will be.
    ///
    /// # Errors
    ///
    /// [`AlreadyStarted`](crate::ErrorKind::AlreadyStarted),
    /// [`Invalid`](crate::ErrorKind::Invalid),
    /// [`Unsupported`](crate::ErrorKind::Unsupported),
    /// [`NoChannel`](crate::ErrorKind::NoChannel),
    /// [`Range`](crate::ErrorKind::Range),
    /// [`OutsideMemory`](crate::ErrorKind::OutsideMemory) (a frame is longer than
    /// a buffer), [`WrongAccess`](crate::ErrorKind::WrongAccess),
    /// [`DeviceGone`](crate::ErrorKind::DeviceGone).
    pub fn start(&self, start: Start) -> Result<()> {
        let raw = start.raw();
        let started = self.stock.start(&raw);
        started.map_err(|errno| {
            let limit = limit(self.stock.node(), raw.channel, errno.raw_os_error());
            decode::start(&raw, (self.buffer_bytes(), self.access), limit, errno)
        })
    }

    /// Has the device stop, and waits until it has.  What it had not begun with
    /// can be dequeued, as [`Cancelled`](crate::ErrorKind::Cancelled).
    ///
    /// # Errors
    ///
    /// [`Interrupted`](crate::ErrorKind::Interrupted), and it stops nevertheless;
    /// [`NotRecoverable`](crate::ErrorKind::NotRecoverable),
    /// [`DeviceGone`](crate::ErrorKind::DeviceGone).
    pub fn stop(&self) -> Result<Stopped> {
        let stopped = self.stock.stop();
        stopped
            .map(|(frames, overruns)| Stopped { frames, overruns })
            .map_err(|errno| decode::plain_call(Operation::Stop, errno))
    }

    pub(crate) fn is_running(&self) -> bool {
        self.stock.is_running()
    }

    /// Waits for the next buffer that the device is done with; `None` if there
    /// is none to wait for: the pool is stopped, or nothing is enqueued.
    ///
    /// # Errors
    ///
    /// Of [`Operation::Run`]: the run has ended by itself, for this reason, and
    /// nothing comes before the next start.  Else
    /// [`NothingInTime`](crate::ErrorKind::NothingInTime),
    /// [`Interrupted`](crate::ErrorKind::Interrupted),
    /// [`DeviceGone`](crate::ErrorKind::DeviceGone).
    pub fn dequeue(&self, deadline: Deadline) -> Result<Option<Frame>> {
        self.dequeue_one(1, deadline)
    }

    /// The next buffer that the device is done with, if there is one already.
    ///
    /// # Errors
    ///
    /// Those of [`dequeue`](Self::dequeue) but the first two kinds.
    pub fn try_dequeue(&self) -> Result<Option<Frame>> {
        self.dequeue_one(0, Deadline::default())
    }

    fn dequeue_one(&self, min: usize, deadline: Deadline) -> Result<Option<Frame>> {
        let mut next = Vec::with_capacity(1);
        self.dequeue_some(1, min, deadline, &mut next)?;
        Ok(next.pop())
    }

    /// Waits until the device is done with `min` buffers, and appends all that
    /// it is done with, at most 32, to `frames`; returns how many.  With a `min`
    /// of 0 it does not wait; 0 are returned if there is nothing to wait for.
    ///
    /// # Errors
    ///
    /// See [`dequeue`](Self::dequeue).
    pub fn dequeue_batch(
        &self,
        min: usize,
        deadline: Deadline,
        frames: &mut Vec<Frame>,
    ) -> Result<usize> {
        self.dequeue_some(usize::MAX, min, deadline, frames)
    }

    fn dequeue_some(
        &self,
        max: usize,
        min: usize,
        deadline: Deadline,
        into: &mut Vec<Frame>,
    ) -> Result<usize> {
        let mut sink = |claim: Claim, record| into.push(Frame::new(claim, &record));
        let dequeued = self.stock.dequeue(max, min, deadline.as_nanos(), &mut sink);
        count_of(&dequeued)
    }

    /// The next buffer that the device is done with, or `None` for good; nothing
    /// if one is to be waited for.
    pub(crate) fn attempt(&self) -> Result<Option<Option<Frame>>> {
        let mut next = None;
        let mut sink = |claim: Claim, record| next = Some(Frame::new(claim, &record));
        let dequeued = self.stock.dequeue(1, 0, 0, &mut sink);
        count_of(&dequeued)?;
        let idle = dequeued.left == 0 || dequeued.stopped;
        Ok(next.map(Some).or(idle.then_some(None)))
    }

    /// Enqueues all buffers, starts the device, and returns the frames as they
    /// come; dropping one gives its buffer back to the device.
    ///
    /// # Errors
    ///
    /// Those of [`enqueue_all`](Self::enqueue_all) and [`start`](Self::start).
    pub fn frames(&self, start: Start) -> Result<Frames<'_>> {
        Frames::new(self, start)
    }
}

/// How many buffers were taken back; none if there were none to wait for.
fn count_of(dequeued: &Dequeued) -> Result<usize> {
    match dequeued.count {
        Err(_) if dequeued.ended != 0 => Err(decode::with_errno(Operation::Run, dequeued.ended)),
        Err(Errno::AGAIN) => Ok(0),
        count => count.map_err(|errno| decode::plain_call(Operation::Dequeue, errno)),
    }
}

/// What a pool has done, from [`Pool::stop`].
///
/// ```no_run
/// # fn main() -> Result<(), pindma::Error> {
/// # let device = pindma::Device::open("/dev/pindma0")?;
/// use pindma::{Access, Start};
///
/// let pool = device.pool(4096, 4, Access::WRITE)?;
/// pool.enqueue_all()?;
/// pool.start(Start::from_device().lossy(true))?;
/// let stopped = pool.stop()?;
/// println!("{} frames, {} of them lost", stopped.frames, stopped.overruns);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stopped {
    /// Frames since the start, lost ones counted as well.
    pub frames: u64,
    /// Frames lost since the start.
    pub overruns: u64,
}

/// Blocks that are still out keep the memory, but the device is done with it.
impl Drop for Pool {
    fn drop(&mut self) {
        // One that was never started, or whose device is gone, cannot be stopped.
        let _ = self.stop();
    }
}

impl AsFd for Pool {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stock.as_fd()
    }
}

impl AsRawFd for Pool {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("count", &self.count())
            .field("buffer_bytes", &self.buffer_bytes())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
