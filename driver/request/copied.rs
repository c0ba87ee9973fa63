// SPDX-License-Identifier: GPL-2.0

//! Memory that gets to the device by way of pages of the kernel's own, as it cannot be pinned, or
//! because copying costs less.

use kernel::{
    page::PAGE_SIZE,
    prelude::*,
    sync::Arc, //
};

use crate::{
    base::{
        failure::Failure,
        progress::Progress, //
    },
    kapi::{
        backing::Backing,
        block::{
            Block,
            Shape, //
        },
        gfp,
        pins::{
            Direction,
            UserRange, //
        },
        user_copy::{
            self,
            CopyFault, //
        }, //
    },
    memory::{
        piece::Piece,
        window::Window, //
    },
    request::mover::Mover, //
};

/// Most bytes that are copied at a time. The pages for it count for nobody's memlock, so it is little.
pub(crate) const MOST: u64 = 16 * PAGE_SIZE as u64;

/// Why memory was not moved, or not all of it.
pub(crate) enum NotCopied {
    /// The CPU cannot read or write user memory.
    Fault(CopyFault),
    /// The kernel's pages could not be had or mapped, or not all of them got to the device or from it.
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for NotCopied {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Moves `ranges`, which have `len` bytes in all.
pub(crate) fn run(
    mover: &Mover<'_>,
    ranges: &[UserRange],
    len: u64,
    progress: &mut Progress,
) -> Result<(), NotCopied> {
    let (client, direction) = (mover.client, mover.route.direction);
    let block = block(mover, len)?;
    if direction == Direction::ToDevice {
        user_copy::from_user(ranges, &block).map_err(NotCopied::Fault)?;
    }
    let before = progress.bytes;
    let end = Window::of(
        client,
        Backing::Kernel(block.clone(), direction),
        len,
        progress,
    )
    // Unmapped when this has passed: only then all of it is seen by the CPU.
    .and_then(|window| mover.run(&Piece::Window(window), progress));
    progress.copied = true;
    let handed_out = match direction {
        Direction::ToDevice => Ok(()),
        _ => hand_out(&block, ranges, before, &end, progress),
    };
    client.stats().copied.add(progress.bytes - before);
    handed_out.map_err(NotCopied::Fault)?;
    Ok(end?)
}

/// The kernel's pages.
fn block(mover: &Mover<'_>, len: u64) -> Result<Arc<Block>> {
    let pages = len.div_ceil(PAGE_SIZE as u64) as usize;
    let reach = mover
        .client
        .device()
        .with_card(|card| card.view().reach())?;
    let block = Block::new(pages, Shape::Scattered, reach, None)?;
    Ok(Arc::new(block, gfp::for_user())?)
}

/// Copies to user memory what the device has moved since `before`. What does not get there was not
/// moved.
fn hand_out(
    block: &Block,
    ranges: &[UserRange],
    before: u64,
    end: &Result<(), Failure>,
    progress: &mut Progress,
) -> core::result::Result<(), CopyFault> {
    let moved = progress.bytes - before;
    progress.bytes = before;
    if let Err(failure) = end {
        // It is mapped still, so what the CPU sees may be old.
        if failure.error() == ENOTRECOVERABLE {
            return Ok(());
        }
    }
    let copied = user_copy::to_user(block, ranges, moved);
    progress.bytes += copied.map_or_else(|fault| fault.done, |()| moved);
    copied
}
