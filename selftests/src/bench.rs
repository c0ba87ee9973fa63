// SPDX-License-Identifier: GPL-2.0

//! What the ways to move data cost a processor, beside the device's own work.
//!
//! A time on a machine that is emulated, or shared, means nothing by itself: what is
//! printed first is how many times as much one way takes as another, in this run.

use crate::abi::{self, pindma_seg};
use crate::check::{same, Fail, Outcome};
use crate::device::{seg, transfer, Device, PAGE};
use crate::leg::Leg;
use crate::module;
use crate::os;
use crate::queue::{done, entry, Queue};
use crate::region::within;
use crate::rw;
use crate::sys::Mapping;

/// Calls of which the median counts; a job of edu takes 100 ms of each.
const CALLS: usize = 9;
/// The same where the device has nothing to do.
const REGISTRATIONS: usize = 41;
/// Lengths of transfers in bytes, up to what fits into edu's memory.
const LENGTHS: [usize; 5] = [64, 512, 1024, 2048, 4096];
/// Lengths of memory in bytes.
const SIZES: [usize; 7] = [
    PAGE,
    4 * PAGE,
    16 * PAGE,
    64 * PAGE,
    256 * PAGE,
    1024 * PAGE,
    4096 * PAGE,
];

/// Measures, and prints tables.
pub(crate) fn run(leg: Leg) -> Outcome {
    module::load(&module::parameters(leg))?;
    let device = Device::open()?;
    println!("\nleg {}: processor time of a call, median", leg.name());
    transfers(&device)?;
    memory(&device)?;
    drop(device);
    module::unload()
}

/// Processor time that this thread needs for a call of `body`, in ns: the median.
fn cost(calls: usize, mut body: impl FnMut() -> Outcome) -> Outcome<i64> {
    // What is there only after the first call is no cost of the next.
    body()?;
    let mut times = Vec::with_capacity(calls);
    for _ in 0..calls {
        let begin = os::thread_time();
        body()?;
        times.push(os::thread_time() - begin);
    }
    times.sort_unstable();
    times
        .get(calls / 2)
        .copied()
        .ok_or_else(|| Fail::new("no calls"))
}

/// How many times `of` goes into `ns`.
fn times(ns: i64, of: i64) -> f64 {
    ns as f64 / of.max(1) as f64
}

fn micros(ns: i64) -> f64 {
    ns as f64 / 1000.0
}

/// A way to make a transfer, and what its column is called.
const WAYS: [&str; 5] = ["region", "one-shot", "read, write", "copied", "queue"];

fn transfers(device: &Device) -> Outcome {
    let memory = Mapping::anonymous(PAGE)?;
    memory.fill(0, PAGE, 1);
    let region = device.register(&[seg(&memory, 0, PAGE)])?;
    let queue = Queue::create(device, 1)?;
    for (name, direction) in [
        ("to the device", abi::TO_DEVICE),
        ("from the device", abi::FROM_DEVICE),
    ] {
        let heads = WAYS.map(|way| format!("| {way:>16}"));
        println!("\n{name:>16} {}", heads.join(" "));
        println!(
            "{:>16} {}",
            "bytes",
            "|       us   times ".repeat(WAYS.len())
        );
        for len in LENGTHS {
            let by = Ways {
                device,
                queue: &queue,
                direction,
                memory: seg(&memory, 0, len),
                named: within(region, 0, len),
            };
            row(len, &by.costs()?);
        }
    }
    same("unregister", device.unregister(region), 0)
}

/// Prints costs, as times of the first as well.
fn row(len: usize, costs: &[i64]) {
    let first = costs.first().copied().unwrap_or(1);
    let cell = |ns: &i64| format!("| {:8.1} {:7.2}", micros(*ns), times(*ns, first));
    let cells: Vec<String> = costs.iter().map(cell).collect();
    println!("{len:16} {}", cells.join(" "));
}

/// One transfer, in whatever way.
struct Ways<'a> {
    device: &'a Device,
    queue: &'a Queue,
    direction: u32,
    memory: pindma_seg,
    named: pindma_seg,
}

impl Ways<'_> {
    /// In the order of [`WAYS`].
    fn costs(&self) -> Outcome<Vec<i64>> {
        Ok(vec![
            cost(CALLS, || self.transfer(0, self.named))?,
            cost(CALLS, || self.transfer(0, self.memory))?,
            cost(CALLS, || self.read_or_write())?,
            cost(CALLS, || self.transfer(abi::MUST_COPY, self.memory))?,
            cost(CALLS, || self.submit_and_wait())?,
        ])
    }

    fn transfer(&self, flags: u32, segment: pindma_seg) -> Outcome {
        let segs = [segment];
        let mut request = transfer(self.direction, 0, &segs);
        request.flags = flags;
        let len = segment.len as usize;
        self.device.transfer(request).succeeded(len).map(drop)
    }

    fn read_or_write(&self) -> Outcome {
        let range = (self.memory.addr, self.memory.len);
        let answer = if self.direction == abi::TO_DEVICE {
            rw::pwrite(self.device, range, 0)
        } else {
            rw::pread(self.device, range, 0)
        };
        answer.moved(self.memory.len as usize)
    }

    fn submit_and_wait(&self) -> Outcome {
        let request = entry(0, self.direction, 0, self.named);
        self.queue.submit(self.device, &[request]).all(1)?;
        done(&self.queue.reap_one()?, 0, self.named.len as usize)
    }
}

/// Pages to register: small ones, or huge ones.
fn pages(size: usize, advice: i32) -> Outcome<Mapping> {
    const HUGE: usize = 2 << 20;
    let memory = Mapping::anonymous(size + HUGE)?;
    memory.advise(0, size + HUGE, advice)?;
    memory.fill(0, size + HUGE, 1);
    Ok(memory)
}

fn memory(device: &Device) -> Outcome {
    println!("\nregister and give | small pages      | huge pages       | memcpy");
    println!("back: bytes       |       us   times |       us   times |       us");
    for size in SIZES {
        let (small, huge) = (
            pages(size, libc::MADV_NOHUGEPAGE)?,
            pages(size, libc::MADV_HUGEPAGE)?,
        );
        let register = |memory: &Mapping| {
            let segs = [seg(memory, 0, size)];
            cost(REGISTRATIONS, || {
                let region = device.register(&segs)?;
                same("unregister", device.unregister(region), 0)
            })
        };
        let (small, huge) = (register(&small)?, register(&huge)?);
        let copied = copying(size)?;
        println!(
            "{size:17} | {:8.1} {:7.2} | {:8.1} {:7.2} | {:8.1}",
            micros(small),
            times(small, copied),
            micros(huge),
            times(huge, copied),
            micros(copied),
        );
    }
    Ok(())
}

/// What the processor needs to copy as much, to memory and from memory that is there.
fn copying(size: usize) -> Outcome<i64> {
    let (from, mut to) = (vec![1u8; size], vec![2u8; size]);
    cost(REGISTRATIONS, || {
        to.copy_from_slice(std::hint::black_box(&from));
        std::hint::black_box(&mut to);
        Ok(())
    })
}
