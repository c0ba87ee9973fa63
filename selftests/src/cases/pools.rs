// SPDX-License-Identifier: GPL-2.0

//! Pools: how they are made, and their memory in processes.

use crate::abi::{self, pindma_pool_create};
use crate::check::{check, errno_name, same, Outcome};
use crate::counters;
use crate::device::{errno_of, Device, PAGE};
use crate::flight;
use crate::leg::Leg;
use crate::pagemap::frames;
use crate::pattern;
use crate::pool::{ask, of_pages, Pool};
use crate::process::Exit;
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    Case::new(
        "pool_of_any_count_and_size",
        "rounded to pages, each byte where it belongs",
        counts_and_sizes,
    ),
    // Kills the mutant that does not zero.
    Case::new(
        "pool_memory_is_zeroed",
        "also where somebody's bytes lay before",
        zeroed,
    ),
    Case::new(
        "pool_is_mapped_in_parts_and_as_one",
        "all of it shows the same",
        parts,
    ),
    Case::new(
        "pool_pages_come_back_after_dontneed",
        "with what was in them",
        dontneed,
    ),
    Case::new("pool_mapping_moves", "but does not grow", moves),
    // Kills the mutant that lets children have it.
    Case::new(
        "pool_mapping_is_not_inherited",
        "not by MADV_DOFORK either",
        not_inherited,
    ),
    // Kills the mutant that allows private mappings.
    Case::new(
        "einval_for_private_mapping_of_a_pool",
        "it would come loose from the buffers",
        private,
    ),
    Case::new(
        "einval_for_mapping_beyond_the_pool",
        "by a page, or by far",
        beyond,
    ),
    Case::new(
        "pool_mapping_outlives_its_files",
        "and holds the memory",
        outlives,
    ),
    Case::new(
        "pool_of_contiguous_buffers",
        "4 of 256 KiB, by their physical addresses",
        contiguous,
    ),
    Case::new(
        "pool_of_one_contiguous_buffer_of_64_mib",
        "beyond what the page allocator has",
        huge,
    )
    .needs(Needs::Only(
        &[Leg::Iommu, Leg::Wide],
        "there is no such range of memory here",
    ))
    .not_on_debug("its memory is full of what is watched"),
    Case::new(
        "enxio_for_pool_out_of_reach",
        "but a small one lies within",
        out_of_reach,
    )
    .needs(Needs::Only(
        &[Leg::Reach],
        "all memory is within the device's reach",
    )),
    Case::new("einval_for_no_buffers", "none, or too many", count),
    Case::new(
        "einval_for_impossible_buffers",
        "no bytes, or more than can be counted",
        bytes,
    ),
    Case::new(
        "einval_for_pool_without_access",
        "and EOPNOTSUPP for unknown access",
        access,
    ),
    Case::new(
        "eopnotsupp_for_unknown_pool_flags",
        "each bit; a reserved field is EINVAL",
        flags,
    ),
];

fn open() -> Outcome<Device> {
    Ok(Device::open()?)
}

fn counts_and_sizes(_: Leg) -> Outcome {
    let device = open()?;
    for (count, bytes) in [
        (1, 1),
        (3, 4096),
        (17, 4097),
        (2, 100_000),
        (300, 100),
        (1, 1 << 20),
    ] {
        let pool = Pool::make(&device, ask(count, bytes))?;
        same("stride", pool.stride, bytes.next_multiple_of(PAGE))?;
        same("buffers", pool.count, count as usize)?;
        same("pages", pool.out.pages, (pool.len() / PAGE) as u64)?;
        check(pool.out.segments >= u64::from(count), "too few segments")?;
        let memory = pool.map()?;
        for index in 0..pool.count {
            memory.write(index * pool.stride, &[index as u8 + 1]);
            memory.write((index + 1) * pool.stride - 1, &[index as u8 + 2]);
        }
        for index in 0..pool.count {
            same("state", pool.state(index)?, abi::POOL_OWNED)?;
            let first = memory.read(index * pool.stride, 1)[0];
            let last = memory.read((index + 1) * pool.stride - 1, 1)[0];
            same("first byte", first, index as u8 + 1)?;
            same("last byte", last, index as u8 + 2)?;
        }
        let (errno, ..) = pool.try_look(pool.count);
        same("one too many", errno_name(errno), errno_name(libc::ENOENT))?;
    }
    Ok(())
}

