// SPDX-License-Identifier: GPL-2.0

//! read(2), write(2), lseek(2) on the node: positions, ends, errnos.

use std::os::fd::AsFd;

use rustix::io::Errno;
use rustix::pipe::SpliceFlags;

use crate::check::{check, same, Outcome};
use crate::device::{Device, PAGE, WINDOW};
use crate::flight;
use crate::leg::Leg;
use crate::pattern::{self, GUARD};
use crate::rw::{
    device_holds, fill_device, position, pread, preadv, pwrite, pwritev, range, read, seek, write,
};
use crate::sys::Mapping;
use crate::table::{Case, Needs};
use crate::user;

pub(crate) const CASES: &[Case] = &[
    memory(
        "write_and_read_make_a_round_trip",
        "one page, at the position",
        round_trip,
    ),
    memory(
        "read_and_write_at_odd_places",
        "of memory and of the device; neighbours stay",
        odd,
    ),
    memory(
        "position_follows_what_was_moved",
        "not that of pread and pwrite",
        positions,
    ),
    memory("read_is_short_at_the_end", "and then 0", short_read),
    memory("write_is_short_at_the_end", "and then ENOSPC", short_write),
    memory(
        "read_and_write_are_counted",
        "calls, jobs, bytes, pages",
        counted,
    ),
    memory(
        "write_from_read_only_memory_works",
        "read into it is EFAULT",
        read_only,
    ),
    memory(
        "node_opens_with_o_direct",
        "and O_APPEND changes nothing",
        flags,
    ),
    Case::new(
        "read_at_the_end_returns_0",
        "at it, behind it, far behind it",
        end,
    ),
    Case::new(
        "enospc_for_write_at_the_end",
        "at it, and behind it",
        no_space,
    ),
    Case::new("read_and_write_of_nothing", "0 bytes, anywhere", nothing),
    Case::new("lseek_set_cur_end", "within device memory", sought),
    Case::new(
        "einval_for_lseek_beyond_the_end",
        "before the start, and unknown ones",
        not_sought,
    ),
    Case::new("einval_for_negative_offset", "pread and pwrite", negative),
    Case::new("efault_for_read_and_write", "the position stays", unmapped),
    Case::new(
        "eagain_for_rwf_nowait",
        "always, but where nothing is to be done",
        nowait,
    ),
    Case::new("enomem_for_read_over_memlock", "a limit of zero", memlock),
    Case::new(
        "ebadf_for_the_other_way",
        "opened only for reading, or for writing",
        one_way,
    ),
    Case::new("einval_for_splice_and_sendfile", "both ways", splice),
];

