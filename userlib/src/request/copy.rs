// SPDX-License-Identifier: MIT OR GPL-2.0
//! Copies by way of a device.

use std::io::{IoSlice, IoSliceMut};
use std::slice;

use rustix::io::Errno;

use super::Request;
use crate::error::decode::Call;
use crate::error::Operation;
use crate::ffi::vector::{Destinations, Sources};
use crate::ffi::{self, Outcome};
use crate::{sys, Done, Result};

/// From memory to memory.
impl Request<'_> {
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
        self.copy_vectored(
            slice::from_ref(&IoSlice::new(from)),
            slice::from_mut(&mut IoSliceMut::new(to)),
        )
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
        self.copy_all_vectored(
            slice::from_ref(&IoSlice::new(from)),
            slice::from_mut(&mut IoSliceMut::new(to)),
        )
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
        self.copy_once(&Sources::slices(from), &mut Destinations::slices(to))
    }

    /// The same, whatever signals come; see [`copy_all`](Self::copy_all).
    ///
    /// # Errors
    ///
    /// See [`copy_all`](Self::copy_all).
    ///
    /// # Aborts
    ///
    /// See [`receive`](Self::receive).
    pub fn copy_all_vectored(
        &self,
        from: &[IoSlice<'_>],
        to: &mut [IoSliceMut<'_>],
    ) -> Result<Done> {
        self.copy_on(Sources::slices(from), Destinations::slices(to))
    }

    fn copy_once(&self, from: &Sources<'_>, to: &mut Destinations<'_, '_>) -> Result<Done> {
        let (source, destination) = (from.as_segs(), to.as_segs());
        let call = Call {
            segments: source.len().max(destination.len()),
            ..self.call(Operation::Copy, source)
        };
        self.finish(&call, &self.start_copy(from, to))
    }

    fn copy_on(&self, mut from: Sources<'_>, mut to: Destinations<'_, '_>) -> Result<Done> {
        self.go_on(from.bytes(), |_, by| {
            from.advance(by);
            to.advance(by);
            self.copy_once(&from, &mut to)
        })
    }

    fn start_copy(&self, from: &Sources<'_>, to: &mut Destinations<'_, '_>) -> Outcome {
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
