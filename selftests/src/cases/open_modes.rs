// SPDX-License-Identifier: GPL-2.0

//! What a file may be used for, by the mode that it was opened with: as with write(2) and read(2).

use std::os::fd::OwnedFd;

use rustix::fs::{open, Mode, OFlags};

use crate::abi::{self, pindma_pool_create};
use crate::check::{check, errno_name, same, Outcome};
use crate::device::{copy, seg, transfer, Device, NODE, PAGE};
use crate::leg::Leg;
use crate::pool::{ask, from_device, to_device, Pool};
use crate::queue::{entry, Queue};
use crate::region::{register, within, BOTH};
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    Case::new(
        "ebadf_for_what_a_file_was_not_opened_for",
        "transfer, copy, submit, region and pool; nothing is moved or left",
        denied,
    ),
    Case::new(
        "files_open_for_one_way_move_data_that_way",
        "transfer, copy, queue and region",
        allowed,
    )
    .needs(Needs::Memory),
    Case::new(
        "questions_need_no_open_mode",
        "what device, channel, file and region are, and what became of a handle",
        questions,
    ),
    Case::new(
        "pool_keeps_the_rights_of_its_maker",
        "its own file is for everything that those allow, and for no more",
        pools,
    )
    .needs(Needs::Memory),
];

/// A way to open the node, and what it is good for.
struct Opened {
    device: Device,
    to_device: bool,
    from_device: bool,
}

impl Opened {
    fn new(flags: OFlags, to_device: bool, from_device: bool) -> Outcome<Opened> {
        Ok(Opened {
            device: Device::from(by_flags(flags)?),
            to_device,
            from_device,
        })
    }

    /// For reading, for writing, and for neither, which is for ioctls alone.
    fn all() -> Outcome<[Opened; 3]> {
        Ok([
            Opened::new(OFlags::RDONLY, false, true)?,
            Opened::new(OFlags::WRONLY, true, false)?,
            Opened::new(OFlags::RWMODE, false, false)?,
        ])
    }

    fn good_for(&self, direction: u32) -> bool {
        match direction {
            abi::TO_DEVICE => self.to_device,
            _ => self.from_device,
        }
    }

    fn good_for_access(&self, access: u32) -> bool {
        (self.to_device || access & abi::DEV_READ == 0)
            && (self.from_device || access & abi::DEV_WRITE == 0)
    }
}

fn by_flags(flags: OFlags) -> Outcome<OwnedFd> {
    Ok(open(NODE, flags | OFlags::CLOEXEC, Mode::empty())?)
}

const DIRECTIONS: [u32; 2] = [abi::TO_DEVICE, abi::FROM_DEVICE];
const ACCESSES: [u32; 3] = [abi::DEV_READ, abi::DEV_WRITE, BOTH];

fn denied(_: Leg) -> Outcome {
    let memory = Mapping::anonymous(PAGE)?;
    let segs = [seg(&memory, 0, PAGE)];
    for opened in &Opened::all()? {
        let device = &opened.device;
        let queue = Queue::create(device, 1)?;
        for direction in DIRECTIONS {
            if opened.good_for(direction) {
                continue;
            }
            device
                .transfer(transfer(direction, 0, &segs))
                .refused_for(libc::EBADF, abi::FIELD_DIRECTION)?;
            queue
                .submit(device, &[entry(1, direction, 0, segs[0])])
                .refused_for(libc::EBADF, abi::FIELD_DIRECTION)?;
        }
        if !opened.to_device {
            device
                .copy(copy(&segs, &segs))
                .refused_for(libc::EBADF, abi::FIELD_NONE)?;
        }
        for access in ACCESSES {
            if opened.good_for_access(access) {
                continue;
            }
            device
                .register_with(register(access, &segs))
                .refused_for(libc::EBADF, abi::FIELD_ACCESS)?;
            let mut request = pindma_pool_create {
                access,
                ..ask(1, PAGE)
            };
            let errno = device.command(abi::PINDMA_POOL_CREATE, &mut request);
            same("pool", errno_name(errno), errno_name(libc::EBADF))?;
            same("field", request.out.field, abi::FIELD_ACCESS)?;
        }
        let stats = device.stats()?;
        same("jobs", stats.out_jobs, 0)?;
        same("regions", stats.out_regions, 0)?;
    }
    Ok(())
}

fn allowed(_: Leg) -> Outcome {
    let memory = Mapping::anonymous(2 * PAGE)?;
    let writer = Device::open_for(false, true)?;
    let reader = Device::open_for(true, false)?;
    memory.fill(0, 100, 5);
    let (first, second) = ([seg(&memory, 0, 100)], [seg(&memory, PAGE, 100)]);
    writer.to_device(0, &first).succeeded(100)?;
    reader.from_device(0, &second).succeeded(100)?;
    check(memory.read(PAGE, 100) == [5; 100], "not moved")?;
    memory.fill(0, 100, 6);
    writer.copy(copy(&first, &second)).succeeded(100)?;
    check(memory.read(PAGE, 100) == [6; 100], "not copied")?;
    for (device, direction, access) in [
        (&writer, abi::TO_DEVICE, abi::DEV_READ),
        (&reader, abi::FROM_DEVICE, abi::DEV_WRITE),
    ] {
        let handle = device.register_for(access, &second)?;
        let queue = Queue::create(device, 1)?;
        let named = within(handle, 0, 100);
        queue
            .submit(device, &[entry(1, direction, 0, named)])
            .all(1)?;
        queue.reap(1)?;
        same("unregistered", device.unregister(handle), 0)?;
    }
    Ok(())
}

fn questions(_: Leg) -> Outcome {
    for opened in &Opened::all()? {
        let device = &opened.device;
        device.info()?;
        device.stats()?;
        let mut channel = abi::pindma_channel_info {
            size: size_of::<abi::pindma_channel_info>() as u32,
            ..abi::pindma_channel_info::default()
        };
        same(
            "channel",
            device.command(abi::PINDMA_CHANNEL_INFO, &mut channel),
            0,
        )?;
        let (errno, _) = device.ask_region(1);
        same("region", errno_name(errno), errno_name(libc::ENOENT))?;
        let unregistered = errno_name(device.unregister(1));
        same("unregister", unregistered, errno_name(libc::ENOENT))?;
    }
    Ok(())
}

fn pools(_: Leg) -> Outcome {
    let reader = Device::open_for(true, false)?;
    let request = pindma_pool_create {
        access: abi::DEV_WRITE,
        ..ask(1, PAGE)
    };
    let pool = Pool::make(&reader, request)?;
    pool.enqueue(pool.buffer(0)?)?;
    let errno = pool.try_start(to_device(16));
    same("start", errno_name(errno), errno_name(libc::EOPNOTSUPP))?;
    pool.start(from_device(16))?;
    same("frames", pool.dequeue(1)?.len(), 1)?;
    pool.stop().map(drop)
}