const fn memory(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

fn round_trip(_: Leg) -> Outcome {
    let device = Device::open()?;
    let (src, dst) = (Mapping::anonymous(PAGE)?, Mapping::anonymous(PAGE)?);
    pattern::write(&src, 0, PAGE, 1);
    write(&device, range(&src, 0, PAGE)).moved(WINDOW)?;
    same("position", position(&device), WINDOW as i64)?;
    same("start", seek(&device, 0, libc::SEEK_SET), 0)?;
    read(&device, range(&dst, 0, PAGE)).moved(WINDOW)?;
    read(&device, range(&dst, 0, PAGE)).moved(0)?;
    pattern::verify(&dst, 0, PAGE, 1)
}

fn odd(_: Leg) -> Outcome {
    let device = Device::open()?;
    fill_device(&device, 1)?;
    let mut want = pattern::bytes(1, WINDOW);
    let (src, dst) = (Mapping::anonymous(2 * PAGE)?, Mapping::anonymous(2 * PAGE)?);
    for (seed, (from, len, at)) in [(1, 1, 0), (4095, 2, 17), (4000, 1000, 3001), (7, 4089, 7)]
        .into_iter()
        .enumerate()
    {
        let seed = seed as u64 + 2;
        pattern::write(&src, from, len, seed);
        pwrite(&device, range(&src, from, len), at as i64).moved(len)?;
        want[at..at + len].copy_from_slice(&pattern::bytes(seed, len));
        device_holds(&device, &want)?;
        dst.fill(0, 2 * PAGE, GUARD);
        pread(&device, range(&dst, from, len), at as i64).moved(len)?;
        pattern::verify(&dst, from, len, seed)?;
        pattern::verify_guard(&dst, 0, from)?;
        pattern::verify_guard(&dst, from + len, 2 * PAGE - from - len)?;
    }
    Ok(())
}

fn positions(_: Leg) -> Outcome {
    let device = Device::open()?;
    fill_device(&device, 3)?;
    same("position after pwrite", position(&device), 0)?;
    let memory = Mapping::anonymous(PAGE)?;
    let mut at = 0;
    for len in [1, 10, 100, 1000] {
        read(&device, range(&memory, at, len)).moved(len)?;
        at += len;
        same("position", position(&device), at as i64)?;
    }
    pread(&device, range(&memory, at, 50), 2000).moved(50)?;
    same("position after pread", position(&device), at as i64)?;
    // A vector at the position is what readv(2) is.
    let rest = [range(&memory, at, 11), range(&memory, at + 11, 200)];
    preadv(&device, &rest, -1, 0).moved(211)?;
    same("position after readv", position(&device), at as i64 + 211)?;
    pattern::expect(
        &memory.read(0, at + 211),
        &pattern::bytes(3, WINDOW)[..at + 211],
    )
}

fn short_read(_: Leg) -> Outcome {
    let device = Device::open()?;
    fill_device(&device, 4)?;
    let memory = Mapping::anonymous(2 * PAGE)?;
    memory.fill(0, 2 * PAGE, GUARD);
    same("position", seek(&device, -96, libc::SEEK_END), 4000)?;
    read(&device, range(&memory, 10, 5000)).moved(96)?;
    read(&device, range(&memory, 10, 5000)).moved(0)?;
    pattern::expect(&memory.read(10, 96), &pattern::bytes(4, WINDOW)[4000..])?;
    pattern::verify_guard(&memory, 106, 2 * PAGE - 106)?;
    pread(&device, range(&memory, 0, 2 * PAGE), 0).moved(WINDOW)?;
    pread(&device, range(&memory, 0, 2 * PAGE), 4095).moved(1)
}

fn short_write(_: Leg) -> Outcome {
    let device = Device::open()?;
    fill_device(&device, 5)?;
    let memory = Mapping::anonymous(2 * PAGE)?;
    pattern::write(&memory, 0, 2 * PAGE, 6);
    same("position", seek(&device, 4000, libc::SEEK_SET), 4000)?;
    write(&device, range(&memory, 0, 5000)).moved(96)?;
    write(&device, range(&memory, 0, 5000)).failed(libc::ENOSPC)?;
    same("position", position(&device), WINDOW as i64)?;
    let mut want = pattern::bytes(5, WINDOW);
    want[4000..].copy_from_slice(&pattern::bytes(6, 96));
    device_holds(&device, &want)
}

fn counted(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(2 * PAGE)?;
    memory.fill(0, 2 * PAGE, 1);
    pwrite(&device, range(&memory, PAGE - 100, 300), 0).moved(300)?;
    pread(&device, range(&memory, 0, 40), 0).moved(40)?;
    pread(&device, range(&memory, 0, 40), WINDOW as i64).moved(0)?;
    let stats = device.stats()?;
    same("calls", stats.out_calls, 2)?;
    same("windows", stats.out_windows, 2)?;
    same("pages", stats.out_pages, 3)?;
    same("pages now", stats.out_pinned_pages, 0)?;
    same("to the device", stats.out_bytes_to_device, 300)?;
    same("from the device", stats.out_bytes_from_device, 40)?;
    same("copied", stats.out_copied, 0)
}

fn read_only(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    pattern::write(&memory, 0, PAGE, 7);
    memory.protect(0, PAGE, libc::PROT_READ)?;
    pwrite(&device, range(&memory, 0, PAGE), 0).moved(WINDOW)?;
    pread(&device, range(&memory, 0, PAGE), 0).failed(libc::EFAULT)?;
    device_holds(&device, &pattern::bytes(7, WINDOW))
}

fn flags(_: Leg) -> Outcome {
    let device = Device::open_with(libc::O_DIRECT | libc::O_APPEND)?;
    fill_device(&device, 8)?;
    let memory = Mapping::anonymous(PAGE)?;
    // O_DIRECT asks for no alignment here.
    pread(&device, range(&memory, 3, 77), 5).moved(77)?;
    write(&device, range(&memory, 3, 77)).moved(77)?;
    same("position", position(&device), 77)
}

fn end(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    for at in [4096, 4097, 1 << 32, i64::MAX - 4096] {
        pread(&device, range(&memory, 0, 100), at).moved(0)?;
    }
    same("calls", device.stats()?.out_calls, 0)
}

fn no_space(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    for at in [4096, 4097, 1 << 32, i64::MAX - 4096] {
        pwrite(&device, range(&memory, 0, 100), at).failed(libc::ENOSPC)?;
    }
    same("calls", device.stats()?.out_calls, 0)
}

fn nothing(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    for at in [0, 5, 4096, 5000] {
        pread(&device, range(&memory, 0, 0), at).moved(0)?;
        pwrite(&device, range(&memory, 0, 0), at).moved(0)?;
        pwritev(&device, &[range(&memory, 0, 0); 3], at, 0).moved(0)?;
        pwritev(&device, &[], at, 0).moved(0)?;
    }
    same("jobs", device.stats()?.out_jobs, 0)
}

fn sought(_: Leg) -> Outcome {
    let device = Device::open()?;
    for (offset, whence, want) in [
        (0, libc::SEEK_END, 4096),
        (-1, libc::SEEK_END, 4095),
        (0, libc::SEEK_SET, 0),
        (100, libc::SEEK_CUR, 100),
        (-40, libc::SEEK_CUR, 60),
        (4096, libc::SEEK_SET, 4096),
    ] {
        same("position", seek(&device, offset, whence), want)?;
        same("position", position(&device), want)?;
    }
    Ok(())
}

fn not_sought(_: Leg) -> Outcome {
    let device = Device::open()?;
    seek(&device, 77, libc::SEEK_SET);
    for (offset, whence) in [
        (-1, libc::SEEK_SET),
        (4097, libc::SEEK_SET),
        (1, libc::SEEK_END),
        (-4097, libc::SEEK_END),
        (-78, libc::SEEK_CUR),
        (i64::MAX, libc::SEEK_CUR),
        (0, libc::SEEK_DATA),
        (0, libc::SEEK_HOLE),
        (0, 99),
    ] {
        let want = -i64::from(libc::EINVAL);
        let what = format!("lseek {offset} {whence}");
        same(&what, seek(&device, offset, whence), want)?;
        same("position", position(&device), 77)?;
    }
    Ok(())
}

fn negative(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    for at in [-1, -4096, i64::MIN] {
        pread(&device, range(&memory, 0, 1), at).failed(libc::EINVAL)?;
        pwrite(&device, range(&memory, 0, 1), at).failed(libc::EINVAL)?;
    }
    Ok(())
}

fn unmapped(_: Leg) -> Outcome {
    let device = Device::open()?;
    let mut memory = Mapping::anonymous(3 * PAGE)?;
    memory.punch(PAGE, PAGE)?;
    let hole = range(&memory, PAGE + 10, 100);
    read(&device, hole).failed(libc::EFAULT)?;
    write(&device, hole).failed(libc::EFAULT)?;
    read(&device, (8, 1)).failed(libc::EFAULT)?;
    read(&device, (0xffff_8880_0000_0000, 1)).failed(libc::EFAULT)?;
    same("position", position(&device), 0)?;
    same("calls", device.stats()?.out_calls, 0)
}

fn nowait(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    let some = [range(&memory, 0, 100)];
    for at in [0, 3, 4095, -1] {
        preadv(&device, &some, at, libc::RWF_NOWAIT).failed(libc::EAGAIN)?;
        pwritev(&device, &some, at, libc::RWF_NOWAIT).failed(libc::EAGAIN)?;
    }
    same("position", position(&device), 0)?;
    preadv(&device, &some, 4096, libc::RWF_NOWAIT).moved(0)?;
    pwritev(&device, &some, 4096, libc::RWF_NOWAIT).failed(libc::ENOSPC)?;
    same("jobs", device.stats()?.out_jobs, 0)
}

fn memlock(_: Leg) -> Outcome {
    let device = Device::open()?;
    flight::in_child(|| {
        user::become_ordinary(0)?;
        let memory = Mapping::anonymous(PAGE)?;
        pread(&device, range(&memory, 0, 1), 0).failed(libc::ENOMEM)?;
        pwrite(&device, range(&memory, 0, 1), 0).failed(libc::ENOMEM)
    })
}

fn one_way(_: Leg) -> Outcome {
    let memory = Mapping::anonymous(PAGE)?;
    let reader = Device::open_for(true, false)?;
    pwrite(&reader, range(&memory, 0, 1), 0).failed(libc::EBADF)?;
    let writer = Device::open_for(false, true)?;
    pread(&writer, range(&memory, 0, 1), 0).failed(libc::EBADF)
}

fn splice(_: Leg) -> Outcome {
    let device = Device::open()?;
    let (reader, writer) = rustix::pipe::pipe()?;
    for (from, to) in [(device.fd(), writer.as_fd()), (reader.as_fd(), device.fd())] {
        let flags = SpliceFlags::NONBLOCK;
        let spliced = rustix::pipe::splice(from, None, to, None, 100, flags);
        check(spliced == Err(Errno::INVAL), format!("splice: {spliced:?}"))?;
    }
    let sent = rustix::fs::sendfile(&writer, device.fd(), None, 100);
    check(sent == Err(Errno::INVAL), format!("sendfile: {sent:?}"))
}
