// SPDX-License-Identifier: GPL-2.0

//! Commands that move data.

use super::command::{failed, Command, Ended};
use crate::abi::{self, pindma_copy, pindma_seg, pindma_transfer};
use crate::check::{check, same, Outcome};
use crate::device::{copy, errno_of, seg, transfer, Call, Device, PAGE};
use crate::module;
use crate::pattern::{self, GUARD};
use crate::pci;
use crate::sys::{self, Mapping};

/// What a fault leads to.
const ERRNOS: [i32; 3] = [libc::ENOMEM, libc::EFAULT, libc::ENOSPC];

/// Stands in the status until the kernel writes one.
const UNWRITTEN: i32 = 0x5a5a_5a5a;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    ToDevice,
    FromDevice,
    Copy,
    /// A copy whose deadline has passed when everything is pinned and mapped.
    Map,
}

/// A range of a mapping: offset and length.
type Range = (usize, usize);

/// A command that moves data.
pub(crate) struct Move {
    way: Way,
    /// On a device that was bound just before: what grows at its first use is
    /// reached at every point.  One command of this kind is enough, as it grows in
    /// the same way for each, and binding takes longer than all the rest of a call.
    fresh: bool,
    /// It goes by way of the kernel's pages.
    copied: bool,
    from: Vec<Range>,
    to: Vec<Range>,
    /// Bytes of the destination's mapping that have pages before the call.
    touched: usize,
    seed: u64,
    ready: Option<Ready>,
    /// Memory from the call before, where what it holds is nobody's affair.
    kept: Option<(Mapping, Mapping)>,
}

/// Everything for one call.
struct Ready {
    device: Device,
    src: Mapping,
    dst: Mapping,
    /// The request points to these.
    _segs: (Vec<pindma_seg>, Vec<pindma_seg>),
    request: Vec<u8>,
}

impl Move {
    fn new(way: Way, from: Vec<Range>, to: Vec<Range>) -> Move {
        Move {
            way,
            fresh: false,
            copied: false,
            from,
            to,
            touched: PAGE,
            seed: 0,
            ready: None,
            kept: None,
        }
    }

    pub(crate) fn to_device() -> Move {
        Move {
            fresh: true,
            ..Move::new(Way::ToDevice, vec![(PAGE - 500, 1000)], Vec::new())
        }
    }

    pub(crate) fn from_device() -> Move {
        Move::new(Way::FromDevice, vec![(0, 1000)], vec![(PAGE - 500, 1000)])
    }

    pub(crate) fn vector() -> Move {
        let ranges = (0..24).rev().map(|page| (page * PAGE + page, 100));
        Move::new(Way::ToDevice, ranges.collect(), Vec::new())
    }

    pub(crate) fn copy() -> Move {
        let from = vec![(100, PAGE), (3 * PAGE, 500)];
        Move::new(Way::Copy, from, vec![(PAGE - 500, PAGE + 500)])
    }

    pub(crate) fn windows() -> Move {
        Move::new(Way::Copy, vec![(1, 3 * PAGE)], vec![(50, 3 * PAGE)])
    }

    pub(crate) fn map() -> Move {
        // More than an I/O page table maps, and a list of more pages than fit in one.
        let len = 0x21_0000;
        Move {
            touched: len,
            ..Move::new(Way::Map, vec![(0, len)], vec![(0, len)])
        }
    }

    /// The same, by way of the kernel's pages.
    pub(crate) fn copied(self) -> Move {
        Move {
            copied: true,
            fresh: false,
            ..self
        }
    }

    fn len(&self) -> usize {
        self.from.iter().map(|(_, len)| len).sum()
    }

    /// The errno of the call without a fault.
    fn untouched(&self) -> i32 {
        match self.way {
            Way::Map => libc::ETIMEDOUT,
            _ => 0,
        }
    }

