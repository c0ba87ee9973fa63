// SPDX-License-Identifier: MIT OR GPL-2.0
//! Transfers and copies.

use std::io::{IoSlice, IoSliceMut};
use std::ops::RangeBounds;
use std::time::Duration;

use rustix::io::Errno;

use crate::error::decode::{self, Call};
use crate::error::Operation;
use crate::ffi::{self, Outcome, Params};
use crate::named::{resolve, Registered};
use crate::node::Node;
use crate::{sys, Deadline, Done, ErrorKind, Result};

/// A transfer or a copy to be made, from [`Device::request`](crate::Device::request).
///
/// It says where and until when; the memory is an argument of the call that
/// ends it.  It can be used again.
///
/// ```no_run
/// use std::io::{IoSlice, IoSliceMut};
/// use std::time::Duration;
///
/// # fn main() -> Result<(), pindma::Error> {
/// # let device = pindma::Device::open("/dev/pindma0")?;
/// let request = device
///     .request()
///     .dev_addr(0x100)
///     .timeout(Duration::from_secs(1));
/// let (head, body) = ([1u8; 16], vec![2u8; 1000]);
/// request.send_vectored(&[IoSlice::new(&head), IoSlice::new(&body)])?;
///
/// let mut whole = vec![0u8; 1016];
/// let done = request.receive_vectored(&mut [IoSliceMut::new(&mut whole)])?;
/// println!("{} bytes in {} pages", done.bytes, done.pages);
/// # Ok(())
/// # }
/// ```
///
/// # When a call ends early
///
/// An [`Error`](crate::Error) of a call that had started says how far it came:
/// [`bytes`](crate::Error::bytes) counts from the start of the first slice, and
/// what lies beyond in a destination is undefined.  After
/// [`Interrupted`](crate::ErrorKind::Interrupted) a program may look at what the
/// handler of the signal has left, and go on from there; [`send_all`](Self::send_all),
/// [`receive_all`](Self::receive_all) and [`copy_all`](Self::copy_all) always do.
#[derive(Clone, Copy, Debug)]
#[must_use = "a request does nothing before a call such as send"]
pub struct Request<'a> {
    node: &'a Node,
    channel: u32,
    dev_addr: u64,
    fixed: bool,
    deadline: Deadline,
    /// `PINDMA_MAY_COPY`, `PINDMA_MUST_COPY` or nothing.
    copying: u32,
}

impl<'a> Request<'a> {
    pub(crate) fn new(node: &'a Node) -> Self {
        Self {
            node,
            channel: 0,
            dev_addr: 0,
            fixed: false,
            deadline: Deadline::NONE,
            copying: 0,
        }
    }

    /// The channel to use, 0 unless said; for a copy the one whose memory is
    /// the staging window.
    pub fn channel(mut self, channel: u32) -> Self {
        self.channel = channel;
        self
    }

    /// Where in the channel's memory a transfer begins, in bytes, 0 unless
    /// said.  A copy has no such place and refuses any other value than 0.
    pub fn dev_addr(mut self, dev_addr: u64) -> Self {
        self.dev_addr = dev_addr;
        self
    }

    /// Whether the device address stays where it is while data goes by, as for
    /// a FIFO; only for channels with
    /// [`FIXED`](crate::ChannelCapabilities::FIXED), and not for a copy.
    pub fn fixed(mut self, fixed: bool) -> Self {
        self.fixed = fixed;
        self
    }

    /// When to give up; [`Deadline::NONE`] unless said.
    pub fn deadline(mut self, deadline: Deadline) -> Self {
        self.deadline = deadline;
        self
    }

