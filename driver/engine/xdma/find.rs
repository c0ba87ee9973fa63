// SPDX-License-Identifier: GPL-2.0

//! Finding XDMA on a card, without a write and without a read of anything else: users give their cards
//! ids as they like, and behind other BARs there may be logic that a stray read upsets.

use kernel::{
    device::Bound,
    io::{
        register::Array,
        Io, //
    },
    pci,
    prelude::*,
    sync::Arc, //
};

use super::{
    port::{
        Bar,
        Port, //
    },
    regs::{
        self,
        Slot, //
    },
};
use crate::base::params;

/// Most channels of each direction.
const MOST: u8 = 4;

/// Where the list of capabilities begins, in the configuration space.
const CAPABILITIES: usize = 0x34;

/// As many capabilities as fit.
const MOST_CAPABILITIES: usize = 48;

/// The capability MSI-X.
const MSIX: u8 = 0x11;

/// Offset of the word in it that says where the table is; the BAR is in its lowest bits.
const MSIX_TABLE: usize = 4;

/// Maps the registers, if they are those of an XDMA.
///
/// # Errors
///
/// `ENODEV` if it is something else.
pub(super) fn bar(pdev: &pci::Device<Bound>) -> Result<Arc<Bar<'_>>> {
    let number = params::xdma_bar().or_else(|| bar_with_vectors(pdev));
    let number = number.ok_or(ENODEV)?;
    let bar = pdev
        .iomap_region_sized::<{ regs::END }>(number, c"pindma")
        .map_err(|error| if error == EBUSY { EBUSY } else { ENODEV })?;
    let known = |(at, block)| id(&bar, at, block, 0).is_some();
    if regs::COMMON.into_iter().all(known) {
        Ok(Arc::new(bar, GFP_KERNEL)?)
    } else {
        Err(ENODEV)
    }
}

/// The BAR with the table of interrupt vectors: an XDMA has it beside its registers.
fn bar_with_vectors(pdev: &pci::Device<Bound>) -> Option<u32> {
    let config = pdev.config_space();
    let mut at = usize::from(config.try_read8(CAPABILITIES).ok()?);
    for _ in 0..MOST_CAPABILITIES {
        if at < 0x40 {
            return None;
        }
        let at_dword = at & !3;
        if config.try_read8(at_dword).ok()? == MSIX {
            return Some(config.try_read32(at_dword + MSIX_TABLE).ok()? & 7);
        }
        at = config.try_read8(at_dword + 1).ok()?.into();
    }
    None
}

/// The identifier at an index, if it is that of channel `channel` of a block.
fn id(bar: &Bar<'_>, at: usize, block: u32, channel: u8) -> Option<u32> {
    let id = bar.read(regs::ID::try_at(at)?);
    let is_it = id.mark().get() == regs::MARK
        && id.block().get() == block
        && id.channel().get() == u32::from(channel);
    is_it.then_some(id.into_raw())
}

/// The channels of the card: first those to it, then those from it.
///
/// # Errors
///
/// `ENODEV` if there are none.
pub(super) fn ports<'b>(bar: &Arc<Bar<'b>>) -> Result<KVec<Port<'b>>> {
    let mut ports = KVec::with_capacity(2 * usize::from(MOST), GFP_KERNEL)?;
    for slot in [Slot::to_card, Slot::from_card] {
        for channel in 0..MOST {
            if let Some(port) = port(bar, slot(channel), channel) {
                ports.push(port, GFP_KERNEL)?;
            }
        }
    }
    if ports.is_empty() {
        return Err(ENODEV);
    }
    Ok(ports)
}

fn port<'b>(bar: &Arc<Bar<'b>>, slot: Slot, channel: u8) -> Option<Port<'b>> {
    let from = u32::from(slot.is_from_card());
    id(bar, slot.descriptors_id(), 4 + from, channel)?;
    let id = id(bar, slot.id(), from, channel)?;
    Some(Port::new(bar.clone(), slot, channel, id))
}
