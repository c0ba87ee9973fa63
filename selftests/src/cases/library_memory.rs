// SPDX-License-Identifier: GPL-2.0

//! The crate `pindma`: memory of several kinds in one call, one request, one queue.

use pindma::{Access, AnyMemory, Block, Destination, Device, Pool, Queue, Source, Transfer};

use crate::check::{same, Fail, Outcome};
use crate::leg::Leg;
use crate::pattern;
use crate::table::{Case, Needs};

use super::library::{buffer, failed, next, open, prepared, queue_of, registered, LEN};

pub(crate) const CASES: &[Case] = &[
    Case::new(
        "library_vectors_mix_slices_regions_and_blocks",
        "to the device, and from it",
        vectors,
    )
    .needs(Needs::Memory),
    Case::new(
        "library_queue_mixes_buffers_regions_and_blocks",
        "each in a request, and all in one",
        mixed,
    )
    .needs(Needs::Memory),
    Case::new(
        "library_pool_memory_outlives_its_pool",
        "a block is looked at and transferred, by another thread",
        outlived,
    )
    .needs(Needs::Memory),
];

fn pool_of(device: &Device, count: u32) -> Outcome<Pool> {
    device.pool(LEN, count, Access::BOTH).map_err(failed)
}

fn block_of(pool: &Pool, index: u32) -> Outcome<Block> {
    let block = pool.take(index).map_err(failed)?;
    block.ok_or_else(|| Fail::new("it is not the program's"))
}

fn vectors(_: Leg) -> Outcome {
    let device = open()?;
    let mut region = registered(&device, 4096)?;
    let pool = pool_of(&device, 1)?;
    let mut block = block_of(&pool, 0)?;
    let sent = pattern::bytes(1, LEN);
    region[3000..4000].copy_from_slice(&sent[..1000]);
    block[5..1005].copy_from_slice(&sent[2000..]);
    let from = [
        Source::new(&region, 3000..4000),
        Source::from(&sent[1000..2000]),
        Source::new(&block, 5..1005),
    ];
    let request = device.request();
    let done = request.send_parts(&from).map_err(failed)?;
    same("bytes", done.bytes, LEN as u64)?;

    let mut back = vec![0; LEN];
    device.receive(&mut back, 0).map_err(failed)?;
    pattern::expect(&back, &sent)?;

    let mut slice = vec![0; 500];
    let to = &mut [
        Destination::new(&mut block, 96..96 + 1500),
        Destination::from(&mut slice[..]),
        Destination::new(&mut region, 7..1007),
    ];
    request.receive_parts(to).map_err(failed)?;
    pattern::expect(&block[96..96 + 1500], &sent[..1500])?;
    pattern::expect(&slice, &sent[1500..2000])?;
    pattern::expect(&region[7..1007], &sent[2000..])
}

fn mixed(_: Leg) -> Outcome {
    let device = prepared(2)?;
    let pool = pool_of(&device, 1)?;
    let queue: Queue<Vec<AnyMemory>> = queue_of(&device, 3)?;
    let kinds: [AnyMemory; 3] = [
        buffer(1000)?.into(),
        registered(&device, 1000)?.into(),
        block_of(&pool, 0)?.into(),
    ];
    for (memory, at) in kinds.into_iter().zip([0, 1000, 2000]) {
        let read = Transfer::from_device().dev_addr(at).range(..1000);
        queue.submit(read, vec![memory]).map_err(failed)?;
    }
    let mut all = Vec::new();
    for _ in 0..3 {
        all.extend(next(&queue)?.finish().map_err(failed)?);
    }
    let sent = pattern::bytes(2, LEN);
    for (memory, expected) in all.iter().zip(sent.chunks(1000)) {
        pattern::expect(&memory[..1000], expected)?;
    }
    // Back again from all of them, to where it was not.
    device.send(&vec![0; LEN], 0).map_err(failed)?;
    let write = Transfer::to_device().range(..LEN);
    queue.submit(write, all).map_err(failed)?;
    same("bytes", next(&queue)?.bytes, LEN as u64)?;
    let mut back = vec![0; LEN];
    device.receive(&mut back, 0).map_err(failed)?;
    pattern::expect(&back, &sent)
}

fn outlived(_: Leg) -> Outcome {
    let device = open()?;
    let pool = pool_of(&device, 2)?;
    let mut block = block_of(&pool, 1)?;
    drop(pool);
    let work = move || {
        block[..LEN].copy_from_slice(&pattern::bytes(3, LEN));
        block.send(..LEN, 0).map_err(failed)
    };
    let sent = std::thread::spawn(work).join();
    sent.map_err(|_| Fail::new("it panicked"))??;
    let mut back = vec![0; LEN];
    device.receive(&mut back, 0).map_err(failed)?;
    pattern::expect(&back, &pattern::bytes(3, LEN))?;
    same("regions", device.stats().map_err(failed)?.regions, 0)
}
