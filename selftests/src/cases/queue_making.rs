// SPDX-License-Identifier: GPL-2.0

//! Queues that are made, or are not.

use std::time::Duration;

use rustix::event::PollFlags;

use crate::abi;
use crate::check::{check, errno_name, same, Outcome};
use crate::counters;
use crate::device::{errno_of, seg, Device, PAGE};
use crate::leg::Leg;
use crate::os;
use crate::queue::{ask, ended, entry, Queue};
use crate::sys::{self, Mapping};
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    Case::new(
        "einval_for_queue_depth",
        "none, and more than info allows",
        depth,
    ),
    Case::new(
        "ebadf_for_read_of_a_queue_that_is_only_waited_for",
        "and its completion is still there",
        no_read,
    )
    .needs(Needs::Memory),
    Case::new(
        "eopnotsupp_for_unknown_flags_of_a_queue",
        "each bit",
        queue_flags,
    ),
    Case::new(
        "enospc_for_one_queue_too_many",
        "and one that is closed makes room",
        many_queues,
    ),
    // Kills the mutant that installs the descriptor first.
    Case::new(
        "efault_for_queue_that_cannot_be_told",
        "no descriptor is left, and no queue",
        untold,
    ),
    Case::new(
        "queue_is_closed_by_an_exec",
        "close-on-exec from the start",
        cloexec,
    ),
    Case::new(
        "info_tells_the_limits_of_queues",
        "and the deepest queue can be made",
        limits,
    ),
];

fn create_errno(request: &mut abi::pindma_queue_create) -> Outcome<i32> {
    Ok(Device::open()?.command(abi::PINDMA_QUEUE_CREATE, request))
}

fn depth(_: Leg) -> Outcome {
    let most = Device::open()?.info()?.out_max_depth;
    for depth in [0, most + 1, u32::MAX] {
        let errno = create_errno(&mut ask(depth))?;
        let what = format!("depth {depth}");
        same(&what, errno_name(errno), errno_name(libc::EINVAL))?;
    }
    Ok(())
}

fn no_read(_: Leg) -> Outcome {
    let device = Device::open()?;
    let mut request = ask(1);
    request.flags = abi::QUEUE_NO_READ;
    let errno = device.command(abi::PINDMA_QUEUE_CREATE, &mut request);
    same("create", errno_name(errno), errno_name(0))?;
    let queue = Queue::from_fd(sys::inherited_fd(request.out_fd)?)?;
    let memory = Mapping::anonymous(PAGE)?;
    let only = entry(7, abi::TO_DEVICE, 0, seg(&memory, 0, 64));
    queue.submit(&device, &[only]).all(1)?;
    let readable = os::poll(queue.fd(), Duration::from_secs(60))?;
    check(readable.contains(PollFlags::IN), format!("{readable:?}"))?;
    let errno = errno_name(errno_of(queue.read(PAGE)));
    same("read", errno, errno_name(libc::EBADF))?;
    ended(&queue.reap(1)?[0], 7, 0)
}

fn queue_flags(_: Leg) -> Outcome {
    for bit in 1..32 {
        let mut request = ask(1);
        request.flags = 1 << bit;
        let errno = create_errno(&mut request)?;
        same("flags", errno_name(errno), errno_name(libc::EOPNOTSUPP))?;
    }
    Ok(())
}

fn many_queues(_: Leg) -> Outcome {
    let device = Device::open()?;
    let most = device.info()?.out_max_queues;
    let queues: Outcome<Vec<_>> = (0..most).map(|_| Queue::create(&device, 1)).collect();
    let mut queues = queues?;
    let errno = device.command(abi::PINDMA_QUEUE_CREATE, &mut ask(1));
    same("one more", errno_name(errno), errno_name(libc::ENOSPC))?;
    // Those of another file do not count.
    drop(Queue::create(&Device::open()?, 1)?);
    queues.pop();
    queues.push(Queue::create(&device, 1)?);
    Ok(())
}

fn descriptors() -> Outcome<usize> {
    Ok(std::fs::read_dir("/proc/self/fd")?.count())
}

fn untold(_: Leg) -> Outcome {
    let device = Device::open()?;
    let argument = Mapping::anonymous(PAGE)?;
    argument.write(0, &sys::bytes_of(&ask(4)));
    argument.protect(0, PAGE, libc::PROT_READ)?;
    let before = descriptors()?;
    let called = sys::ioctl_at(device.fd(), abi::PINDMA_QUEUE_CREATE, argument.addr(0));
    let errno = errno_name(errno_of(called));
    same("create", errno, errno_name(libc::EFAULT))?;
    same("descriptors", descriptors()?, before)?;
    // Released on the way back to us.
    same("queues", counters::driver("queues")?, 0)
}

fn cloexec(_: Leg) -> Outcome {
    let queue = Queue::create(&Device::open()?, 1)?;
    check(os::closes_on_exec(queue.fd())?, "it is not")
}

fn limits(_: Leg) -> Outcome {
    let device = Device::open()?;
    let info = device.info()?;
    check(info.out_caps & abi::CAP_QUEUE != 0, "no CAP_QUEUE")?;
    for limit in [info.out_max_queues, info.out_max_depth, info.out_max_batch] {
        check((16..=65536).contains(&limit), format!("a limit of {limit}"))?;
    }
    drop(Queue::create(&device, info.out_max_depth)?);
    drop(Queue::create(&device, 1)?);
    Ok(())
}
