// SPDX-License-Identifier: GPL-2.0

//! Files that one process opens and another uses: nothing binds a file to the
//! memory of whoever opened it.

use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::abi::{self, pindma_transfer};
use crate::boot;
use crate::check::{check, Fail, Outcome};
use crate::compare::{flat, Bench};
use crate::device::{seg_at, transfer, Device, PAGE};
use crate::flight;
use crate::leg::Leg;
use crate::os;
use crate::pattern;
use crate::sys::{self, Mapping};
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    case(
        "file_opened_by_a_shell_works_after_exec",
        "sh: exec 3<>/dev/pindma0",
        shell,
    ),
    case(
        "file_survives_exec_without_cloexec",
        "the same process, new memory",
        exec,
    ),
    case(
        "file_passed_by_scm_rights_works",
        "in a process that has no other",
        passed,
    ),
    case(
        "inherited_file_works_after_the_opener_is_gone",
        "its memory is gone too",
        orphan,
    ),
    case(
        "caller_of_32_bits_gets_the_same",
        "through the compat entry",
        compat,
    ),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Race)
}

fn shell(_: Leg) -> Outcome {
    let script = "exec 3<>/dev/pindma0; exec /init --use-fd 3";
    let status = boot::program("/bin/busybox", &["sh", "-c", script])?;
    check(status.success(), format!("the program ended with {status}"))
}

fn exec(_: Leg) -> Outcome {
    flight::in_child(|| {
        let device = Device::open()?;
        os::keep_across_exec(device.fd())?;
        let number = device.fd().as_raw_fd().to_string();
        let error = Command::new("/init").args(["--use-fd", &number]).exec();
        Err(Fail::new(error))
    })
}

/// A round trip on this file.
fn use_it(device: Device) -> Outcome {
    let (src, dst) = (Mapping::anonymous(PAGE)?, Mapping::anonymous(PAGE)?);
    Bench::on(device, src, dst).round_trip(flat(PAGE))
}

fn passed(_: Leg) -> Outcome {
    let (ours, theirs) = UnixStream::pair()?;
    let child = flight::child(|| use_it(Device::from(os::receive_fd(&theirs)?)))?;
    {
        let device = Device::open()?;
        os::send_fd(&ours, device.fd())?;
    }
    flight::finish(child)
}

fn orphan(_: Leg) -> Outcome {
    let (ours, theirs) = UnixStream::pair()?;
    flight::in_child(|| {
        let device = Device::open()?;
        Ok(os::send_fd(&theirs, device.fd())?)
    })?;
    use_it(Device::from(os::receive_fd(&ours)?))
}

/// One transfer by a 32-bit caller, with everything below 4 GiB.
fn compat_transfer(device: &Device, low: &Mapping, direction: u32, data: usize) -> Outcome {
    let vector = seg_at(low.addr(data), 300);
    let words = [vector.addr, vector.len, 0];
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    low.write(1024, &bytes);
    let mut request = transfer(direction, 5, &[]);
    (request.segs, request.nr_segs) = (low.addr(1024), 1);
    low.write(0, &sys::bytes_of(&request));
    sys::ioctl_compat(device.fd(), abi::PINDMA_TRANSFER, low.addr(0))?;
    let answer: pindma_transfer = sys::from_bytes(&low.read(0, size_of::<pindma_transfer>()));
    let done = answer.out.status == 0 && answer.out.bytes == 300;
    check(done, format!("status {}", answer.out.status))
}

fn compat(_: Leg) -> Outcome {
    let device = Device::open()?;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_32BIT;
    let low = Mapping::new(3 * PAGE, libc::PROT_READ | libc::PROT_WRITE, flags, None)?;
    pattern::write(&low, PAGE, 300, 6);
    compat_transfer(&device, &low, abi::TO_DEVICE, PAGE)?;
    compat_transfer(&device, &low, abi::FROM_DEVICE, 2 * PAGE + 7)?;
    pattern::verify(&low, 2 * PAGE + 7, 300, 6)
}
