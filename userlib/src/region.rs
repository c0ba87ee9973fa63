// SPDX-License-Identifier: MIT OR GPL-2.0
//! Memory that is registered once and used many times.

mod info;
mod options;

use std::fmt;
use std::ops::{Deref, DerefMut, Range, RangeBounds};

use crate::error::{decode, Error, Operation};
use crate::ffi::part::Part;
use crate::ffi::registration::{Backing, Registration};
use crate::named::resolve;
use crate::{sys, Access, Buffer, Deadline, Device, Done, Refused, Request, Result};

pub use info::RegionInfo;
pub use options::RegionOptions;

/// Memory that is pinned, charged and mapped once, and used for transfers many
/// times without any of that.
///
/// It owns its bytes and lends them as a slice.  The device may touch them while
/// a call borrows the region, and while a [`Queue`](crate::Queue) owns it.
///
/// ```no_run
/// use pindma::{Access, Buffer, Device};
///
/// # fn main() -> Result<(), pindma::Error> {
/// let device = Device::open("/dev/pindma0")?;
/// let mut region = device.register(Buffer::huge(64 << 20)?, Access::BOTH)?;
/// region[..4].copy_from_slice(b"head");
/// region.send(..4096, 0)?;
/// region.receive(4096..8192, 0)?;
/// println!("{:?}", region.info()?);
/// let buffer = region.unregister()?;
/// # Ok(())
/// # }
/// ```
///
/// # Parts
///
/// [`split_at`](Self::split_at) and [`split_into`](Self::split_into) cut a region
/// into parts that are regions themselves and go their own ways, say into a
/// queue; the registration lasts as long as the last of them.
///
/// # When the device does not stop
///
/// A region that the device may write at any later time
/// ([`NotRecoverable`](crate::ErrorKind::NotRecoverable)) is *lost*: looking at
/// its bytes panics, and its memory is never freed.
///
/// # A device that writes on its own
///
/// The slices are sound only if the device writes when a transfer tells it to, as
/// its channels say ([`WHEN_TOLD`](crate::ChannelCapabilities::WHEN_TOLD)).  With
/// one that writes whenever it likes, memory that it may write is registered by
/// the `unsafe` option [`unasked`](RegionOptions::unasked) only.
pub struct Region {
    part: Part,
}

impl Region {
    /// For a registration that needs more than [`Device::register`].
    pub fn options() -> RegionOptions {
        RegionOptions::default()
    }

    pub(crate) fn register(
        device: &Device,
        memory: Backing,
        access: Access,
        options: RegionOptions,
    ) -> std::result::Result<Self, (Backing, Error)> {
        if let Err(error) = options.check(device.node(), access) {
            return Err((memory, error));
        }
        let flags = options.flags();
        match Registration::new(device.node(), memory, access.bits(), flags) {
            Ok(registration) => Ok(Self::whole(registration)),
            Err(rejected) => {
                let error =
                    decode::with_result(Operation::Register, rejected.errno, &rejected.result);
                Err((rejected.memory, error))
            }
        }
    }

    fn whole(registration: Registration) -> Self {
        Self {
            part: Part::whole(registration),
        }
    }

    pub(crate) fn part(&self) -> &Part {
        &self.part
    }

    pub(crate) fn part_mut(&mut self) -> &mut Part {
        &mut self.part
    }

    /// Has the device read `range` into its memory, from byte `at` on, over
    /// channel 0 and without a deadline; see [`Request::send_from`].
    ///
    /// # Errors
    ///
    /// See [`Request::send_from`].
    pub fn send(&self, range: impl RangeBounds<usize>, at: u64) -> Result<Done> {
        let node = self.part.node();
        Request::new(&node).dev_addr(at).send_from(self, range)
    }

    /// Has the device write `range` from its memory, from byte `at` on, over
    /// channel 0 and without a deadline; see [`Request::receive_into`].
    ///
    /// # Errors
    ///
    /// See [`Request::receive_into`].
    pub fn receive(&mut self, range: impl RangeBounds<usize>, at: u64) -> Result<Done> {
        let node = self.part.node();
        Request::new(&node).dev_addr(at).receive_into(self, range)
    }

    /// Two regions: up to byte `mid`, and from there on.
    ///
    /// # Panics
    ///
    /// If `mid` is beyond the end.
    #[must_use]
    pub fn split_at(self, mid: usize) -> (Self, Self) {
        let (head, tail) = self.part.split(mid);
        (Self { part: head }, Self { part: tail })
    }

    /// Regions of `len` bytes each, the last of them shorter if need be.
    ///
    /// # Panics
    ///
    /// If `len` is 0.
    #[must_use]
    pub fn split_into(self, len: usize) -> Vec<Self> {
        assert!(len > 0, "parts of a region have at least one byte");
        let mut parts = Vec::with_capacity(self.len().div_ceil(len));
        let mut rest = self;
        while rest.len() > len {
            let (head, tail) = rest.split_at(len);
            parts.push(head);
            rest = tail;
        }
        parts.push(rest);
        parts
    }

