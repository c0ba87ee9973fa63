// SPDX-License-Identifier: GPL-2.0

//! What the kernel does not let everybody do with memory, or only for a time: seals, memory without a
//! place in the kernel's map, protection keys, the root of a user namespace.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{MemfdFlags, SealFlags};

use crate::abi;
use crate::check::{check, errno_name, same, Outcome};
use crate::counters;
use crate::device::{errno_of, seg, transfer, Device, PAGE, WINDOW};
use crate::flight;
use crate::ktap;
use crate::leg::Leg;
use crate::os;
use crate::pattern;
use crate::pool::{ask, Pool};
use crate::queue::{entry, Queue};
use crate::region::{register, within, BOTH};
use crate::rw::{device_holds, fill_device, pread, pwrite, range};
use crate::sys::{self, Key, Mapping};
use crate::table::{Case, Needs};
use crate::user;

pub(crate) const CASES: &[Case] = &[
    case(
        "seal_against_writing_waits_for_a_region",
        "EBUSY while the device may write, then nobody does",
        sealed,
    ),
    case(
        "seal_against_later_writing_spares_a_region",
        "that was there before it; a new mapping is no destination",
        sealed_for_later,
    ),
    case(
        "efault_for_secret_memory",
        "with its address, whoever pins it; the CPU may copy it",
        secret,
    ),
    case(
        "efault_for_memory_behind_a_protection_key",
        "as the thread's rights are; a region has it from before",
        behind_a_key,
    )
    .not_on_debug("it has no protection keys"),
    case(
        "root_of_a_user_namespace_is_not_exempt_from_memlock",
        "from the limit, whoever pins",
        namespace,
    )
    .not_on_debug("it has no user namespaces"),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

const READ_WRITE: i32 = libc::PROT_READ | libc::PROT_WRITE;

/// A memory file of a page that can be sealed, and a mapping of it.
fn sealable() -> Outcome<(OwnedFd, Mapping)> {
    let file = os::memfd(PAGE, MemfdFlags::ALLOW_SEALING)?;
    let memory = Mapping::new(PAGE, READ_WRITE, libc::MAP_SHARED, Some(file.as_fd()))?;
    pattern::write(&memory, 0, PAGE, 1);
    Ok((file, memory))
}

fn content(file: OwnedFd) -> Outcome<Vec<u8>> {
    use std::os::unix::fs::FileExt;
    let mut bytes = vec![0; PAGE];
    File::from(file).read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

fn sealed(_: Leg) -> Outcome {
    let device = Device::open()?;
    fill_device(&device, 2)?;
    let (file, memory) = sealable()?;
    let region = device.register(&[seg(&memory, 0, PAGE)])?;
    drop(memory);
    let seal = || errno_of(os::seal(file.as_fd(), SealFlags::WRITE));
    same("errno", errno_name(seal()), errno_name(libc::EBUSY))?;
    device
        .from_device(0, &[within(region, 0, PAGE)])
        .succeeded(PAGE)?;
    same("unregister", device.unregister(region), 0)?;
    same("errno", errno_name(seal()), errno_name(0))?;
    let view = |protection, flags| Mapping::new(PAGE, protection, flags, Some(file.as_fd()));
    let shared = view(libc::PROT_READ, libc::MAP_SHARED)?;
    refused_as_destination(&device, &shared)?;
    // What is written to a private mapping is not the file's.
    fill_device(&device, 3)?;
    let private = view(READ_WRITE, libc::MAP_PRIVATE)?;
    let region = device.register(&[seg(&private, 0, PAGE)])?;
    device
        .from_device(0, &[within(region, 0, PAGE)])
        .succeeded(PAGE)?;
    pattern::verify(&private, 0, PAGE, 3)?;
    pattern::expect(&content(file)?, &pattern::bytes(2, PAGE))
}

/// Neither a transfer nor a region may write there.
fn refused_as_destination(device: &Device, memory: &Mapping) -> Outcome {
    let page = [seg(memory, 0, PAGE)];
    let out = device.from_device(0, &page).refused(libc::EFAULT)?;
    same("address", out.fault_addr, memory.addr(0))?;
    let out = device
        .register_with(register(abi::DEV_WRITE, &page))
        .refused(libc::EFAULT)?;
    same("address", out.fault_addr, memory.addr(0))
}

fn sealed_for_later(_: Leg) -> Outcome {
    let device = Device::open()?;
    fill_device(&device, 2)?;
    let (file, memory) = sealable()?;
    let region = device.register(&[seg(&memory, 0, PAGE)])?;
    os::seal(file.as_fd(), SealFlags::FUTURE_WRITE)?;
    device
        .from_device(0, &[within(region, 0, PAGE)])
        .succeeded(PAGE)?;
    let later = Mapping::new(PAGE, libc::PROT_READ, libc::MAP_SHARED, Some(file.as_fd()))?;
    pattern::verify(&later, 0, PAGE, 2)?;
    refused_as_destination(&device, &later)?;
    device
        .to_device(0, &[seg(&later, 0, PAGE)])
        .succeeded(PAGE)?;
    same("unregister", device.unregister(region), 0)?;
    pattern::expect(&content(file)?, &pattern::bytes(2, PAGE))
}

/// Every way to pin `memory` fails there, in each of these directions.
fn unpinnable(device: &Device, memory: &Mapping, directions: &[(u32, u32)]) -> Outcome {
    let before = device.stats()?.out_pinned_pages;
    let queue = Queue::create(device, 1)?;
    let page = [seg(memory, 0, PAGE)];
    for &(direction, access) in directions {
        let call = device.transfer(transfer(direction, 0, &page));
        let out = call.refused(libc::EFAULT)?;
        same("address", out.fault_addr, memory.addr(0))?;
        let out = device
            .register_with(register(access, &page))
            .refused(libc::EFAULT)?;
        same("address", out.fault_addr, memory.addr(0))?;
        queue
            .submit(device, &[entry(1, direction, 0, page[0])])
            .only(0, libc::EFAULT)?;
        let range = range(memory, 0, PAGE);
        let answer = if direction == abi::TO_DEVICE {
            pwrite(device, range, 0)
        } else {
            pread(device, range, 0)
        };
        answer.failed(libc::EFAULT)?;
    }
    same("pages pinned", device.stats()?.out_pinned_pages, before)
}

const TO: (u32, u32) = (abi::TO_DEVICE, abi::DEV_READ);
const FROM: (u32, u32) = (abi::FROM_DEVICE, abi::DEV_WRITE);

fn secret(_: Leg) -> Outcome {
    let device = Device::open()?;
    let file = sys::secret_file()?;
    rustix::fs::ftruncate(&file, PAGE as u64)?;
    let memory = Mapping::new(PAGE, READ_WRITE, libc::MAP_SHARED, Some(file.as_fd()))?;
    pattern::write(&memory, 0, PAGE, 4);
    unpinnable(&device, &memory, &[TO, FROM])?;
    let page = [seg(&memory, 0, PAGE)];
    let copied = |direction| {
        let mut request = transfer(direction, 0, &page);
        request.flags = abi::MUST_COPY;
        device.transfer(request).succeeded(PAGE)
    };
    copied(abi::TO_DEVICE)?;
    device_holds(&device, &pattern::bytes(4, WINDOW))?;
    fill_device(&device, 5)?;
    copied(abi::FROM_DEVICE)?;
    pattern::verify(&memory, 0, PAGE, 5)
}

fn behind_a_key(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    pattern::write(&memory, 0, PAGE, 6);
    let region = device.register_for(BOTH, &[seg(&memory, 0, PAGE)])?;
    for (rights, closed) in [
        (Key::NO_ACCESS, &[TO, FROM][..]),
        (Key::NO_WRITING, &[FROM][..]),
    ] {
        let Some(key) = Key::without(rights)? else {
            ktap::note("this processor has no protection keys");
            return Ok(());
        };
        memory.protect_by(&key, READ_WRITE)?;
        unpinnable(&device, &memory, closed)?;
        if !closed.contains(&TO) {
            device
                .to_device(0, &[seg(&memory, 0, PAGE)])
                .succeeded(PAGE)?;
        }
        // The rights are the thread's, and those of the device from before.
        device
            .to_device(0, &[within(region, 0, PAGE)])
            .succeeded(PAGE)?;
        device_holds(&device, &pattern::bytes(6, WINDOW))?;
        memory.protect_by(&Key::common(), READ_WRITE)?;
    }
    same("unregister", device.unregister(region), 0)
}

fn namespace(_: Leg) -> Outcome {
    let device = Device::open()?;
    flight::in_child(|| {
        user::become_ordinary(2 * PAGE as u64)?;
        sys::new_user_namespace()?;
        check(os::has_ipc_lock()?, "it is no root in there")?;
        let memory = Mapping::anonymous(3 * PAGE)?;
        memory.fill(0, 3 * PAGE, 1);
        let three = [seg(&memory, 0, 3 * PAGE)];
        let bytes = [0, 1, 2].map(|page| seg(&memory, page * PAGE, 8));
        let out = device.to_device(0, &bytes).refused(libc::ENOMEM)?;
        check(out.flags & abi::OUT_MEMLOCK != 0, "not for the limit")?;
        same("limit", out.memlock_limit, 2 * PAGE as u64)?;
        let out = device
            .register_with(register(BOTH, &three))
            .refused(libc::ENOMEM)?;
        check(out.flags & abi::OUT_MEMLOCK != 0, "not for the limit")?;
        let out = Pool::refused(&device, ask(3, PAGE), libc::ENOMEM, 0)?;
        check(out.flags & abi::OUT_MEMLOCK != 0, "not for the limit")?;
        same("VmPin", counters::pinned_kib("self")?, 0)?;
        device
            .to_device(0, &[seg(&memory, 1, PAGE)])
            .succeeded(PAGE)
            .map(drop)
    })
}
