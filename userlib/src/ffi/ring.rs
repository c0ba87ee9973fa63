// SPDX-License-Identifier: MIT OR GPL-2.0
//! The kernel's side of a queue: what goes in, what comes back.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;
use rustix::ioctl::Opcode;

use super::segments::{Describe, Segs};
use super::slots::{Flight, Slots};
use super::{address, call, Refusal};
use crate::node::{Node, Port};
use crate::{sys, Direction, Transfer};

const CREATE: Opcode = sys::PINDMA_QUEUE_CREATE as Opcode;
const SUBMIT: Opcode = sys::PINDMA_SUBMIT as Opcode;
const WAIT: Opcode = sys::PINDMA_QUEUE_WAIT as Opcode;
const CANCEL: Opcode = sys::PINDMA_QUEUE_CANCEL as Opcode;
const EVENTFD: Opcode = sys::PINDMA_QUEUE_EVENTFD as Opcode;

/// Entries or completions that one call moves at most.
pub(crate) const BATCH: usize = 32;

/// A queue of the kernel, and the memory that is away through it.
///
/// # Invariants
///
/// Memory is in `slots` from before the kernel hears of it until the kernel has
/// said, by its completion or by not taking it, that the device is done with it.
pub(crate) struct Ring<M> {
    node: Arc<Node>,
    port: Port,
    slots: Mutex<Slots<M>>,
}

/// Why a request was not taken.
#[derive(Debug)]
pub(crate) enum Refused {
    /// By this crate.
    Here(Refusal),
    /// No room left.
    Full,
    /// By the kernel; its bytes and segments.
    There(No, (u64, usize)),
}

/// What the kernel says when it does not take a request.
#[derive(Debug)]
pub(crate) struct No {
    pub(crate) errno: i32,
    pub(crate) result: Box<sys::pindma_result>,
}

/// How a request ended.
pub(crate) struct Ended<M> {
    pub(crate) record: sys::pindma_completion,
    /// None if the device may write it at any later time: it is leaked.
    pub(crate) memory: Option<M>,
}

/// A request on its way into the kernel.
struct Boarding {
    id: u64,
    transfer: Transfer,
    segs: Segs,
}

impl<M> Ring<M> {
    pub(crate) fn new(node: &Arc<Node>, depth: u32) -> rustix::io::Result<Self> {
        let mut arg = sys::pindma_queue_create {
            size: size_of::<sys::pindma_queue_create>() as u32,
            // Who read a completion as bytes would leave its memory in the slots.
            flags: sys::PINDMA_QUEUE_NO_READ,
            depth,
            ..Default::default()
        };
        // SAFETY: CREATE takes a pindma_queue_create, which holds no pointers.
        unsafe { call::<CREATE, _>(node.port(), &mut arg) }?;
        // SAFETY: the kernel has just made this file for the caller alone.
        let fd = unsafe { OwnedFd::from_raw_fd(arg.out_fd) };
        Ok(Self {
            port: node.made(fd),
            node: node.clone(),
            slots: Mutex::new(Slots::new(depth)),
        })
    }

    /// Where requests are submitted.
    pub(crate) fn node(&self) -> &Node {
        &self.node
    }

    /// Requests that have not been reaped.
    pub(crate) fn len(&self) -> usize {
        self.slots().len()
    }

    /// Tells one request to end, or all of them: `None`.  How many were told.
    pub(crate) fn cancel(&self, id: Option<u64>) -> rustix::io::Result<u32> {
        let mut arg = sys::pindma_queue_cancel {
            size: size_of::<sys::pindma_queue_cancel>() as u32,
            flags: id.map_or(sys::PINDMA_CANCEL_ALL, |_| 0),
            user_data: id.unwrap_or_default(),
            ..Default::default()
        };
        // SAFETY: CANCEL takes a pindma_queue_cancel, which holds no pointers.
        unsafe { call::<CANCEL, _>(&self.port, &mut arg) }.map(|()| arg.out_canceled)
    }

    /// Has each completion add 1 to an eventfd; `None`: to none any more.
    pub(crate) fn bind_eventfd(&self, fd: Option<BorrowedFd<'_>>) -> rustix::io::Result<()> {
        let mut arg = sys::pindma_queue_eventfd {
            size: size_of::<sys::pindma_queue_eventfd>() as u32,
            fd: fd.map_or(-1, |fd| fd.as_raw_fd()),
            ..Default::default()
        };
        // SAFETY: EVENTFD takes a pindma_queue_eventfd, which holds no pointers.
        unsafe { call::<EVENTFD, _>(&self.port, &mut arg) }
    }