fn zeroed(_: Leg) -> Outcome {
    const LEN: usize = 256 * PAGE;
    for _ in 0..4 {
        // What is freed last is given out first.
        let dirty = Mapping::anonymous(LEN)?;
        dirty.fill(0, LEN, pattern::GUARD);
        drop(dirty);
        let device = open()?;
        for flags in [0, abi::POOL_CONTIGUOUS] {
            let request = pindma_pool_create {
                flags,
                ..ask(8, LEN / 16)
            };
            let pool = Pool::make(&device, request)?;
            let memory = pool.map()?;
            let zeroes = vec![0; pool.len()];
            pattern::expect(&memory.read(0, pool.len()), &zeroes)?;
            memory.fill(0, pool.len(), pattern::GUARD);
        }
    }
    Ok(())
}

fn parts(_: Leg) -> Outcome {
    let pool = Pool::make(&open()?, ask(5, 3 * PAGE))?;
    let whole = pool.map()?;
    for index in 0..pool.count {
        let part = pool.map_part(index * pool.stride, pool.stride, libc::MAP_SHARED)?;
        pattern::write(&part, 0, pool.stride, index as u64);
        pattern::verify(&whole, index * pool.stride, pool.stride, index as u64)?;
    }
    // From the middle of one to the middle of the next.
    let across = pool.map_part(PAGE, pool.stride, libc::MAP_SHARED)?;
    pattern::expect(&across.read(0, pool.stride), &whole.read(PAGE, pool.stride))
}

fn dontneed(_: Leg) -> Outcome {
    let pool = Pool::make(&open()?, ask(2, 4 * PAGE))?;
    let memory = pool.map()?;
    pattern::write(&memory, 0, pool.len(), 9);
    let before = frames(&memory)?;
    memory.advise(0, pool.len(), libc::MADV_DONTNEED)?;
    pattern::verify(&memory, 0, pool.len(), 9)?;
    check(frames(&memory)? == before, "other pages than before")
}

fn moves(_: Leg) -> Outcome {
    let pool = of_pages(&open()?, 3)?;
    let mut memory = pool.map()?;
    pattern::write(&memory, 0, pool.len(), 4);
    memory.relocate()?;
    pattern::verify(&memory, 0, pool.len(), 4)?;
    let grown = errno_of(memory.grow(pool.len() + PAGE));
    same("growing it", errno_name(grown), errno_name(libc::EFAULT))?;
    pattern::verify(&memory, 0, pool.len(), 4)
}

fn not_inherited(_: Leg) -> Outcome {
    let pool = of_pages(&open()?, 2)?;
    let memory = pool.map()?;
    memory.fill(0, pool.len(), 1);
    let advice = errno_of(memory.advise(0, pool.len(), libc::MADV_DOFORK));
    same("MADV_DOFORK", errno_name(advice), errno_name(libc::EINVAL))?;
    let child = flight::child(|| {
        memory.read(0, 1);
        Ok(())
    })?;
    let exit = child.wait()?;
    let segfault = Exit::Signal(libc::SIGSEGV);
    check(exit == segfault, format!("the child ended with {exit}"))
}

fn private(_: Leg) -> Outcome {
    let pool = of_pages(&open()?, 2)?;
    let errno = errno_of(pool.map_part(0, PAGE, libc::MAP_PRIVATE));
    same("errno", errno_name(errno), errno_name(libc::EINVAL))?;
    pool.map_part(0, PAGE, libc::MAP_SHARED_VALIDATE)?;
    Ok(())
}

fn beyond(_: Leg) -> Outcome {
    let pool = of_pages(&open()?, 3)?;
    for (offset, len) in [
        (0, 4 * PAGE),
        (2 * PAGE, 2 * PAGE),
        (3 * PAGE, PAGE),
        (1 << 40, PAGE),
        (0, 1 << 40),
        ((i64::MAX as usize) & !(PAGE - 1), PAGE),
    ] {
        let errno = errno_of(pool.map_part(offset, len, libc::MAP_SHARED));
        // The kernel itself refuses what it cannot count.
        let refused = errno == libc::EINVAL || offset > 1 << 60 && errno == libc::EOVERFLOW;
        check(refused, format!("{len} bytes at {offset}: {errno}"))?;
    }
    Ok(())
}

