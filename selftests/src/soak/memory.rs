// SPDX-License-Identifier: GPL-2.0

//! The memory of a process: what it sends, and where it receives.

use super::chance::Chance;
use crate::abi::{self, pindma_seg};
use crate::check::{same, Fail, Outcome};
use crate::device::{seg, Device, PAGE, WINDOW};
use crate::os;
use crate::pattern::{self, GUARD};
use crate::region;
use crate::rw;
use crate::sys::rw::Range;
use crate::sys::Mapping;

/// Bytes that it sends from, and as many that it receives to.
const LEN: usize = 8 * PAGE;

/// Memory, and its registration.
pub(super) struct Memory {
    /// Full of a pattern; the device must never write there.
    source: Mapping,
    /// The device may write there, but not to its first and last page.
    landing: Mapping,
    /// A handle of both, once they are registered.
    region: Option<u32>,
    seed: u64,
}

/// A part of it: which way it can go, and where it is.
pub(super) struct Part {
    pub(super) direction: u32,
    pub(super) seg: pindma_seg,
}

impl Memory {
    pub(super) fn new(seed: u64) -> Outcome<Memory> {
        let source = Mapping::anonymous(LEN)?;
        pattern::write(&source, 0, LEN, seed);
        let landing = Mapping::anonymous(LEN + 2 * PAGE)?;
        landing.fill(0, landing.len(), GUARD);
        Ok(Memory {
            source,
            landing,
            region: None,
            seed,
        })
    }

    fn both(&self) -> [pindma_seg; 2] {
        [seg(&self.source, 0, LEN), seg(&self.landing, PAGE, LEN)]
    }

    /// Both, as other parts of the kernel take them.
    pub(super) fn ranges(&self) -> [Range; 2] {
        [
            rw::range(&self.source, 0, LEN),
            rw::range(&self.landing, PAGE, LEN),
        ]
    }

    /// A part of at most `longest` bytes: by the region's handle, if it is
    /// registered, or by its address.
    pub(super) fn any(&self, chance: &mut Chance, longest: usize) -> Part {
        match self.region {
            Some(handle) if chance.below(2) == 0 => named(handle, chance, longest),
            _ => self.by_address(chance, longest),
        }
    }

    /// The same, by its address.
    pub(super) fn by_address(&self, chance: &mut Chance, longest: usize) -> Part {
        let (direction, offset, len) = place(chance, longest);
        let memory = self.both()[usize::from(direction == abi::FROM_DEVICE)];
        let seg = pindma_seg {
            addr: memory.addr + offset,
            len,
            ..memory
        };
        Part { direction, seg }
    }

    /// The same, by the handle of the region, which is registered if need be.
    pub(super) fn by_region(&mut self, device: &Device, chance: &mut Chance) -> Outcome<Part> {
        let handle = match self.region {
            Some(handle) => handle,
            None => device.register(&self.both())?,
        };
        self.region = Some(handle);
        Ok(named(handle, chance, WINDOW))
    }

    /// The CPU looks at what the device has written, or has done so.
    pub(super) fn sync(&self, device: &Device, chance: &mut Chance) -> Outcome {
        let Some(handle) = self.region else {
            return Ok(());
        };
        let flags = *chance.one_of(&[abi::SYNC_BEGIN_CPU, abi::SYNC_END_CPU]);
        let offset = chance.below(2 * LEN);
        let len = chance.below(2 * LEN - offset);
        let errno = device.sync(flags, handle, (offset as u64, len as u64));
        same("errno of a sync", errno, 0)
    }

    /// Requests may still use it.
    pub(super) fn unregister(&mut self, device: &Device, chance: &mut Chance) -> Outcome {
        let Some(handle) = self.region else {
            return Ok(());
        };
        let errno = match chance.below(2) {
            0 => device.unregister(handle),
            _ => device.unregister_by(handle, os::now() + 50_000_000),
        };
        match errno {
            0 => self.region = None,
            libc::EBUSY | libc::ETIMEDOUT | libc::EINTR => {}
            _ => return Err(Fail::new(format!("unregister: errno {errno}"))),
        }
        Ok(())
    }

    /// The file that it was registered with is closed.
    pub(super) fn forget(&mut self) {
        self.region = None;
    }

    /// What was sent from `seg` has arrived as `got`.
    pub(super) fn expect(&self, seg: pindma_seg, got: &[u8]) -> Outcome {
        let offset = (seg.addr - self.source.addr(0)) as usize;
        let want = pattern::bytes(self.seed, LEN);
        pattern::expect(got, &want[offset..offset + got.len()])
    }

    /// The device has written nowhere but where it was told to.
    pub(super) fn verify(&self) -> Outcome {
        pattern::verify(&self.source, 0, LEN, self.seed)?;
        pattern::verify_guard(&self.landing, 0, PAGE)?;
        pattern::verify_guard(&self.landing, PAGE + LEN, PAGE)
    }
}

/// Which way, where, and how long.
fn place(chance: &mut Chance, longest: usize) -> (u32, u64, u64) {
    let direction = *chance.one_of(&[abi::TO_DEVICE, abi::FROM_DEVICE]);
    let len = 1 + chance.below(longest);
    let offset = chance.below(LEN - len + 1);
    (direction, offset as u64, len as u64)
}

fn named(handle: u32, chance: &mut Chance, longest: usize) -> Part {
    let (direction, offset, len) = place(chance, longest);
    let start = match direction {
        abi::FROM_DEVICE => LEN,
        _ => 0,
    };
    let seg = region::within(handle, start + offset as usize, len as usize);
    Part { direction, seg }
}