    /// Waits for `min` completions, or for none, and hands `sink` what there is,
    /// at most [`BATCH`] and not more than `max`.
    pub(crate) fn wait(
        &self,
        max: usize,
        min: usize,
        deadline: i64,
        sink: &mut dyn FnMut(Ended<M>),
    ) -> rustix::io::Result<usize> {
        let mut records = [sys::pindma_completion::default(); BATCH];
        let reaped = self.reap(&mut records[..max.min(BATCH)], min, deadline)?;
        for record in &records[..reaped] {
            if let Some(ended) = self.settle(record) {
                sink(ended);
            }
        }
        Ok(reaped)
    }

    fn reap(
        &self,
        records: &mut [sys::pindma_completion],
        min: usize,
        deadline: i64,
    ) -> rustix::io::Result<usize> {
        let mut arg = sys::pindma_queue_wait {
            size: size_of::<sys::pindma_queue_wait>() as u32,
            completions: address(records.as_mut_ptr()),
            max: records.len() as u32,
            min: min.min(records.len()) as u32,
            deadline,
            ..Default::default()
        };
        // SAFETY: WAIT takes a pindma_queue_wait; `records` is borrowed mutably
        // and has room for as many as said.
        unsafe { call::<WAIT, _>(&self.port, &mut arg) }?;
        Ok(records.len().min(arg.out_reaped as usize))
    }

    /// Gives back the memory of a request that has ended, unless the device may
    /// still write it.  None for a request that nobody has made.
    fn settle(&self, record: &sys::pindma_completion) -> Option<Ended<M>> {
        let flight = self.slots().take(record.user_data)?;
        let stuck = record.status == -Errno::NOTRECOVERABLE.raw_os_error();
        // SAFETY: the kernel says that the request has ended, and not that the
        // device may still write.
        let memory = (!stuck || !flight.writes()).then(|| unsafe { flight.land() });
        Some(Ended {
            record: *record,
            memory,
        })
    }

    fn slots(&self) -> MutexGuard<'_, Slots<M>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends all requests and has their memory dropped.  What the kernel does not
    /// account for stays in the slots, to be leaked.
    fn drain(&self) {
        // If there is nothing to cancel the kernel says so; that is fine.
        let _ = self.cancel(None);
        while self.len() > 0 {
            let waited = self.wait(BATCH, 1, sys::PINDMA_DEADLINE_NONE as i64, &mut drop);
            if !matches!(waited, Ok(1..) | Err(Errno::INTR)) {
                break;
            }
        }
    }
}

impl<M: Describe> Ring<M> {
    /// Submits one request; the number it has, or the memory back.
    pub(crate) fn submit(&self, transfer: &Transfer, memory: M) -> Result<u64, (Refused, M)> {
        let boarding = self.board(transfer, memory)?;
        // SAFETY: it has boarded, and its segments are in `boarding`.
        let (_, no) = unsafe { self.push(&[boarding.entry()]) };
        let Some(no) = no else {
            return Ok(boarding.id);
        };
        // Nobody else takes it out: the number has not been given to anybody.
        let memory = self.slots().take(boarding.id);
        match memory {
            Some(flight) => Err((boarding.refused(no), put_off(flight))),
            None => Ok(boarding.id),
        }
    }

    /// Submits as many requests as there is room for.  Their numbers, in order;
    /// the rest stays in `batch`, with the reason.
    pub(crate) fn submit_all(&self, batch: &mut Vec<(Transfer, M)>) -> (Vec<u64>, Option<Refused>) {
        let mut ids = Vec::with_capacity(batch.len());
        while !batch.is_empty() {
            let (boarded, stop) = self.board_some(batch);
            let entries: Vec<_> = boarded.iter().map(Boarding::entry).collect();
            // SAFETY: they have boarded, and their segments are in `boarded`.
            let (taken, no) = unsafe { self.push(&entries) };
            ids.extend(boarded[..taken].iter().map(|boarding| boarding.id));
            self.unboard(&boarded[taken..], batch);
            // What the kernel said is about an earlier request.
            let stop = no.map(|no| boarded[taken].refused(no)).or(stop);
            if stop.is_some() {
                return (ids, stop);
            }
        }
        (ids, None)
    }

