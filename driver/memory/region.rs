// SPDX-License-Identifier: GPL-2.0

//! Memory that is registered: pinned, charged and mapped once, and used by many transfers.
//!
//! A region is mapped in chunks, so that neither mapping nor unmapping takes long at a time. It
//! belongs to the file that it was made with; the mappings belong to the card, as all do.
//!
//! Lock order: `users` comes last.

use kernel::{
    prelude::*,
    sync::Arc, //
};

use crate::{
    base::{
        access,
        counters,
        maker::Maker, //
    },
    card::entry::Parts,
    kapi::{
        abi::{
            self,
            pindma_region_info, //
        },
        gfp,
        mapped::SyncFor,
        pins::Direction, //
    }, //
};

use self::{
    chunks::Chunks,
    users::{
        User,
        Users, //
    }, //
};

mod chunks;
mod leftover;
mod register;
mod users;

pub(crate) use self::register::register;

/// A region; dropping it gives its memory back, which may sleep without bound.
///
/// Who drops the last reference must still hold the file, whose statistics count the pages.
#[pin_data]
pub(crate) struct Region {
    chunks: Chunks,
    direction: Direction,
    maker: Maker,
    may_bounce: bool,
    /// All addresses and lengths of its ranges, or'ed together: what none of them has a bit of, each
    /// of them is a multiple of.
    edges: u64,
    users: Arc<Users>,
    _counted: counters::Held,
}

impl Region {
    fn new(
        chunks: Chunks,
        direction: Direction,
        maker: Maker,
        may_bounce: bool,
        edges: u64,
    ) -> Result<Arc<Self>> {
        let users = Arc::pin_init(Users::new(), gfp::for_user())?;
        let init = try_pin_init!(Self {
            chunks,
            direction,
            maker,
            may_bounce,
            edges,
            users,
            _counted: counters::REGIONS.hold(),
        });
        Arc::pin_init(init, gfp::for_user())
    }

    /// Its length in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.chunks.len()
    }

    /// What the device may do with it.
    pub(crate) fn direction(&self) -> Direction {
        self.direction
    }

    /// What its ranges begin and end at, or'ed together.
    pub(crate) fn edges(&self) -> u64 {
        self.edges
    }

    /// Who uses it.
    pub(crate) fn users(&self) -> &Users {
        &self.users
    }

    /// Fails with `EPERM` if the calling process must not use it.
    pub(crate) fn admit(&self) -> Result {
        self.maker.admit()
    }

    /// Adds `len` bytes from `offset` on to `parts`; it has them.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn add_to(&self, parts: &mut Parts, offset: u64, len: u64) -> Result {
        self.chunks.add_to(parts, offset, len)
    }

    /// Whether any of `len` bytes from `offset` on are bounced.
    pub(crate) fn bounced(&self, offset: u64, len: u64) -> bool {
        self.chunks.bounced(offset, len)
    }

    /// Fills in what it turned out to be.
    pub(crate) fn describe(&self, info: &mut pindma_region_info) {
        let totals = self.chunks.totals();
        info.out_flags = self.flags();
        info.out_access = access::to_abi(self.direction);
        info.out_users = self.users.count();
        info.out_len = self.len();
        info.out_pages = totals.pages;
        info.out_segments = totals.segments;
        info.out_bounced = totals.bounced;
        info.out_page_sizes = totals.page_sizes;
    }

    fn flags(&self) -> u32 {
        let bit = |on, bit| if on { bit } else { 0 };
        bit(self.maker.shared(), abi::PINDMA_REGION_SHARED)
            | bit(self.may_bounce, abi::PINDMA_REGION_MAY_BOUNCE)
            | bit(
                self.chunks.totals().bounced > 0,
                abi::PINDMA_REGION_IS_BOUNCED,
            )
    }

    /// Hands `len` bytes from `offset` on over to the CPU, or back to the device.
    pub(crate) fn sync(&self, offset: u64, len: u64, sync: SyncFor) -> Result {
        self.chunks.sync(offset, len, sync)
    }
}

/// A use of a region by one transfer: it is not unregistered meanwhile.
///
/// What lies in the region must be let go of before this is dropped.
///
/// Drop order: the reference goes first, so that who waits for the users has the last.
pub(crate) struct Use {
    region: Arc<Region>,
    _user: User,
}

impl Use {
    /// Begins to use `region`.
    pub(crate) fn new(region: Arc<Region>) -> Self {
        let _user = User::enter(&region.users);
        Self { region, _user }
    }

    /// The region.
    pub(crate) fn region(&self) -> &Arc<Region> {
        &self.region
    }
}
