// SPDX-License-Identifier: MIT OR GPL-2.0
//! What a device writes.

use std::io::IoSliceMut;
use std::ops::RangeBounds;
use std::slice;

use super::{refused_as, Request};
use crate::error::Operation;
use crate::ffi;
use crate::ffi::vector::Destinations;
use crate::named::resolve;
use crate::{Destination, Done, Registered, Result};

/// From the device.
impl Request<'_> {
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
        self.receive_vectored(slice::from_mut(&mut IoSliceMut::new(to)))
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
        self.receive_all_vectored(slice::from_mut(&mut IoSliceMut::new(to)))
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
        self.receive_once(&mut Destinations::slices(to))
    }

    /// The same, whatever signals come; see [`send_all`](Self::send_all).
    ///
    /// # Errors
    ///
    /// See [`receive_all`](Self::receive_all).
    ///
    /// # Aborts
    ///
    /// See [`receive`](Self::receive).
    pub fn receive_all_vectored(&self, to: &mut [IoSliceMut<'_>]) -> Result<Done> {
        self.receive_on(Destinations::slices(to))
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
        let to = Destinations::named(self.node, to, range);
        self.receive_once(&mut to.map_err(refused_as(Operation::FromDevice))?)
    }

    /// The same, whatever signals come; see [`send_all`](Self::send_all).
    ///
    /// # Errors
    ///
    /// See [`receive_into`](Self::receive_into), but for
    /// [`Interrupted`](crate::ErrorKind::Interrupted).
    pub fn receive_all_into(
        &self,
        to: &mut impl Registered,
        range: impl RangeBounds<usize>,
    ) -> Result<Done> {
        let range = resolve(&range, to.length());
        let to = Destinations::named(self.node, to, range);
        self.receive_on(to.map_err(refused_as(Operation::FromDevice))?)
    }

    /// Has the device write its memory to pieces, one after the other: slices, and
    /// ranges of regions and blocks, which are not pinned or mapped for it.
    ///
    /// # Errors
    ///
    /// See [`receive_into`](Self::receive_into).
    ///
    /// # Aborts
    ///
    /// If there are slices, see [`receive`](Self::receive).
    pub fn receive_parts(&self, to: &mut [Destination<'_>]) -> Result<Done> {
        let to = Destinations::parts(self.node, to);
        self.receive_once(&mut to.map_err(refused_as(Operation::FromDevice))?)
    }

    /// The same, whatever signals come; see [`send_all`](Self::send_all).
    ///
    /// # Errors
    ///
    /// See [`receive_into`](Self::receive_into), but for
    /// [`Interrupted`](crate::ErrorKind::Interrupted).
    ///
    /// # Aborts
    ///
    /// If there are slices, see [`receive`](Self::receive).
    pub fn receive_all_parts(&self, to: &mut [Destination<'_>]) -> Result<Done> {
        let to = Destinations::parts(self.node, to);
        self.receive_on(to.map_err(refused_as(Operation::FromDevice))?)
    }

    fn receive_once(&self, to: &mut Destinations<'_, '_>) -> Result<Done> {
        let call = self.call(Operation::FromDevice, to.as_segs());
        self.finish(&call, &ffi::from_device(self.node, &self.params(), to))
    }

    fn receive_on(&self, mut to: Destinations<'_, '_>) -> Result<Done> {
        self.go_on(to.bytes(), |rest, by| {
            to.advance(by);
            rest.receive_once(&mut to)
        })
    }
}
