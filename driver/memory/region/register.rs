// SPDX-License-Identifier: GPL-2.0

//! `PINDMA_REGION_REGISTER`.

use kernel::{
    page::PAGE_SIZE,
    prelude::*,
    sync::Arc, //
};

use crate::{
    base::{
        failure::{
            Failure,
            Side, //
        },
        maker::Maker,
        progress::Progress,
        quota::{
            Quota,
            Share, //
        }, //
    },
    kapi::{
        abi::{
            self,
            pindma_region_register, //
        },
        charge::Charge,
        mapped::Bounce,
        pins::{
            self,
            killed,
            Direction,
            Pins,
            Term, //
        }, //
    },
    memory::{
        client::Client,
        names::{
            Named,
            Published, //
        },
        vector::{
            Cursor,
            Source,
            Vector, //
        },
        window::check_cache_lines, //
    }, //
};

use super::{
    chunks::Chunks,
    leftover,
    Region, //
};

/// Most pages of a chunk: what is mapped or unmapped without a pause.
const CHUNK_PAGES: usize = (16 << 20) / PAGE_SIZE;

/// A registration that was found to be in order.
struct Wanted {
    vector: Vector,
    direction: Direction,
    bounce: Bounce,
    shared: bool,
}

/// Registers memory.
pub(crate) fn register<'a>(
    client: &'a Arc<Client>,
    arg: &mut pindma_region_register,
    progress: &mut Progress,
) -> Result<Published<'a>, Failure> {
    arg.out_handle = 0;
    let wanted = Wanted::check(client, arg)?;
    client.check_usable()?;
    // Before anything is pinned in vain.
    client.names().make_room()?;
    let region = wanted.pin(client, progress)?;
    let published = client.names().publish(Named::Region(region))?;
    arg.out_handle = published.handle().to_abi();
    Ok(published)
}

impl Wanted {
    fn check(client: &Client, arg: &pindma_region_register) -> Result<Self, Failure> {
        let (shared, may_bounce) = (abi::PINDMA_REGION_SHARED, abi::PINDMA_REGION_MAY_BOUNCE);
        if arg.flags & !(shared | may_bounce) != 0 {
            return Err(Failure::field(EOPNOTSUPP, abi::PINDMA_FIELD_FLAGS));
        }
        if arg.reserved != 0 {
            return Err(Failure::field(EINVAL, abi::PINDMA_FIELD_RESERVED));
        }
        let direction = client.mode().direction(arg.access)?;
        let vector = Vector::read(Source {
            addr: arg.segs,
            count: arg.nr_segs,
            side: Side::First,
        })?;
        if direction.writes() {
            check_cache_lines(&vector, client.device().facts.cache_align)?;
        }
        let bounce = if arg.flags & may_bounce != 0 {
            Bounce::Allowed
        } else {
            Bounce::Refused
        };
        Ok(Self {
            vector,
            direction,
            bounce,
            shared: arg.flags & shared != 0,
        })
    }

    /// Charges all of it, then pins and maps it chunk by chunk. No lock is held meanwhile.
    fn pin(&self, client: &Arc<Client>, progress: &mut Progress) -> Result<Arc<Region>, Failure> {
        let maker = Maker::current(self.shared)?;
        let mut chunks = Chunks::new(client);
        let end = self.pin_chunks(client, &mut chunks);
        let totals = chunks.totals();
        progress.pages = totals.pages;
        progress.segments = totals.segments;
        progress.bounced = totals.bounced > 0;
        if let Err(failure) = end {
            if killed() {
                leftover::leave(chunks, client);
            }
            return Err(failure);
        }
        let may_bounce = self.bounce == Bounce::Allowed;
        let edges = self.vector.edges();
        Ok(Region::new(
            chunks,
            self.direction,
            maker,
            may_bounce,
            edges,
        )?)
    }

    fn pin_chunks(&self, client: &Client, chunks: &mut Chunks) -> Result<(), Failure> {
        let (mut share, mut charge) = self.charge(client)?;
        let mut cursor = Cursor::new(&self.vector);
        while !cursor.at_end() {
            if killed() {
                return Err(EINTR.into());
            }
            self.pin_chunk(&mut cursor, chunks, &mut share, &mut charge)?;
        }
        Ok(())
    }

    /// Charges all of it, so that what is too much is refused before anything is pinned.
    fn charge(&self, client: &Client) -> Result<(Share, Charge), Failure> {
        let pages = self.vector.pages();
        let share = Quota::take(client.quota(), pages).ok_or(ENOSPC)?;
        let charge =
            Charge::new(pages).map_err(|error| self.failure(pins::PinError::Charge(error)))?;
        Ok((share, charge))
    }

    fn pin_chunk(
        &self,
        cursor: &mut Cursor<'_>,
        chunks: &mut Chunks,
        share: &mut Share,
        charge: &mut Charge,
    ) -> Result<(), Failure> {
        let bytes = cursor.reach(CHUNK_PAGES);
        let ranges = cursor.take(bytes)?;
        let pages = pins::count(&ranges);
        let (share, charge) = (share.split(pages), charge.split(pages));
        let pins = Pins::charged(charge, ranges, self.direction, Term::Long)
            .map_err(|error| self.failure(error))?;
        chunks.map(pins, bytes, self.bounce, share, &self.vector)
    }

    fn failure(&self, error: pins::PinError) -> Failure {
        Failure::pin(error, self.vector.side(), self.vector.segments())
    }
}