    /// Undoes a split: `tail` must begin where this ends.
    ///
    /// # Errors
    ///
    /// Both regions, if it does not.
    pub fn join(self, tail: Self) -> std::result::Result<Self, (Self, Self)> {
        match self.part.join(tail.part) {
            Ok(part) => Ok(Self { part }),
            Err((head, tail)) => Err((Self { part: head }, Self { part: tail })),
        }
    }

    /// Bytes that it has, also if it [is lost](Self::is_lost).
    #[must_use]
    pub fn len(&self) -> usize {
        self.part.len()
    }

    /// Whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes before this one in what was registered.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.part.start()
    }

    /// Whether the device may write to it at any later time, so that nobody may
    /// look at it any more.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.part.is_lost()
    }

    /// Where the bytes are.
    #[must_use]
    pub fn as_ptr(&self) -> *const u8 {
        self.part.raw().cast::<u8>().as_ptr()
    }

    /// What the registration turned out to be; all of it, also for a part.
    ///
    /// # Errors
    ///
    /// [`DeviceGone`](crate::ErrorKind::DeviceGone).
    pub fn info(&self) -> Result<RegionInfo> {
        let info = self.part.registration().info();
        info.map(|raw| RegionInfo::from(&raw))
            .map_err(|errno| decode::plain_call(Operation::RegionInfo, errno))
    }

    /// Makes what the device has written on its own visible to the CPU.
    /// Transfers do this by themselves.  Where memory is bounced, this is when
    /// the kernel writes it to the region.
    ///
    /// # Errors
    ///
    /// [`OutsideMemory`](crate::ErrorKind::OutsideMemory),
    /// [`DeviceGone`](crate::ErrorKind::DeviceGone).
    pub fn sync_for_cpu(&mut self, range: impl RangeBounds<usize>) -> Result<()> {
        self.sync(sys::PINDMA_SYNC_BEGIN_CPU, range)
    }

    /// Makes what the CPU has written visible to a device that reads on its own.
    /// Transfers do this by themselves.
    ///
    /// # Errors
    ///
    /// See [`sync_for_cpu`](Self::sync_for_cpu).
    pub fn sync_for_device(&self, range: impl RangeBounds<usize>) -> Result<()> {
        self.sync(sys::PINDMA_SYNC_END_CPU, range)
    }

    fn sync(&self, flags: u32, range: impl RangeBounds<usize>) -> Result<()> {
        let range = self.resolve(range);
        let range = self.part.absolute(&range);
        let range = range.map_err(|refusal| decode::refusal(Operation::Sync, refusal))?;
        if range.is_empty() {
            // To the kernel a length of 0 means the rest of the region.
            return Ok(());
        }
        let synced = self.part.registration().sync(flags, &range);
        synced.map_err(|errno| decode::plain_call(Operation::Sync, errno))
    }

    /// Ends the registration and returns the memory; an empty buffer if it was
    /// registered with [`register_foreign`](RegionOptions::register_foreign).
    ///
    /// # Errors
    ///
    /// The region, with [`InParts`](crate::ErrorKind::InParts) if there are
    /// other parts of it, [`RegionInUse`](crate::ErrorKind::RegionInUse) if
    /// another process transfers with it, or
    /// [`Lost`](crate::ErrorKind::Lost).
    pub fn unregister(self) -> std::result::Result<Buffer, Refused<Self>> {
        self.end(None)
    }

    /// The same, after waiting for transfers of other processes.
    ///
    /// # Errors
    ///
    /// See [`unregister`](Self::unregister); and
    /// [`NothingInTime`](crate::ErrorKind::NothingInTime),
    /// [`Interrupted`](crate::ErrorKind::Interrupted).
    pub fn unregister_by(self, deadline: Deadline) -> std::result::Result<Buffer, Refused<Self>> {
        self.end(Some(deadline.as_nanos()))
    }

    fn end(self, wait: Option<i64>) -> std::result::Result<Buffer, Refused<Self>> {
        let registration = match self.part.into_registration() {
            Ok(registration) => registration,
            Err(part) => {
                let error = decode::indivisible(part.is_lost());
                return Err(Refused::new(error, Self { part }));
            }
        };
        match registration.unregister(wait) {
            Ok(memory) => Ok(memory.into_buffer().unwrap_or_else(|| Vec::new().into())),
            Err((registration, errno)) => {
                let error = decode::plain_call(Operation::Unregister, errno);
                Err(Refused::new(error, Self::whole(registration)))
            }
        }
    }

    fn resolve(&self, range: impl RangeBounds<usize>) -> Range<usize> {
        resolve(&range, self.part.len())
    }
}

/// # Panics
///
/// If the region [is lost](Region::is_lost).
impl Deref for Region {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.part.bytes()
    }
}

/// # Panics
///
/// If the region [is lost](Region::is_lost).
impl DerefMut for Region {
    fn deref_mut(&mut self) -> &mut [u8] {
        self.part.bytes_mut()
    }
}

/// Says where and how long it is, not what is in it.
impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Region")
            .field("offset", &self.part.start())
            .field("len", &self.part.len())
            .field("lost", &self.part.is_lost())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