    fn make_ready(&mut self) -> Outcome<Ready> {
        let (src, dst) = match self.kept.take() {
            Some(kept) => kept,
            None => self.memory()?,
        };
        if self.way == Way::FromDevice {
            let fill = segs_of(&src, &self.from);
            Device::open()?.to_device(0, &fill).succeeded(self.len())?;
        }
        if self.fresh {
            bind_anew()?;
        }
        let segs = (segs_of(&src, &self.from), segs_of(&dst, &self.to));
        let request = self.request(&segs);
        Ok(Ready {
            device: Device::open()?,
            src,
            dst,
            _segs: segs,
            request,
        })
    }

    fn memory(&mut self) -> Outcome<(Mapping, Mapping)> {
        self.seed += 1;
        let (src, dst) = (mapping_for(&self.from)?, mapping_for(&self.to)?);
        if self.way == Way::Map {
            src.fill(0, src.len(), GUARD);
        } else {
            pattern::write(&src, 0, src.len(), self.seed);
        }
        dst.fill(0, self.touched.min(dst.len()), GUARD);
        Ok((src, dst))
    }

    fn request(&self, (from, to): &(Vec<pindma_seg>, Vec<pindma_seg>)) -> Vec<u8> {
        let mut bytes = match self.way {
            Way::ToDevice => self.transfer(abi::TO_DEVICE, from),
            Way::FromDevice => self.transfer(abi::FROM_DEVICE, to),
            Way::Copy => sys::bytes_of(&copy(from, to)),
            Way::Map => {
                let mut request = copy(from, to);
                request.deadline = 0;
                sys::bytes_of(&request)
            }
        };
        mark_unwritten(self.command(), &mut bytes);
        bytes
    }

    fn transfer(&self, direction: u32, segs: &[pindma_seg]) -> Vec<u8> {
        let mut request = transfer(direction, 0, segs);
        if self.copied {
            request.flags = abi::MUST_COPY;
        }
        sys::bytes_of(&request)
    }

    fn command(&self) -> u32 {
        match self.way {
            Way::ToDevice | Way::FromDevice => abi::PINDMA_TRANSFER,
            Way::Copy | Way::Map => abi::PINDMA_COPY,
        }
    }

    fn verdict(&self, ready: &Ready, errno: i32) -> Outcome<Ended> {
        let call = answer(self.command(), errno, &ready.request);
        self.surroundings(ready)?;
        let out = call.out;
        if errno == libc::EFAULT && out.status == UNWRITTEN {
            // The struct itself could not be read or written.
            return failed(errno, &ERRNOS);
        }
        if errno == self.untouched() && out.status == -errno {
            let len = if self.way == Way::Map { 0 } else { self.len() };
            same("bytes", out.bytes, len as u64)?;
            self.arrived(ready, len)?;
            return Ok(Ended::Passed);
        }
        // All of the memory is good, and none of it may be blamed; but that the CPU could not copy
        // it is all that there is to be told.
        let mut blame = abi::OUT_FAULT | abi::OUT_MEMLOCK;
        if self.copied {
            blame = abi::OUT_MEMLOCK;
        }
        check(out.flags & blame == 0, call)?;
        let started = out.flags & abi::OUT_STARTED != 0;
        check(started == (errno == 0), call)?;
        check(started || (out.bytes == 0 && out.status == -errno), call)?;
        check((out.bytes as usize) < self.len() || started, call)?;
        self.arrived(ready, out.bytes as usize)?;
        failed(-out.status, &ERRNOS)
    }

    /// The first `bytes` are where they belong.
    fn arrived(&self, ready: &Ready, bytes: usize) -> Outcome {
        if bytes == 0 {
            return Ok(());
        }
        let sent = gathered(&ready.src, &self.from);
        let got = match self.way {
            Way::ToDevice => {
                let back = Mapping::anonymous(PAGE)?;
                let device = &ready.device;
                device
                    .from_device(0, &[seg(&back, 0, bytes)])
                    .succeeded(bytes)?;
                back.read(0, bytes)
            }
            _ => gathered(&ready.dst, &self.to),
        };
        check(bytes <= sent.len(), format!("{bytes} bytes"))?;
        pattern::expect(&got[..bytes], &sent[..bytes])
    }

