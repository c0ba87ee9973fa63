// SPDX-License-Identifier: MIT OR GPL-2.0
//! What a device reads.

use std::io::IoSlice;
use std::ops::RangeBounds;
use std::slice;

use super::{refused_as, Request};
use crate::error::Operation;
use crate::ffi;
use crate::ffi::vector::Sources;
use crate::named::resolve;
use crate::{Done, Registered, Result, Source};

/// To the device.
impl Request<'_> {
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
        self.send_vectored(slice::from_ref(&IoSlice::new(from)))
    }

    /// The same, whatever signals come: it goes on where the kernel had ended the call
    /// for one.  The deadline stays what it was.
    ///
    /// # Errors
    ///
    /// See [`send`](Self::send), but for [`Interrupted`](crate::ErrorKind::Interrupted).
    pub fn send_all(&self, from: &[u8]) -> Result<Done> {
        self.send_all_vectored(slice::from_ref(&IoSlice::new(from)))
    }

    /// Has the device read the slices into its memory, one after the other.
    ///
    /// # Errors
    ///
    /// See [`send`](Self::send).
    pub fn send_vectored(&self, from: &[IoSlice<'_>]) -> Result<Done> {
        self.send_once(&Sources::slices(from))
    }

    /// The same, whatever signals come; see [`send_all`](Self::send_all).
    ///
    /// # Errors
    ///
    /// See [`send_all`](Self::send_all).
    pub fn send_all_vectored(&self, from: &[IoSlice<'_>]) -> Result<Done> {
        self.send_on(Sources::slices(from))
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
        let from = Sources::named(self.node, from, range);
        self.send_once(&from.map_err(refused_as(Operation::ToDevice))?)
    }

    /// The same, whatever signals come; see [`send_all`](Self::send_all).
    ///
    /// # Errors
    ///
    /// See [`send_from`](Self::send_from), but for
    /// [`Interrupted`](crate::ErrorKind::Interrupted).
    pub fn send_all_from(
        &self,
        from: &impl Registered,
        range: impl RangeBounds<usize>,
    ) -> Result<Done> {
        let range = resolve(&range, from.length());
        let from = Sources::named(self.node, from, range);
        self.send_on(from.map_err(refused_as(Operation::ToDevice))?)
    }

    /// Has the device read pieces into its memory, one after the other: slices, and
    /// ranges of regions and blocks, which are not pinned or mapped for it.
    ///
    /// # Errors
    ///
    /// See [`send_from`](Self::send_from).
    pub fn send_parts(&self, from: &[Source<'_>]) -> Result<Done> {
        let from = Sources::parts(self.node, from);
        self.send_once(&from.map_err(refused_as(Operation::ToDevice))?)
    }

    /// The same, whatever signals come; see [`send_all`](Self::send_all).
    ///
    /// # Errors
    ///
    /// See [`send_from`](Self::send_from), but for
    /// [`Interrupted`](crate::ErrorKind::Interrupted).
    pub fn send_all_parts(&self, from: &[Source<'_>]) -> Result<Done> {
        let from = Sources::parts(self.node, from);
        self.send_on(from.map_err(refused_as(Operation::ToDevice))?)
    }

    fn send_once(&self, from: &Sources<'_>) -> Result<Done> {
        let call = self.call(Operation::ToDevice, from.as_segs());
        self.finish(&call, &ffi::to_device(self.node, &self.params(), from))
    }

    fn send_on(&self, mut from: Sources<'_>) -> Result<Done> {
        self.go_on(from.bytes(), |rest, by| {
            from.advance(by);
            rest.send_once(&from)
        })
    }
}
