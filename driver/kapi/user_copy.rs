// SPDX-License-Identifier: GPL-2.0

//! Copies between user memory and a [`Block`], by the CPU.

use kernel::{
    bindings,
    page::PAGE_SIZE,
    prelude::*, //
};

use super::{
    block::Block,
    pins::UserRange, //
};

/// User memory that could not be copied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct CopyFault {
    /// `index` of the range.
    pub(crate) index: u32,
    /// First address that is not usable.
    pub(crate) addr: u64,
    /// Bytes copied before that.
    pub(crate) done: u64,
}

/// Copies `ranges` of the calling process's memory, one after the other, to the start of `block`.
///
/// May sleep without bound, as pinning does.
pub(crate) fn from_user(
    ranges: &[UserRange],
    block: &Block,
) -> core::result::Result<(), CopyFault> {
    try_for_each_chunk(ranges, u64::MAX, |done, addr, len| {
        with_page(block, done, |at| {
            // SAFETY: There are `len` bytes from `at` on. Others may see or change them meanwhile,
            // but not by reference: they are only moved.
            unsafe { bindings::copy_from_user(at.cast(), addr as *const c_void, len) }
        })
    })
}

/// Copies the first `bytes` bytes of `block` to `ranges` of the calling process's memory.
///
/// May sleep without bound, as pinning does.
pub(crate) fn to_user(
    block: &Block,
    ranges: &[UserRange],
    bytes: u64,
) -> core::result::Result<(), CopyFault> {
    try_for_each_chunk(ranges, bytes, |done, addr, len| {
        with_page(block, done, |at| {
            // SAFETY: As above.
            unsafe { bindings::copy_to_user(addr as *mut c_void, at.cast(), len) }
        })
    })
}

/// Calls `f` with the address, within the kernel, of byte `offset` of `block`; returns how many bytes
/// were not copied.
fn with_page(block: &Block, offset: u64, f: impl FnOnce(*mut u8) -> usize) -> Option<usize> {
    let page = block.page((offset / PAGE_SIZE as u64) as usize)?;
    // SAFETY: The page belongs to the block, which outlives this.
    let start = unsafe { bindings::kmap_local_page(page.as_ptr()) };
    let left = f(start
        .cast::<u8>()
        .wrapping_add((offset % PAGE_SIZE as u64) as usize));
    // SAFETY: Mapped above, by this task; nothing was mapped after it.
    unsafe { bindings::kunmap_local(start) };
    Some(left)
}

/// Calls `copy` for chunks of user memory and of a block that belong together: with the offset in
/// the block, the address in user memory and the length. It returns how many bytes it has not
/// copied. Each chunk lies in one page on both sides, so that one that fails does so at its start.
fn try_for_each_chunk(
    ranges: &[UserRange],
    bytes: u64,
    mut copy: impl FnMut(u64, u64, usize) -> Option<usize>,
) -> core::result::Result<(), CopyFault> {
    let mut done = 0;
    for range in ranges {
        let mut addr = range.addr;
        let end = addr + range.len;
        while addr < end && done < bytes {
            let room = left_in_page(addr).min(left_in_page(done));
            let len = room.min(end - addr).min(bytes - done);
            if copy(done, addr, len as usize) != Some(0) {
                let index = range.index;
                return Err(CopyFault { index, addr, done });
            }
            addr += len;
            done += len;
        }
    }
    Ok(())
}

/// Bytes from `at` to the end of its page.
fn left_in_page(at: u64) -> u64 {
    PAGE_SIZE as u64 - at % PAGE_SIZE as u64
}

#[kunit_tests(pindma_user_copy)]
mod tests {
    use super::*;

    const PAGE: u64 = PAGE_SIZE as u64;

    const RANGES: [UserRange; 2] = [
        UserRange {
            addr: PAGE - 100,
            len: 300,
            index: 4,
        },
        UserRange {
            addr: 5 * PAGE,
            len: PAGE,
            index: 7,
        },
    ];

    fn chunks(bytes: u64) -> Result<KVec<(u64, u64, usize)>> {
        let mut chunks = KVec::new();
        let mut push =
            |done, addr, len| chunks.push((done, addr, len), GFP_KERNEL).ok().map(|()| 0);
        try_for_each_chunk(&RANGES, bytes, &mut push).map_err(|_| ENOMEM)?;
        Ok(chunks)
    }

    #[test]
    fn chunks_lie_in_one_page_on_both_sides() -> Result {
        let all = [
            (0, PAGE - 100, 100),
            (100, PAGE, 200),
            (300, 5 * PAGE, PAGE_SIZE - 300),
            (PAGE, 6 * PAGE - 300, 300),
        ];
        assert_eq!(chunks(u64::MAX)?[..], all);
        assert_eq!(chunks(100)?[..], all[..1]);
        assert_eq!(chunks(301)?[2], (300, 5 * PAGE, 1));
        assert_eq!(chunks(0)?.len(), 0);
        Ok(())
    }

    #[test]
    fn a_fault_says_where() {
        let fault = try_for_each_chunk(&RANGES, u64::MAX, |done, _, _| Some((done / 300) as usize));
        let at = CopyFault {
            index: 7,
            addr: 5 * PAGE,
            done: 300,
        };
        assert_eq!(fault, Err(at));
    }
}