    /// Everything around the destination is as it was.
    fn surroundings(&self, ready: &Ready) -> Outcome {
        if self.way == Way::Map {
            return Ok(());
        }
        let mut got = ready.dst.read(0, ready.dst.len());
        let mut want = vec![0; got.len()];
        let touched = self.touched.min(want.len());
        want[..touched].fill(GUARD);
        for (at, len) in &self.to {
            got[*at..at + len].fill(0);
            want[*at..at + len].fill(0);
        }
        pattern::expect(&got, &want)
    }
}

impl Command for Move {
    fn on_a_used_device(&mut self) {
        self.fresh = false;
    }

    fn prepare(&mut self) -> Outcome {
        self.ready = None;
        self.ready = Some(self.make_ready()?);
        Ok(())
    }

    fn call(&mut self) -> i32 {
        let command = self.command();
        self.ready.as_mut().map_or(libc::EBADF, |ready| {
            errno_of(sys::ioctl(ready.device.fd(), command, &mut ready.request))
        })
    }

    fn judge(&mut self, errno: i32) -> Outcome<Ended> {
        match &self.ready {
            Some(ready) => self.verdict(ready, errno),
            None => failed(errno, &[]),
        }
    }

    fn files(&self) -> u64 {
        self.ready.iter().len() as u64
    }

    fn works(&mut self) -> Outcome {
        if self.ready.is_none() {
            self.prepare()?;
        }
        let command = self.command();
        if let Some(ready) = &mut self.ready {
            mark_unwritten(command, &mut ready.request);
        }
        let errno = self.call();
        let ended = self.judge(errno)?;
        check(ended == Ended::Passed, format!("then: {ended:?}"))?;
        let done = self.ready.take();
        if self.way == Way::Map {
            self.kept = done.map(|ready| (ready.src, ready.dst));
            super::command::round_trip()?;
        }
        Ok(())
    }
}

/// A mapping that holds the ranges and a page more.
fn mapping_for(ranges: &[Range]) -> Outcome<Mapping> {
    let end = ranges.iter().map(|(at, len)| at + len).max().unwrap_or(0);
    Ok(Mapping::anonymous((end.div_ceil(PAGE) + 1) * PAGE)?)
}

fn segs_of(mapping: &Mapping, ranges: &[Range]) -> Vec<pindma_seg> {
    let seg_of = |(at, len): &Range| seg(mapping, *at, *len);
    ranges.iter().map(seg_of).collect()
}

fn gathered(mapping: &Mapping, ranges: &[Range]) -> Vec<u8> {
    let read = |(at, len): &Range| mapping.read(*at, *len);
    ranges.iter().flat_map(read).collect()
}

/// A device of which nothing was used yet.
pub(super) fn bind_anew() -> Outcome {
    pci::unbind()?;
    pci::bind()?;
    module::wait_for_node(true)
}

/// Puts [`UNWRITTEN`] into the status of a request.
fn mark_unwritten(command: u32, request: &mut Vec<u8>) {
    if command == abi::PINDMA_COPY {
        let mut with: pindma_copy = sys::from_bytes(request);
        with.out.status = UNWRITTEN;
        *request = sys::bytes_of(&with);
    } else {
        let mut with: pindma_transfer = sys::from_bytes(request);
        with.out.status = UNWRITTEN;
        *request = sys::bytes_of(&with);
    }
}

/// How the call ended that came back with this request.
fn answer(command: u32, errno: i32, request: &[u8]) -> Call {
    let out = if command == abi::PINDMA_COPY {
        sys::from_bytes::<pindma_copy>(request).out
    } else {
        sys::from_bytes::<pindma_transfer>(request).out
    };
    Call { errno, out }
}