fn outlives(_: Leg) -> Outcome {
    let device = open()?;
    let pool = of_pages(&device, 4)?;
    let len = pool.len();
    let memory = pool.map()?;
    pattern::write(&memory, 0, len, 6);
    drop(pool);
    drop(device);
    pattern::verify(&memory, 0, len, 6)?;
    same("pages", counters::driver("kernel_pages")?, 4)?;
    memory.advise(0, len, libc::MADV_DONTNEED)?;
    // What was given back by mistake would be taken for this, and cleared: the kernel
    // keeps pages of one kind together.
    let device = open()?;
    let other = of_pages(&device, 64)?;
    pattern::verify(&memory, 0, len, 6)?;
    same("pages", counters::driver("kernel_pages")?, 4 + 64)?;
    drop(memory);
    counters::comes_to("kernel_pages", 64)?;
    drop(other);
    drop(device);
    counters::comes_to("kernel_pages", 0)
}

/// Each buffer lies in one piece.
pub(super) fn in_one_piece(pool: &Pool, memory: &Mapping) -> Outcome<Vec<u64>> {
    memory.fill(0, pool.len(), 1);
    let frames = frames(memory)?;
    for buffer in frames.chunks(pool.stride / PAGE) {
        let adjacent = |pair: &[u64]| pair[1] == pair[0] + PAGE as u64;
        check(buffer.windows(2).all(adjacent), "a buffer lies in pieces")?;
    }
    Ok(frames)
}

fn contiguous(_: Leg) -> Outcome {
    let device = open()?;
    // The second is no power of two.
    for bytes in [256 << 10, 100_000] {
        let request = pindma_pool_create {
            flags: abi::POOL_CONTIGUOUS,
            ..ask(4, bytes)
        };
        let pool = Pool::make(&device, request)?;
        in_one_piece(&pool, &pool.map()?)?;
        same("pages", pool.out.pages, (pool.len() / PAGE) as u64)?;
        same(
            "pages taken",
            counters::driver("kernel_pages")?,
            pool.out.pages,
        )?;
        // The handle holds the memory as well.
        same("errno", device.unregister(pool.handle), 0)?;
    }
    Ok(())
}

fn huge(_: Leg) -> Outcome {
    const LEN: usize = 64 << 20;
    let request = pindma_pool_create {
        flags: abi::POOL_CONTIGUOUS,
        ..ask(1, LEN)
    };
    let pool = Pool::make(&open()?, request)?;
    in_one_piece(&pool, &pool.map()?).map(drop)
}

fn out_of_reach(_: Leg) -> Outcome {
    let device = open()?;
    // More than there is within reach.
    Pool::refused(&device, ask(1, 300 << 20), libc::ENXIO, abi::FIELD_NONE)?;
    let pool = of_pages(&device, 16)?;
    let memory = pool.map()?;
    memory.fill(0, pool.len(), 1);
    let within = frames(&memory)?.iter().all(|frame| *frame < 1 << 28);
    check(within, "a page is out of reach")
}

fn count(_: Leg) -> Outcome {
    let device = open()?;
    let most = device.info()?.out_max_buffers;
    check(most >= 1024, "few buffers in a pool")?;
    for count in [0, most + 1, u32::MAX] {
        Pool::refused(&device, ask(count, PAGE), libc::EINVAL, abi::FIELD_COUNT)?;
    }
    Ok(())
}

fn bytes(_: Leg) -> Outcome {
    let device = open()?;
    let field = abi::FIELD_BUFFER_BYTES;
    for (count, bytes) in [(1, 0), (1, usize::MAX), (2, 1 << 62), (1, 1 << 63)] {
        Pool::refused(&device, ask(count, bytes), libc::EINVAL, field)?;
    }
    // It can be counted, but the device may not have it.
    Pool::refused(&device, ask(1, 1 << 50), libc::ENOSPC, abi::FIELD_NONE).map(drop)
}

fn access(_: Leg) -> Outcome {
    let device = open()?;
    for (access, errno) in [
        (0, libc::EINVAL),
        (4, libc::EOPNOTSUPP),
        (7, libc::EOPNOTSUPP),
        (1 << 31, libc::EOPNOTSUPP),
    ] {
        let request = pindma_pool_create {
            access,
            ..ask(1, PAGE)
        };
        Pool::refused(&device, request, errno, abi::FIELD_ACCESS)?;
    }
    Ok(())
}

fn flags(_: Leg) -> Outcome {
    let device = open()?;
    for bit in 3..32 {
        let request = pindma_pool_create {
            flags: 1 << bit,
            ..ask(1, PAGE)
        };
        Pool::refused(&device, request, libc::EOPNOTSUPP, abi::FIELD_FLAGS)?;
    }
    let request = pindma_pool_create {
        reserved: 1,
        ..ask(1, PAGE)
    };
    Pool::refused(&device, request, libc::EINVAL, abi::FIELD_RESERVED).map(drop)
}