    /// Takes requests from the front of `batch`, until one call is full or one
    /// cannot be taken.
    fn board_some(&self, batch: &mut Vec<(Transfer, M)>) -> (Vec<Boarding>, Option<Refused>) {
        let mut boarded = Vec::with_capacity(batch.len().min(BATCH));
        let mut rest = std::mem::take(batch).into_iter();
        let mut stop = None;
        while boarded.len() < BATCH {
            let Some((transfer, memory)) = rest.next() else {
                break;
            };
            match self.board(&transfer, memory) {
                Ok(boarding) => boarded.push(boarding),
                Err((refused, memory)) => {
                    batch.push((transfer, memory));
                    stop = Some(refused);
                    break;
                }
            }
        }
        batch.extend(rest);
        (boarded, stop)
    }

    /// Puts requests that the kernel has not taken back to the front of `batch`.
    fn unboard(&self, boarded: &[Boarding], batch: &mut Vec<(Transfer, M)>) {
        let mut slots = self.slots();
        let back = boarded.iter().filter_map(|boarding| {
            let flight = slots.take(boarding.id)?;
            Some((boarding.transfer, put_off(flight)))
        });
        let back: Vec<_> = back.collect();
        batch.splice(..0, back);
    }

    /// What of the memory the transfer is about.
    fn describe(&self, transfer: &Transfer, memory: &M) -> Result<Segs, Refusal> {
        let mut segs = Segs::default();
        memory.describe(&self.node, &mut segs)?;
        let len = usize::try_from(segs.bytes()).unwrap_or(usize::MAX);
        match transfer.range_of(len) {
            // As it is: the kernel counts the segments.
            all if all == (0..len) => Ok(segs),
            range => segs.cut(&range),
        }
    }

    fn board(&self, transfer: &Transfer, memory: M) -> Result<Boarding, (Refused, M)> {
        let segs = match self.describe(transfer, &memory) {
            Ok(segs) => segs,
            Err(refusal) => return Err((Refused::Here(refusal), memory)),
        };
        if segs.as_slice().is_empty() {
            return Err((Refused::Here(Refusal::Empty), memory));
        }
        let writes = transfer.direction() == Direction::FromDevice;
        match self.slots().insert(memory, writes) {
            Ok(id) => Ok(Boarding {
                id,
                transfer: *transfer,
                segs,
            }),
            Err(memory) => Err((Refused::Full, memory)),
        }
    }

    /// Hands requests to the kernel: how many it took, and why not the next.
    ///
    /// # Safety
    ///
    /// They must have boarded, so that their memory is in the slots, and their
    /// segments must live until this returns.
    unsafe fn push(&self, entries: &[sys::pindma_entry]) -> (usize, Option<No>) {
        if entries.is_empty() {
            return (0, None);
        }
        let mut arg = sys::pindma_submit {
            size: size_of::<sys::pindma_submit>() as u32,
            queue: self.port.as_fd().as_raw_fd(),
            nr_entries: entries.len() as u32,
            entries: address(entries.as_ptr()),
            ..Default::default()
        };
        // SAFETY: SUBMIT takes a pindma_submit; the entries live until it
        // returns, and so do their segments, as the caller vouches; what they
        // describe is in the slots and stays there until the request has ended.
        let returned = unsafe { call::<SUBMIT, _>(self.node.port(), &mut arg) };
        let (taken, errno) = match returned {
            Ok(()) => (arg.out_submitted as usize, arg.out.status.saturating_neg()),
            Err(errno) => (0, errno.raw_os_error()),
        };
        let result = Box::new(arg.out);
        let taken = taken.min(entries.len());
        let no = (taken < entries.len()).then_some(No { errno, result });
        (taken, no)
    }
}

impl Boarding {
    fn refused(&self, no: No) -> Refused {
        Refused::There(no, (self.segs.bytes(), self.segs.as_slice().len()))
    }

    /// What the kernel gets to see.  It may point into the segments here.
    fn entry(&self) -> sys::pindma_entry {
        let entry = self.transfer.entry(self.id);
        match self.segs.as_slice() {
            [seg] => sys::pindma_entry { seg: *seg, ..entry },
            segs => sys::pindma_entry {
                segs: address(segs.as_ptr()),
                nr_segs: segs.len() as u32,
                ..entry
            },
        }
    }
}

/// The memory of a request that the kernel has not taken.
fn put_off<M>(flight: Flight<M>) -> M {
    // SAFETY: the device has never heard of it.
    unsafe { flight.land() }
}

impl<M> AsFd for Ring<M> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.port.as_fd()
    }
}

impl<M> Drop for Ring<M> {
    fn drop(&mut self) {
        self.drain();
    }
}
