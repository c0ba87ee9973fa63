// SPDX-License-Identifier: GPL-2.0

//! What a device sees of memory: its reach, an IOMMU, bounce buffers, caches.

use kernel::{
    bindings,
    device::{
        Bound,
        Device, //
    },
    dma::{
        Device as _,
        DmaMask, //
    },
    page::PAGE_SIZE,
    pci,
    prelude::*,
    time::{
        delay::fsleep,
        Delta, //
    }, //
};

use super::{
    bouncing::Facts,
    extent::Bounds,
    raw,
    shim, //
};

/// How long addresses linger: the kernel's timer of 10 ms, with ticks of up to 10 ms each.
const LINGER: Delta = Delta::from_millis(30);

/// Why memory cannot be mapped: it is out of the device's reach.
pub(crate) struct OutOfReach {
    /// Index of the range.
    pub(crate) index: u32,
    /// First address, in user memory, that the device cannot reach.
    pub(crate) addr: u64,
}

/// The highest physical address that a device reaches without help; an IOMMU reaches all.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Reach(pub(super) u64);

/// How a bound device sees memory.
#[derive(Clone, Copy)]
pub(crate) struct DmaView<'b> {
    dev: &'b Device<Bound>,
}

impl<'b> DmaView<'b> {
    /// Sets what the device can drive, and looks at it from then on.
    ///
    /// `segment` is the longest segment in bytes, `boundary` a mask of which a segment must not
    /// cross a multiple.
    ///
    /// # Errors
    ///
    /// `EIO` if the platform cannot serve a device of so few address bits.
    pub(crate) fn new(
        pdev: &'b pci::Device<kernel::device::Core<'_>>,
        mask: DmaMask,
        segment: u32,
        boundary: usize,
    ) -> Result<Self> {
        // SAFETY: Called in probe, before anything is mapped or allocated for the device.
        unsafe { pdev.dma_set_mask_and_coherent(mask)? };
        // SAFETY: As above.
        unsafe { pdev.dma_set_max_seg_size(segment) };
        let bound: &'b pci::Device<Bound> = pdev;
        let dev: &'b Device<Bound> = bound.as_ref();
        // SAFETY: As above.
        unsafe { shim::pindma_dma_set_boundary(raw::device(dev), boundary) };
        Ok(Self { dev })
    }