    /// Gives up `timeout` from now.  It is now that the time begins, so a
    /// request that is used again does not get more of it.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.deadline(Deadline::after(timeout))
    }

    /// Allows the CPU to copy, through a buffer of the kernel's: memory that
    /// cannot be pinned or mapped, and transfers that are so short that pinning
    /// costs more ([`Info::copy_below`](crate::Info::copy_below)).
    /// [`Done::copied`] tells which way it went.  Not for a copy.
    pub fn may_copy(mut self) -> Self {
        self.copying = sys::PINDMA_MAY_COPY;
        self
    }

    /// Has the CPU copy everything, so that nothing is pinned, and the device
    /// only ever sees a buffer of the kernel's.  Not for a copy.
    pub fn must_copy(mut self) -> Self {
        self.copying = sys::PINDMA_MUST_COPY;
        self
    }

    /// Has the device read `from` into its memory.
    ///
    /// Returns once all of it has been read.
    ///
    /// # Errors
    ///
    /// - Nothing started: [`Invalid`](crate::ErrorKind::Invalid) (`from` is
    ///   empty), [`Range`](crate::ErrorKind::Range),
    ///   [`TooManySegments`](crate::ErrorKind::TooManySegments),
    ///   [`NoChannel`](crate::ErrorKind::NoChannel),
    ///   [`Unsupported`](crate::ErrorKind::Unsupported),
    ///   [`Busy`](crate::ErrorKind::Busy).
    /// - At any point: [`Fault`](crate::ErrorKind::Fault),
    ///   [`MemlockLimit`](crate::ErrorKind::MemlockLimit),
    ///   [`OutOfMemory`](crate::ErrorKind::OutOfMemory),
    ///   [`NoSpace`](crate::ErrorKind::NoSpace),
    ///   [`OutOfReach`](crate::ErrorKind::OutOfReach),
    ///   [`Interrupted`](crate::ErrorKind::Interrupted),
    ///   [`TimedOut`](crate::ErrorKind::TimedOut),
    ///   [`DeviceError`](crate::ErrorKind::DeviceError),
    ///   [`DeviceGone`](crate::ErrorKind::DeviceGone).
    /// - [`NotRecoverable`](crate::ErrorKind::NotRecoverable): the device did
    ///   not stop; it may go on reading `from`.
    pub fn send(&self, from: &[u8]) -> Result<Done> {
        self.send_vectored(&[IoSlice::new(from)])
    }

    /// The same, whatever signals come: it goes on where the kernel had ended the call
    /// for one.  The deadline stays what it was.
    ///
    /// # Errors
    ///
    /// See [`send`](Self::send), but for [`Interrupted`](crate::ErrorKind::Interrupted).
    pub fn send_all(&self, from: &[u8]) -> Result<Done> {
        self.go_on(|rest, done| rest.advanced(done).send(&from[done..]))
    }

    /// Has the device read the slices into its memory, one after the other.
    ///
    /// # Errors
    ///
    /// See [`send`](Self::send).
    pub fn send_vectored(&self, from: &[IoSlice<'_>]) -> Result<Done> {
        let call = self.call(Operation::ToDevice, total(from), from.len());
        self.finish(&call, &ffi::to_device(self.node, &self.params(), from))
    }

    /// Has the device write its memory to `to`.
    ///
    /// Returns once all of it has been written.
    ///
    /// # Errors
    ///
    /// Those of [`send`](Self::send), but see below for the last.
    ///
    /// # Aborts
    ///
    /// If the device does not stop when told to, so that `to` may change at any
    /// later time; see [the crate's documentation](crate#soundness).
    pub fn receive(&self, to: &mut [u8]) -> Result<Done> {
        self.receive_vectored(&mut [IoSliceMut::new(to)])
    }

    /// The same, whatever signals come; see [`send_all`](Self::send_all).
    ///
    /// # Errors
    ///
    /// See [`receive`](Self::receive), but for
    /// [`Interrupted`](crate::ErrorKind::Interrupted).
    ///
    /// # Aborts
    ///
    /// See [`receive`](Self::receive).
    pub fn receive_all(&self, to: &mut [u8]) -> Result<Done> {
        self.go_on(|rest, done| rest.advanced(done).receive(&mut to[done..]))
    }

    /// Has the device write its memory to the slices, one after the other.
    ///
    /// # Errors
    ///
    /// See [`receive`](Self::receive).
    ///
    /// # Aborts
    ///
    /// See [`receive`](Self::receive).
    pub fn receive_vectored(&self, to: &mut [IoSliceMut<'_>]) -> Result<Done> {
        let call = self.call(Operation::FromDevice, total(to), to.len());
        self.finish(&call, &ffi::from_device(self.node, &self.params(), to))
    }

    /// Has the device read a range, in bytes, of a region or a pool's block into
    /// its memory; nothing is pinned or mapped for it.
    ///
    /// # Errors
    ///
    /// Those of [`send`](Self::send);
    /// [`OutsideMemory`](crate::ErrorKind::OutsideMemory),
    /// [`OtherFile`](crate::ErrorKind::OtherFile) if it is registered with
    /// another device, [`WrongAccess`](crate::ErrorKind::WrongAccess),
    /// [`StaleHandle`](crate::ErrorKind::StaleHandle),
    /// [`Lost`](crate::ErrorKind::Lost).
    pub fn send_from(
        &self,
        from: &impl Registered,
        range: impl RangeBounds<usize>,
    ) -> Result<Done> {
        let range = resolve(&range, from.length());
        let call = self.call(Operation::ToDevice, range.len() as u64, 1);
        let outcome = ffi::named::to_device_named(self.node, &self.params(), from, range);
        let outcome = outcome.map_err(|refusal| decode::refusal(Operation::ToDevice, refusal))?;
        self.finish(&call, &outcome)
    }

    /// Has the device write its memory to a range, in bytes, of a region or a
    /// pool's block; nothing is pinned or mapped for it.
    ///
    /// # Errors
    ///
    /// Those of [`send_from`](Self::send_from).  After
    /// [`NotRecoverable`](crate::ErrorKind::NotRecoverable) the region or block
    /// is lost: nobody can look at it any more, and it is never freed.
    pub fn receive_into(
        &self,
        to: &mut impl Registered,
        range: impl RangeBounds<usize>,
    ) -> Result<Done> {
        let range = resolve(&range, to.length());
        let call = self.call(Operation::FromDevice, range.len() as u64, 1);
        let outcome = ffi::named::from_device_named(self.node, &self.params(), to, range);
        let outcome = outcome.map_err(|refusal| decode::refusal(Operation::FromDevice, refusal))?;
        self.finish(&call, &outcome)
    }

    /// Has the device copy `from` to `to`, by way of its memory.
    ///
    /// What this overwrites of the device's memory is the
    /// [`copy_window`](crate::ChannelInfo::copy_window) of the channel.
    ///
    /// # Errors
    ///
    /// Those of [`receive`](Self::receive);
    /// [`Invalid`](crate::ErrorKind::Invalid) also if the two are not equally
    /// long.
    ///
    /// # Aborts
    ///
    /// See [`receive`](Self::receive).
    pub fn copy(&self, from: &[u8], to: &mut [u8]) -> Result<Done> {
        self.copy_vectored(&[IoSlice::new(from)], &mut [IoSliceMut::new(to)])
    }

    /// The same, whatever signals come; see [`send_all`](Self::send_all).  What was on
    /// its way through the device's memory is then copied anew, so signals have to
    /// leave some time for that.
    ///
    /// # Errors
    ///
    /// See [`copy`](Self::copy), but for [`Interrupted`](crate::ErrorKind::Interrupted).
    ///
    /// # Aborts
    ///
    /// See [`receive`](Self::receive).
    pub fn copy_all(&self, from: &[u8], to: &mut [u8]) -> Result<Done> {
        self.go_on(|rest, done| match from.get(done..) {
            Some(from) => rest.copy(from, &mut to[done..]),
            None => rest.copy(from, to),
        })
    }

    /// Has the device copy the slices on one side to those on the other, which
    /// need not be cut alike, by way of its memory.
    ///
    /// # Errors
    ///
    /// See [`copy`](Self::copy).
    ///
    /// # Aborts
    ///
    /// See [`receive`](Self::receive).
    pub fn copy_vectored(&self, from: &[IoSlice<'_>], to: &mut [IoSliceMut<'_>]) -> Result<Done> {
        let segments = from.len().max(to.len());
        let call = self.call(Operation::Copy, total(from), segments);
        self.finish(&call, &self.start_copy(from, to))
    }

    /// Makes a call, and again for what is left whenever a signal ends it; the call is
    /// told how many bytes were moved before.
    fn go_on(&self, mut call: impl FnMut(&Self, usize) -> Result<Done>) -> Result<Done> {
        let mut before = Done::default();
        loop {
            match call(self, before.bytes as usize) {
                Ok(done) => return Ok(before.and(done)),
                Err(error) if *error.kind() == ErrorKind::Interrupted => {
                    before = before.and(error.done());
                }
                Err(error) => return Err(error.after(before)),
            }
        }
    }

    /// The request for what is left after so many bytes.
    fn advanced(&self, done: usize) -> Self {
        let by = match done {
            0 => 0,
            _ if self.fixed || self.is_stream() => 0,
            done => done as u64,
        };
        let dev_addr = self.dev_addr.saturating_add(by);
        Self { dev_addr, ..*self }
    }

    /// Whether the channel has no addresses.
    fn is_stream(&self) -> bool {
        let info = ffi::channel_info(self.node, self.channel);
        info.is_ok_and(|info| info.out_kind == sys::PINDMA_CHANNEL_STREAM)
    }

    fn start_copy(&self, from: &[IoSlice<'_>], to: &mut [IoSliceMut<'_>]) -> Outcome {
        // The kernel has no field for these in a copy, so nobody else objects.
        if self.dev_addr != 0 {
            return refused(sys::PINDMA_FIELD_DEV_ADDR);
        }
        if self.fixed {
            return refused(sys::PINDMA_FIELD_DEV_FLAGS);
        }
        if self.copying != 0 {
            return refused(sys::PINDMA_FIELD_FLAGS);
        }
        ffi::copy(self.node, &self.params(), from, to)
    }

    fn params(&self) -> Params {
        Params {
            flags: self.copying,
            channel: self.channel,
            dev_flags: if self.fixed { sys::PINDMA_DEV_FIXED } else { 0 },
            dev_addr: self.dev_addr,
            deadline: self.deadline.as_nanos(),
        }
    }

    fn call(&self, operation: Operation, bytes: u64, segments: usize) -> Call {
        Call {
            channel: self.channel,
            dev_addr: self.dev_addr,
            bytes,
            segments,
            ..Call::of(operation)
        }
    }

    fn finish(&self, call: &Call, outcome: &Outcome) -> Result<Done> {
        if outcome.errno == 0 {
            return Ok(Done::from(&outcome.result));
        }
        let call = Call {
            limit: limit(self.node, self.channel, outcome.errno),
            ..*call
        };
        Err(decode::call(&call, outcome.errno, &outcome.result))
    }
}

/// The limit that an error is about, as far as the kernel tells.
pub(crate) fn limit(node: &Node, channel: u32, errno: i32) -> Option<u64> {
    match Errno::from_raw_os_error(errno) {
        Errno::MSGSIZE => Some(ffi::info(node).ok()?.out_max_segs.into()),
        Errno::NOENT => Some(ffi::info(node).ok()?.out_channels.into()),
        Errno::RANGE => Some(ffi::channel_info(node, channel).ok()?.out_mem_bytes),
        _ => None,
    }
}

fn refused(field: sys::pindma_field) -> Outcome {
    let result = sys::pindma_result {
        field,
        ..Default::default()
    };
    Outcome {
        errno: Errno::INVAL.raw_os_error(),
        started: false,
        result,
    }
}

/// Sum of the lengths in bytes.
fn total<T: std::ops::Deref<Target = [u8]>>(slices: &[T]) -> u64 {
    let lengths = slices.iter().map(|slice| slice.len() as u64);
    lengths.fold(0, u64::saturating_add)
}
