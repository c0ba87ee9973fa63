// SPDX-License-Identifier: MIT OR GPL-2.0
//! A pool at work, as an iterator.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use crate::error::{decode, Operation};
use crate::{Block, Deadline, Error, ErrorKind, Frame, Pool, Result, Start, Stopped};

/// The frames of a pool as they come, from [`Pool::frames`].
///
/// Each is a [`Lease`]: when it is dropped, its buffer goes back to the device.
/// While the program holds the leases of all buffers there is nothing to come,
/// which is the error [`NothingEnqueued`](crate::ErrorKind::NothingEnqueued).
/// The iterator ends when the pool is stopped elsewhere, and after a run that has
/// ended by itself: its last item is the error that says why.
///
/// ```no_run
/// use std::time::Duration;
/// use pindma::{Access, Device, Start};
///
/// # fn main() -> Result<(), pindma::Error> {
/// # let device = Device::open("/dev/pindma0")?;
/// let pool = device.pool(4096, 16, Access::WRITE)?;
/// let start = Start::from_device().lossy(true);
/// for frame in pool.frames(start)?.timeout(Duration::from_secs(1)).take(1000) {
///     let frame = frame?;
///     if frame.overruns > 0 {
///         println!("{} frames lost before {}", frame.overruns, frame.sequence);
///     }
///     // ... frame.data() ...
/// }
/// # Ok(())
/// # }
/// ```
///
/// Dropping the iterator stops the device, and waits for that.
#[derive(Debug)]
pub struct Frames<'p> {
    pool: &'p Pool,
    timeout: Option<Duration>,
    running: bool,
    /// Whether it was told why the run has ended.
    told: bool,
}

impl<'p> Frames<'p> {
    pub(crate) fn new(pool: &'p Pool, start: Start) -> Result<Self> {
        pool.enqueue_all()?;
        pool.start(start)?;
        Ok(Self {
            pool,
            timeout: None,
            running: true,
            told: false,
        })
    }

    /// How long to wait for a frame before it is
    /// [`NothingInTime`](crate::ErrorKind::NothingInTime); the next call waits again.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Stops the device and says what it has done.
    ///
    /// # Errors
    ///
    /// See [`Pool::stop`].
    pub fn stop(mut self) -> Result<Stopped> {
        self.end()
    }

    fn end(&mut self) -> Result<Stopped> {
        self.running = false;
        let stopped = self.halt();
        // What the device had not begun with becomes the program's again.
        while let Ok(Some(frame)) = self.pool.try_dequeue() {
            drop(frame);
        }
        stopped
    }

    /// Stops the device, whatever signals come meanwhile.
    fn halt(&self) -> Result<Stopped> {
        loop {
            match self.pool.stop() {
                Err(error) if is_signal(&error) => {}
                stopped => return stopped,
            }
        }
    }

    /// What to hand out of a frame; nothing of one that an orderly stop has sent
    /// back.
    fn lease(frame: Frame) -> Option<Result<Lease>> {
        let orderly = frame.result.as_ref().is_err_and(is_cancelled);
        (!orderly).then(|| Lease::new(frame))
    }

    /// The error of a call; once only if it is the end of the run.
    fn tell(&mut self, error: Error) -> Option<Result<Lease>> {
        let end = error.operation() == Operation::Run;
        let known = end && std::mem::replace(&mut self.told, end);
        (!known).then_some(Err(error))
    }
}

impl Iterator for Frames<'_> {
    type Item = Result<Lease>;

    fn next(&mut self) -> Option<Self::Item> {
        let deadline = self.timeout.map_or(Deadline::NONE, Deadline::after);
        loop {
            match self.pool.dequeue(deadline) {
                Ok(Some(frame)) => match Self::lease(frame) {
                    None => {}
                    lease => return lease,
                },
                Ok(None) if self.pool.is_running() => return Some(Err(decode::nothing_enqueued())),
                Ok(None) => return None,
                Err(error) => return self.tell(error),
            }
        }
    }
}

fn is_signal(error: &Error) -> bool {
    *error.kind() == ErrorKind::Interrupted
}

fn is_cancelled(error: &Error) -> bool {
    *error.kind() == ErrorKind::Cancelled
}

impl Drop for Frames<'_> {
    fn drop(&mut self) {
        if self.running {
            // There is nobody to tell; the pool says so again when it is used.
            let _ = self.end();
        }
    }
}

/// A frame whose buffer goes back to the device when it is dropped, unless the
/// pool has been stopped by then.
///
/// It can go to another thread or task, as a [`Block`] can.
///
/// ```no_run
/// # fn main() -> Result<(), pindma::Error> {
/// # let device = pindma::Device::open("/dev/pindma0")?;
/// use pindma::{Access, Start};
///
/// let pool = device.pool(4096, 4, Access::WRITE)?;
/// for lease in pool.frames(Start::from_device())? {
///     let lease = lease?;
///     if lease.data().starts_with(b"last") {
///         let frame = lease.keep(); // does not go back
///         println!("{:?}", frame.block);
///         break;
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Lease {
    /// `None` only while it is dropped or kept.
    frame: Option<Frame>,
}

impl Lease {
    /// The lease of a frame; or its error, and then the buffer goes back at once.
    fn new(frame: Frame) -> Result<Self> {
        let result = frame.result.clone();
        let lease = Self { frame: Some(frame) };
        result.map(|()| lease)
    }

    /// The frame for good; its buffer does not go back by itself.
    pub fn keep(mut self) -> Frame {
        self.frame.take().unwrap_or_else(|| unreachable!())
    }
}

impl Deref for Lease {
    type Target = Frame;

    fn deref(&self) -> &Frame {
        self.frame.as_ref().unwrap_or_else(|| unreachable!())
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Frame {
        self.frame.as_mut().unwrap_or_else(|| unreachable!())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let block = self.frame.take().map(|frame| frame.block);
        if let Some(block) = block.filter(Block::is_wanted) {
            // What the device does not take stays with the program.
            let _ = block.enqueue(0);
        }
    }
}

#[cfg(test)]
mod tests;
