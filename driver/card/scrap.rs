// SPDX-License-Identifier: GPL-2.0

//! Memory of a device to which data goes that is wanted by nobody, such as frames that find no
//! buffer.
//!
//! All that need some share it, of whatever file and user: so it is little, and not charged. There
//! must be some even if others have taken all that there is to take.
//!
//! Lock order: no other lock is taken while `state` is held.

use kernel::{
    new_mutex,
    page::PAGE_SIZE,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    }, //
};

use crate::{
    base::slots::Handle,
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
        gfp,
        mapped::Bounce,
        pins::Direction, //
    }, //
};

/// Pages of it, if there are so many.
const PAGES: usize = 16;

/// What a device has of it, as long as there are users.
#[pin_data]
pub(crate) struct Scraps {
    #[pin]
    state: Mutex<State>,
}

struct State {
    users: usize,
    memory: Option<Arc<Memory>>,
}

impl Scraps {
    /// None, and nobody who needs any.
    pub(crate) fn new() -> impl PinInit<Self> {
        let state = State {
            users: 0,
            memory: None,
        };
        pin_init!(Self {
            state <- new_mutex!(state),
        })
    }

    /// That of the other users.
    fn join(&self) -> Option<Arc<Memory>> {
        let mut state = self.state.lock();
        let memory = state.memory.clone()?;
        state.users += 1;
        Some(memory)
    }

    /// What was made for the first user; that of others, if they were faster.
    fn begin(&self, made: &Arc<Memory>) -> Arc<Memory> {
        let mut state = self.state.lock();
        state.users += 1;
        state.memory.get_or_insert_with(|| made.clone()).clone()
    }

    /// A user less. It goes with the last.
    fn leave(&self) {
        let mut state = self.state.lock();
        state.users -= 1;
        let last = match state.users {
            0 => state.memory.take(),
            _ => None,
        };
        // Unmapped without the lock.
        drop(state);
        drop(last);
    }
}

/// Memory that stays mapped until it is dropped, or its device is gone.
struct Memory {
    device: Arc<Device>,
    handle: Handle,
    mapping: Arc<Mapping>,
    len: u64,
}

impl Memory {
    fn new(device: &Arc<Device>, pages: usize) -> Result<Self> {
        let reach = device.with_card(|card| card.view().reach())?;
        let block = Block::shared(pages, Shape::Scattered, reach, None)?;
        let backing = Backing::Kernel(block, Direction::FromDevice);
        let keep = |card: &Card<'_>| card.keep(backing, Bounce::Allowed, None);
        let placed = device.with_card(keep)?;
        // What could not be mapped is dropped where no guard is held.
        let placed = placed.map_err(|(_, _, error)| error.errno())?;
        Ok(Self {
            device: device.clone(),
            handle: placed.handle,
            mapping: placed.mapping,
            len: (pages * PAGE_SIZE) as u64,
        })
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // If the device is gone, unbind has unmapped it.
        drop(self.device.with_card(|card| card.unmap(self.handle)));
    }
}

/// A use of what a device has of it.
pub(crate) struct Scrap(Arc<Memory>);

impl Scrap {
    /// That of `device`.
    ///
    /// # Errors
    ///
    /// `ENODEV`, `ENOMEM`, and what else mapping fails with.
    pub(crate) fn of(device: &Arc<Device>) -> Result<Self> {
        if let Some(memory) = device.scraps().join() {
            return Ok(Self(memory));
        }
        let made = Memory::new(device, PAGES).or_else(|_| Memory::new(device, 1))?;
        let made = Arc::new(made, gfp::for_user())?;
        Ok(Self(device.scraps().begin(&made)))
    }

    /// All of it.
    pub(crate) fn part(&self) -> Part {
        Part {
            mapping: self.0.mapping.clone(),
            offset: 0,
            len: self.0.len,
        }
    }
}

impl Drop for Scrap {
    fn drop(&mut self) {
        self.0.device.scraps().leave();
    }
}
