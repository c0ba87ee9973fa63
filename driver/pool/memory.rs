// SPDX-License-Identifier: GPL-2.0

//! The memory of a buffer: pages of the kernel, charged, and mapped for the device.

use kernel::{
    page::PAGE_SIZE,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Full, //
        },
        Arc, //
    }, //
};

use crate::{
    base::{
        failure::{
            Failure,
            Side, //
        },
        quota::{
            Quota,
            Share, //
        },
        slots::Handle, //
    },
    card::{
        device::Device,
        entry::Part,
        flight::Mapping,
        Card, //
    },
    kapi::{
        backing::Backing,
        block::{
            Block,
            Shape, //
        },
        charge::Charge,
        held,
        mapped::Bounce,
        pins::{
            Direction,
            PinError, //
        }, //
    },
    memory::client::Client,
};

/// Memory that stays mapped until it is dropped, or its device is gone. The pages stay for longer if
/// processes have them mapped, or the device does not let go of them.
pub(super) struct Memory {
    device: Arc<Device>,
    handle: Handle,
    mapping: Arc<Mapping>,
    /// It is unmapped: the handle is somebody else's some day.
    unmapped: Atomic<bool>,
    block: Arc<Block>,
    segments: usize,
    bounced: usize,
}

impl Memory {
    /// Allocates and maps `pages` pages.
    pub(super) fn new(
        client: &Client,
        pages: usize,
        shape: Shape,
        direction: Direction,
    ) -> Result<Self, Failure> {
        let share = Quota::take(client.quota(), pages).ok_or(ENOSPC)?;
        // What others held may be free by now.
        let charge = Charge::new(pages).or_else(|_| {
            held::sweep();
            Charge::new(pages)
        });
        let charge =
            charge.map_err(|error| Failure::pin(PinError::Charge(error), Side::First, &[]))?;
        Self::map(client.device(), (pages, shape), direction, (charge, share))
    }

    fn map(
        device: &Arc<Device>,
        (pages, shape): (usize, Shape),
        direction: Direction,
        (charge, share): (Charge, Share),
    ) -> Result<Self, Failure> {
        let reach = device.with_card(|card| card.view().reach())?;
        let block = Block::shared(pages, shape, reach, Some(charge))?;
        let backing = Backing::Kernel(block.clone(), direction);
        let keep = |card: &Card<'_>| card.keep(backing, Bounce::Allowed, Some(share));
        let placed = device
            .with_card(keep)?
            .map_err(|(_, _, error)| error.errno())?;
        Ok(Self {
            device: device.clone(),
            handle: placed.handle,
            mapping: placed.mapping,
            unmapped: Atomic::new(false),
            block,
            segments: placed.segments,
            bounced: placed.bounced,
        })
    }

    /// `len` bytes of it, from its start.
    pub(super) fn part(&self, len: u64) -> Part {
        Part {
            mapping: self.mapping.clone(),
            offset: 0,
            len,
        }
    }

    /// What jobs claim.
    pub(super) fn mapping(&self) -> &Arc<Mapping> {
        &self.mapping
    }

    /// Its pages.
    pub(super) fn block(&self) -> &Block {
        &self.block
    }

    /// Its bytes.
    pub(super) fn len(&self) -> u64 {
        (self.block.len() * PAGE_SIZE) as u64
    }

    /// Segments, after merging.
    pub(super) fn segments(&self) -> usize {
        self.segments
    }

    /// Some of it goes through a bounce buffer.
    pub(super) fn bounced(&self) -> bool {
        self.bounced > 0
    }

    /// Segments that go through a bounce buffer.
    pub(super) fn bounced_segments(&self) -> usize {
        self.bounced
    }

    /// Unmaps it; the device cannot work on it any more.
    pub(super) fn unmap(&self) {
        if self.unmapped.xchg(true, Full) {
            return;
        }
        // What it gives back is dropped outside of the guard. If the device is gone, unbind has
        // unmapped it; if the device has failed while it worked on it, it stays for ever.
        drop(self.device.with_card(|card| card.unmap(self.handle)));
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.unmap();
    }
}
