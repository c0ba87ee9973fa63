// SPDX-License-Identifier: GPL-2.0

//! Large contiguous buffers of a pool in memory above 4 GiB.

use std::fs;

use crate::abi::{self, pindma_pool_create};
use crate::check::{check, same, Outcome};
use crate::device::{Device, PAGE};
use crate::ktap::note;
use crate::leg::Leg;
use crate::pattern;
use crate::pool::{ask, Pool};
use crate::region::within;
use crate::table::{Case, Needs};

use super::pools::in_one_piece;

pub(crate) const CASES: &[Case] = &[Case::new(
    "contiguous_buffers_of_64_mib_lie_above_4_gib",
    "two of them, each in one piece; the device reaches their ends",
    above,
)
.needs(Needs::Only(
    &[Leg::Wide],
    "only this machine has memory there that its device reaches",
))];

const LEN: usize = 64 << 20;
const FOUR_GIB: u64 = 1 << 32;

/// While it lives, the kernel does not keep its page of 1 GiB, which lies above 4 GiB: so there is
/// room, whatever has become of the rest of that memory since boot.
struct Given {
    pages: u32,
}

impl Given {
    const FILE: &'static str = "/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages";

    fn pages() -> Outcome<u32> {
        Ok(fs::read_to_string(Given::FILE)?.trim().parse()?)
    }

    fn now() -> Outcome<Given> {
        let given = Given {
            pages: Given::pages()?,
        };
        fs::write(Given::FILE, "0")?;
        same("pages of 1 GiB", Given::pages()?, 0)?;
        Ok(given)
    }
}

impl Drop for Given {
    fn drop(&mut self) {
        let _ = fs::write(Given::FILE, self.pages.to_string());
        if Given::pages().ok() != Some(self.pages) {
            // Cases that need it come earlier.
            note("the page of 1 GiB did not come back");
        }
    }
}

/// A page out of one place of the pool, and back into another.
fn moves(device: &Device, pool: &Pool, (from, to): (usize, usize)) -> Outcome {
    let memory = pool.map()?;
    pattern::write(&memory, from, PAGE, to as u64);
    memory.fill(to, PAGE, pattern::GUARD);
    device
        .to_device(0, &[within(pool.handle, from, PAGE)])
        .succeeded(PAGE)?;
    device
        .from_device(0, &[within(pool.handle, to, PAGE)])
        .succeeded(PAGE)?;
    pattern::verify(&memory, to, PAGE, to as u64)
}

fn above(_: Leg) -> Outcome {
    let _room = Given::now()?;
    let device = Device::open()?;
    let request = pindma_pool_create {
        flags: abi::POOL_CONTIGUOUS,
        ..ask(2, LEN)
    };
    let pool = Pool::make(&device, request)?;
    for buffer in in_one_piece(&pool, &pool.map()?)?.chunks(LEN / PAGE) {
        let lowest = buffer[0];
        check(lowest >= FOUR_GIB, format!("one lies at {lowest:#x}"))?;
    }
    moves(&device, &pool, (2 * LEN - PAGE, 0))?;
    moves(&device, &pool, (LEN, LEN - PAGE))
}
