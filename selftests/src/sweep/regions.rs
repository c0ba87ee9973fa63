// SPDX-License-Identifier: GPL-2.0

//! Commands of regions, and transfers by them.

use std::rc::Rc;

use super::command::{failed, Command, Ended};
use crate::abi::{
    self, pindma_region_info, pindma_region_register, pindma_region_sync, pindma_region_unregister,
    pindma_seg, pindma_transfer,
};
use crate::check::{check, same, Outcome};
use crate::device::{errno_of, seg, transfer, Device, PAGE};
use crate::pattern;
use crate::region::{register, within, BOTH};
use crate::sys::{self, Mapping};

/// What a fault leads to.
const ERRNOS: [i32; 3] = [libc::ENOMEM, libc::EFAULT, libc::ENOSPC];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Register,
    Unregister,
    Sync,
    Info,
    Transfer,
}

/// A command of a region.
pub(crate) struct Call {
    verb: Verb,
    /// Segments of the region, and bytes of each.
    shape: (usize, usize),
    /// For all calls: they only read it.
    memory: Option<Rc<Mapping>>,
    ready: Option<Ready>,
}

/// Everything for one call.
struct Ready {
    device: Device,
    memory: Rc<Mapping>,
    /// The request points to these.
    segs: Vec<pindma_seg>,
    request: Vec<u8>,
    region: u32,
}

impl Call {
    fn new(verb: Verb) -> Call {
        Call {
            verb,
            // More than there is room for without an allocation.
            shape: (6, 100),
            memory: None,
            ready: None,
        }
    }

    pub(crate) fn register() -> Call {
        Call::new(Verb::Register)
    }

    /// In two chunks, with I/O page tables of their own.
    pub(crate) fn register_chunks() -> Call {
        Call {
            shape: (17, 1 << 20),
            ..Call::new(Verb::Register)
        }
    }

    pub(crate) fn unregister() -> Call {
        Call::new(Verb::Unregister)
    }

    pub(crate) fn sync() -> Call {
        Call::new(Verb::Sync)
    }

    pub(crate) fn info() -> Call {
        Call::new(Verb::Info)
    }

    pub(crate) fn transfer() -> Call {
        Call::new(Verb::Transfer)
    }

    fn command(&self) -> u32 {
        match self.verb {
            Verb::Register => abi::PINDMA_REGION_REGISTER,
            Verb::Unregister => abi::PINDMA_REGION_UNREGISTER,
            Verb::Sync => abi::PINDMA_REGION_SYNC,
            Verb::Info => abi::PINDMA_REGION_INFO,
            Verb::Transfer => abi::PINDMA_TRANSFER,
        }
    }

    fn memory(&mut self) -> Outcome<Rc<Mapping>> {
        if let Some(memory) = &self.memory {
            return Ok(memory.clone());
        }
        let (count, len) = self.shape;
        let memory = Mapping::anonymous((len.max(PAGE)) * count.min(6))?;
        if self.verb == Verb::Transfer {
            pattern::write(&memory, 0, memory.len(), 1);
        } else {
            // All of it is there; what it holds is nobody's affair.
            memory.fill(0, memory.len(), 1);
        }
        Ok(self.memory.insert(Rc::new(memory)).clone())
    }

    fn make_ready(&mut self) -> Outcome<Ready> {
        let memory = self.memory()?;
        let device = Device::open()?;
        let (count, len) = self.shape;
        let at = |index| index % 6 * len.max(PAGE);
        let mut segs: Vec<_> = (0..count).map(|i| seg(&memory, at(i), len)).collect();
        let mut region = 0;
        if self.verb != Verb::Register {
            region = device.register(&segs)?;
        }
        if self.verb == Verb::Transfer {
            segs = (0..count).map(|i| within(region, i * len, len)).collect();
        }
        let request = self.request(&segs, region);
        Ok(Ready {
            device,
            memory,
            segs,
            request,
            region,
        })
    }

    fn request(&self, segs: &[pindma_seg], handle: u32) -> Vec<u8> {
        match self.verb {
            Verb::Register => sys::bytes_of(&pindma_region_register {
                flags: abi::REGION_MAY_BOUNCE,
                ..register(BOTH, segs)
            }),
            Verb::Unregister => sys::bytes_of(&pindma_region_unregister {
                size: size_of::<pindma_region_unregister>() as u32,
                handle,
                ..pindma_region_unregister::default()
            }),
            Verb::Sync => sys::bytes_of(&pindma_region_sync {
                size: size_of::<pindma_region_sync>() as u32,
                flags: abi::SYNC_BEGIN_CPU,
                handle,
                ..pindma_region_sync::default()
            }),
            Verb::Info => sys::bytes_of(&pindma_region_info {
                size: size_of::<pindma_region_info>() as u32,
                handle,
                ..pindma_region_info::default()
            }),
            Verb::Transfer => sys::bytes_of(&transfer(abi::TO_DEVICE, 0, segs)),
        }
    }
}

impl Ready {
    /// What there is of the region after the call is as it should be.
    fn verdict(&mut self, verb: Verb, errno: i32) -> Outcome<Ended> {
        let passed = errno == 0 && self.status(verb) == 0;
        match (verb, passed) {
            (Verb::Register, true) => {
                self.region = sys::from_bytes::<pindma_region_register>(&self.request).out_handle;
            }
            // Nobody was told of a region, so there is none.
            (Verb::Register, false) => same("regions", self.device.stats()?.out_regions, 0)?,
            (Verb::Info, true) => {
                let info: pindma_region_info = sys::from_bytes(&self.request);
                same("length", info.out_len, 6 * 100)?;
            }
            _ => {}
        }
        let there = matches!(
            (verb, passed),
            (Verb::Register, true) | (Verb::Unregister, false)
        ) || ![Verb::Register, Verb::Unregister].contains(&verb);
        if there {
            self.try_out()?;
        }
        if passed {
            return Ok(Ended::Passed);
        }
        let why = if errno == 0 {
            -self.status(verb)
        } else {
            errno
        };
        failed(why, &ERRNOS)
    }

    /// The status that a call has written, 0 if it writes none.
    fn status(&self, verb: Verb) -> i32 {
        match verb {
            Verb::Transfer => sys::from_bytes::<pindma_transfer>(&self.request).out.status,
            _ => 0,
        }
    }

    /// The region is good, and goes.
    fn try_out(&self) -> Outcome {
        self.device
            .to_device(0, &[within(self.region, 90, 100)])
            .succeeded(100)?;
        let back = Mapping::anonymous(PAGE)?;
        self.device
            .from_device(0, &[seg(&back, 0, 100)])
            .succeeded(100)?;
        let info = self.device.region(self.region)?;
        check(info.out_users == 0, "it is in use")?;
        let mut want = self.memory.read(90, 100);
        if info.out_len == 6 * 100 {
            want = [self.memory.read(90, 10), self.memory.read(PAGE, 90)].concat();
        }
        pattern::expect(&back.read(0, 100), &want)?;
        same("unregister", self.device.unregister(self.region), 0)
    }
}

impl Command for Call {
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
        match self.ready.take() {
            Some(mut ready) => {
                check(!ready.segs.is_empty(), "no segments")?;
                ready.verdict(self.verb, errno)
            }
            None => failed(errno, &[]),
        }
    }

    fn works(&mut self) -> Outcome {
        self.prepare()?;
        let errno = self.call();
        let ended = self.judge(errno)?;
        check(ended == Ended::Passed, format!("then: {ended:?}"))
    }
}