    pub(super) fn device(&self) -> &'b Device<Bound> {
        self.dev
    }

    /// Whether an IOMMU translates the device's addresses.
    pub(crate) fn translated(&self) -> bool {
        // SAFETY: `dev` is a bound device.
        unsafe { shim::pindma_dma_translated(raw::device(self.dev)) }
    }

    /// Whether the IOMMU is told some time later, and all at once, to forget what was unmapped. The
    /// addresses are not given out again before.
    fn lazy(&self) -> bool {
        // SAFETY: `dev` is a bound device.
        unsafe { shim::pindma_dma_lazy(raw::device(self.dev)) }
    }

    /// Has the IOMMU forget all that was unmapped, if it has not been told yet.
    pub(super) fn forget_unmapped(&self) {
        if self.lazy() {
            // SAFETY: `dev` is a bound device.
            unsafe { shim::pindma_dma_forget(raw::device(self.dev)) };
        }
    }

    /// Waits until addresses that were unmapped before can be given out again. Whether there can be
    /// any: a mapping that found none may then be tried once more.
    ///
    /// May sleep.
    pub(super) fn wait_for_addresses(&self) -> bool {
        let lazy = self.lazy();
        if lazy {
            fsleep(LINGER);
        }
        lazy
    }

    /// Whether the device sees the CPU's caches.
    pub(crate) fn coherent(&self) -> bool {
        // SAFETY: `dev` is a bound device.
        unsafe { shim::pindma_dma_coherent(raw::device(self.dev)) }
    }

    /// What the kernel thinks of the device: it may be plugged in from outside.
    pub(super) fn untrusted(&self) -> bool {
        // SAFETY: `dev` is a bound device.
        unsafe { shim::pindma_dma_untrusted(raw::device(self.dev)) }
    }

    /// Whether memory can be bounced that needs it.
    pub(crate) fn bounce_possible(&self) -> bool {
        let ever = !self.translated() || self.untrusted();
        // SAFETY: `dev` is a bound device.
        ever && unsafe { shim::pindma_bounce_possible(raw::device(self.dev)) }
    }

    /// On what it depends whether memory is bounced, if the caller has it `allowed`.
    pub(super) fn facts(&self, allowed: bool) -> Facts {
        Facts {
            translated: self.translated(),
            // SAFETY: `dev` is a bound device.
            forced: unsafe { shim::pindma_bounce_forced(raw::device(self.dev)) },
            untrusted: self.untrusted(),
            possible: self.bounce_possible(),
            allowed,
        }
    }

    /// The longest segment, in bytes, that can be mapped.
    pub(crate) fn max_segment(&self) -> u32 {
        // SAFETY: `dev` is a bound device.
        let device = unsafe { shim::pindma_dma_max_segment(raw::device(self.dev)) };
        // SAFETY: As above.
        let platform = unsafe { bindings::dma_max_mapping_size(raw::device(self.dev)) };
        longest(device, platform)
    }

    /// What it takes as one segment before anything is merged.
    pub(super) fn bounds(&self) -> Bounds {
        Bounds {
            len: self.max_segment(),
            boundary: self.boundary(),
        }
    }

    /// A mask: no segment may cross a multiple of it and one.
    fn boundary(&self) -> u64 {
        // SAFETY: `dev` is a bound device.
        unsafe { shim::pindma_dma_boundary(raw::device(self.dev)) }
    }

    /// Whether the device can drive `len` bytes from the bus address `addr` on, as one segment. An
    /// IOMMU may have merged up to what the device takes, which need not be whole pages.
    pub(crate) fn takes(&self, addr: u64, len: u64) -> bool {
        // SAFETY: `dev` is a bound device.
        let longest = unsafe { shim::pindma_dma_max_segment(raw::device(self.dev)) };
        let bounds = Bounds {
            len: longest,
            boundary: self.boundary(),
        };
        let end = addr.checked_add(len.saturating_sub(1));
        bounds.fit(addr, len) && end.is_some_and(|end| end <= self.limit())
    }

    /// The highest address that the device can drive, on its side of any IOMMU.
    pub(crate) fn limit(&self) -> u64 {
        // SAFETY: `dev` is a bound device.
        unsafe { shim::pindma_dma_limit(raw::device(self.dev)) }
    }

    /// Where memory for the device should lie.
    pub(crate) fn reach(&self) -> Reach {
        if self.translated() {
            return Reach(u64::MAX);
        }
        // SAFETY: `dev` is a bound device.
        Reach(unsafe { shim::pindma_dma_phys(raw::device(self.dev), self.limit()) })
    }

    /// Whether the device reaches the page at physical address `phys` without help.
    pub(super) fn reaches(&self, phys: u64) -> bool {
        // SAFETY: `dev` is a bound device.
        let addr = unsafe { shim::pindma_dma_addr(raw::device(self.dev), phys) };
        addr.checked_add(PAGE_SIZE as u64 - 1)
            .is_some_and(|end| end <= self.limit())
    }

    /// Whether what is mapped at `addr` must be synced, and so is not seen by the device directly.
    pub(super) fn needs_sync(&self, addr: u64) -> bool {
        // SAFETY: `dev` is a bound device.
        unsafe { shim::pindma_dma_need_sync(raw::device(self.dev), addr) }
    }
}

/// The longest segment that both take: in whole pages, or what fits into one.
fn longest(device: u32, platform: usize) -> u32 {
    match platform.min(device as usize) {
        within @ ..PAGE_SIZE => within as u32,
        more => (more & !(PAGE_SIZE - 1)) as u32,
    }
}

/// Bytes of a cache line, for DMA.
pub(crate) fn cache_align() -> u32 {
    // SAFETY: May be called anywhere.
    unsafe { shim::pindma_dma_cache_align() }
}

#[kunit_tests(pindma_dma_view)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_never_longer_than_the_device_takes() {
        assert_eq!(longest(4095, usize::MAX), 4095);
        assert_eq!(longest(4096, usize::MAX), 4096);
        assert_eq!(longest(1, usize::MAX), 1);
        assert_eq!(longest(u32::MAX, 100), 100);
    }

    #[test]
    fn longer_ones_have_whole_pages() {
        assert_eq!(longest(8191, usize::MAX), 4096);
        assert_eq!(longest(u32::MAX, usize::MAX), 0xffff_f000);
        assert_eq!(longest(u32::MAX, 256 << 10), 256 << 10);
    }
}
