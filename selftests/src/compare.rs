// SPDX-License-Identifier: GPL-2.0

//! Round trips: into device memory, out of it again, and nothing else touched.

use crate::check::Outcome;
use crate::device::{copy, seg, Device, PAGE, WINDOW};
use crate::pattern::{self, GUARD};
use crate::sys::Mapping;

/// Where the parts of a round trip lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Offset of the source in its mapping.
    pub(crate) from: usize,
    /// Offset of the destination in its mapping.
    pub(crate) to: usize,
    /// Length of it all.
    pub(crate) len: usize,
    /// Where in the device's memory.
    pub(crate) dev: usize,
}

/// A source and a destination, and a device between them.
pub(crate) struct Bench {
    pub(crate) device: Device,
    pub(crate) src: Mapping,
    pub(crate) dst: Mapping,
    seed: u64,
}

impl Bench {
    /// Anonymous memory of `pages` pages on either side.
    pub(crate) fn new(pages: usize) -> Outcome<Bench> {
        let src = Mapping::anonymous(pages * PAGE)?;
        let dst = Mapping::anonymous(pages * PAGE)?;
        Bench::with(src, dst)
    }

    /// These two on either side.
    pub(crate) fn with(src: Mapping, dst: Mapping) -> Outcome<Bench> {
        Ok(Bench::on(Device::open()?, src, dst))
    }

    /// These two, on a file that is open already.
    pub(crate) fn on(device: Device, src: Mapping, dst: Mapping) -> Bench {
        Bench {
            device,
            src,
            dst,
            seed: 1,
        }
    }

    fn next_seed(&mut self) -> u64 {
        self.seed += 1;
        self.seed
    }

    /// To the device and back; the destination and what surrounds it is looked at.
    pub(crate) fn round_trip(&mut self, shape: Shape) -> Outcome {
        let Shape { from, to, len, dev } = shape;
        let seed = self.next_seed();
        pattern::write(&self.src, from, len, seed);
        self.surround(to, len);
        self.device
            .to_device(dev, &[seg(&self.src, from, len)])
            .succeeded(len)?;
        self.device
            .from_device(dev, &[seg(&self.dst, to, len)])
            .succeeded(len)?;
        self.arrived(to, len, seed)
    }

    /// A copy in one call; the same is looked at.
    pub(crate) fn copy(&mut self, from: usize, to: usize, len: usize) -> Outcome {
        let seed = self.next_seed();
        pattern::write(&self.src, from, len, seed);
        self.surround(to, len);
        let (src, dst) = ([seg(&self.src, from, len)], [seg(&self.dst, to, len)]);
        self.device.copy(copy(&src, &dst)).succeeded(len)?;
        self.arrived(to, len, seed)?;
        // The source is only ever read.
        pattern::verify(&self.src, from, len, seed)
    }

    /// The destination and a page on either side of it, as `[start, end)`.
    fn vicinity(&self, to: usize, len: usize) -> (usize, usize) {
        let end = (to + len + PAGE).min(self.dst.len());
        (to.saturating_sub(PAGE), end)
    }

    fn surround(&self, to: usize, len: usize) {
        let (start, end) = self.vicinity(to, len);
        self.dst.fill(start, end - start, GUARD);
    }

    fn arrived(&self, to: usize, len: usize, seed: u64) -> Outcome {
        let (start, end) = self.vicinity(to, len);
        pattern::verify(&self.dst, to, len, seed)?;
        pattern::verify_guard(&self.dst, start, to - start)?;
        pattern::verify_guard(&self.dst, to + len, end - to - len)
    }
}

/// The shape of a round trip of `len` bytes at the start of everything.
pub(crate) fn flat(len: usize) -> Shape {
    debug_assert!(len <= WINDOW);
    Shape {
        from: 0,
        to: 0,
        len,
        dev: 0,
    }
}
