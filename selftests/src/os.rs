// SPDX-License-Identifier: GPL-2.0

//! What the operating system is asked for, where no `unsafe` is needed.

use std::ffi::CString;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::cmsg_space;
use rustix::event::epoll::{CreateFlags, Event, EventData, EventFlags};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec};
use rustix::fs::{MemfdFlags, OFlags, SealFlags, SeekFrom};
use rustix::io::{Errno, FdFlags};
use rustix::mount::MountFlags;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};
use rustix::process::{Gid, Resource, Rlimit, Uid};
use rustix::system::RebootCommand;
use rustix::thread::{CapabilitySet, CapabilitySets};
use rustix::time::ClockId;

// ---- files ----

/// A memory file of `len` bytes.
pub(crate) fn memfd(len: usize, flags: MemfdFlags) -> io::Result<OwnedFd> {
    let fd = rustix::fs::memfd_create("pindma", flags)?;
    rustix::fs::ftruncate(&fd, len as u64)?;
    Ok(fd)
}

/// Seals a memory file against something.
pub(crate) fn seal(fd: BorrowedFd<'_>, against: SealFlags) -> io::Result<()> {
    Ok(rustix::fs::fcntl_add_seals(fd, against)?)
}

/// Clears close-on-exec.
pub(crate) fn keep_across_exec(fd: BorrowedFd<'_>) -> io::Result<()> {
    Ok(rustix::io::fcntl_setfd(fd, FdFlags::empty())?)
}

/// Waits until `fd` can be read; false after `time`.
pub(crate) fn readable_within(fd: BorrowedFd<'_>, time: Duration) -> io::Result<bool> {
    Ok(poll_for(fd, PollFlags::IN, time)?.contains(PollFlags::IN))
}

/// What poll(2) says of `fd` within `time`.
pub(crate) fn poll(fd: BorrowedFd<'_>, time: Duration) -> io::Result<PollFlags> {
    let all = PollFlags::IN | PollFlags::OUT | PollFlags::PRI | PollFlags::RDHUP;
    poll_for(fd, all, time)
}

/// Waits until somebody is told that nothing will ever come from `fd`; false after
/// `time`.
pub(crate) fn hung_up_within(fd: BorrowedFd<'_>, time: Duration) -> io::Result<bool> {
    Ok(poll_for(fd, PollFlags::empty(), time)?.contains(PollFlags::HUP))
}

fn poll_for(fd: BorrowedFd<'_>, events: PollFlags, time: Duration) -> io::Result<PollFlags> {
    let mut polled = [PollFd::from_borrowed_fd(fd, events)];
    let begin = now();
    let timeout = Timespec::try_from(time).map_err(io::Error::other)?;
    rustix::event::poll(&mut polled, Some(&timeout))?;
    // poll(2) looks once more when its time is over: what it finds then, nobody was told.
    let late = !time.is_zero() && (now() - begin) as u128 >= time.as_nanos();
    Ok(if late {
        PollFlags::empty()
    } else {
        polled[0].revents()
    })
}

/// The calling thread, for [`sleeps_in`].
pub(crate) fn thread_id() -> u32 {
    rustix::thread::gettid()
        .as_raw_nonzero()
        .get()
        .unsigned_abs()
}

/// Whether a thread of this process sleeps in a system call.
pub(crate) fn sleeps_in(thread: u32, call: i64) -> io::Result<bool> {
    let state = std::fs::read_to_string(format!("/proc/self/task/{thread}/syscall"))?;
    Ok(state.split(' ').next() == Some(&call.to_string()))
}

/// How often a thread of this process has gone to sleep.
pub(crate) fn sleeps_of(thread: u32) -> io::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/self/task/{thread}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    let count = line.and_then(|count| count.trim().parse().ok());
    count.ok_or_else(|| io::Error::other("no voluntary_ctxt_switches"))
}

/// read(2).
pub(crate) fn read(fd: BorrowedFd<'_>, bytes: &mut [u8]) -> io::Result<usize> {
    Ok(rustix::io::read(fd, bytes)?)
}

/// readv(2) into two buffers.
pub(crate) fn read_two(fd: BorrowedFd<'_>, one: &mut [u8], two: &mut [u8]) -> io::Result<usize> {
    let mut both = [IoSliceMut::new(one), IoSliceMut::new(two)];
    Ok(rustix::io::readv(fd, &mut both)?)
}

/// write(2).
pub(crate) fn write(fd: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    Ok(rustix::io::write(fd, bytes)?)
}

/// lseek(2) to the start.
pub(crate) fn seek(fd: BorrowedFd<'_>) -> io::Result<u64> {
    Ok(rustix::fs::seek(fd, SeekFrom::Start(0))?)
}

/// Sets `O_NONBLOCK`.
pub(crate) fn set_nonblocking(fd: BorrowedFd<'_>) -> io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(fd)?;
    Ok(rustix::fs::fcntl_setfl(fd, flags | OFlags::NONBLOCK)?)
}

/// Whether `fd` is closed by an exec.
pub(crate) fn closes_on_exec(fd: BorrowedFd<'_>) -> io::Result<bool> {
    Ok(rustix::io::fcntl_getfd(fd)?.contains(FdFlags::CLOEXEC))
}

/// An eventfd with count 0 that never waits.
pub(crate) fn eventfd() -> io::Result<OwnedFd> {
    let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
    Ok(rustix::event::eventfd(0, flags)?)
}

/// Takes the count of an eventfd; 0 if it was not signalled.
pub(crate) fn count_of(eventfd: BorrowedFd<'_>) -> io::Result<u64> {
    let mut count = [0; 8];
    match rustix::io::read(eventfd, &mut count) {
        Ok(_) => Ok(u64::from_ne_bytes(count)),
        Err(Errno::AGAIN) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// epoll(7) on one file.
pub(crate) struct Epoll(OwnedFd);

impl Epoll {
    /// Watches `fd`; with `edges` only for what is new.
    pub(crate) fn of(fd: BorrowedFd<'_>, edges: bool) -> io::Result<Epoll> {
        let epoll = rustix::event::epoll::create(CreateFlags::CLOEXEC)?;
        let mut flags = EventFlags::IN | EventFlags::RDHUP;
        if edges {
            flags |= EventFlags::ET;
        }
        rustix::event::epoll::add(&epoll, fd, EventData::new_u64(0), flags)?;
        Ok(Epoll(epoll))
    }

    /// What there is within `time`; none if there is nothing.
    pub(crate) fn wait(&self, time: Duration) -> io::Result<EventFlags> {
        let time = Timespec::try_from(time).map_err(io::Error::other)?;
        let mut events = Vec::with_capacity(1);
        rustix::event::epoll::wait(&self.0, spare_capacity(&mut events), Some(&time))?;
        let none = EventFlags::empty();
        Ok(events.first().map_or(none, |event: &Event| event.flags))
    }
}

/// Sends `fd` over a socket.
pub(crate) fn send_fd(socket: &UnixStream, fd: BorrowedFd<'_>) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let fds = [fd];
    if !control.push(SendAncillaryMessage::ScmRights(&fds)) {
        return Err(io::Error::other("no room for the file"));
    }
    let data = [IoSlice::new(&[0])];
    rustix::net::sendmsg(socket, &data, &mut control, SendFlags::empty())?;
    Ok(())
}

/// Receives a file that [`send_fd`] sent.
pub(crate) fn receive_fd(socket: &UnixStream) -> io::Result<OwnedFd> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let mut data = [IoSliceMut::new(&mut byte)];
    rustix::net::recvmsg(socket, &mut data, &mut control, RecvFlags::empty())?;
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(mut fds) = message {
            return fds.next().ok_or_else(|| io::Error::other("no file came"));
        }
    }
    Err(io::Error::other("no file came"))
}

// ---- rights and limits ----

/// Sets `RLIMIT_MEMLOCK`, both of its values; all ones is no limit.
pub(crate) fn limit_memlock(bytes: u64) -> io::Result<()> {
    let bytes = (bytes != u64::MAX).then_some(bytes);
    let limit = Rlimit {
        current: bytes,
        maximum: bytes,
    };
    Ok(rustix::process::setrlimit(Resource::Memlock, limit)?)
}

/// Sets how many files may be open.
pub(crate) fn limit_files(count: u64) -> io::Result<()> {
    let limit = Rlimit {
        current: Some(count),
        maximum: Some(count),
    };
    Ok(rustix::process::setrlimit(Resource::Nofile, limit)?)
}

/// Sets how far the stack may grow from now on.
pub(crate) fn limit_stack(bytes: u64) -> io::Result<()> {
    let limit = Rlimit {
        current: Some(bytes),
        ..rustix::process::getrlimit(Resource::Stack)
    };
    Ok(rustix::process::setrlimit(Resource::Stack, limit)?)
}

/// Makes the only thread of the caller user `uid` for good; capabilities go
/// unless `keep_capabilities`.
pub(crate) fn become_user(uid: u32, keep_capabilities: bool) -> io::Result<()> {
    let (user, group) = (Uid::from_raw(uid), Gid::from_raw(uid));
    rustix::thread::set_keep_capabilities(keep_capabilities)?;
    rustix::thread::set_thread_res_gid(group, group, group)?;
    Ok(rustix::thread::set_thread_res_uid(user, user, user)?)
}

/// Makes the only thread of the caller user `uid` until it is made another; the group stays.
pub(crate) fn act_as(uid: u32) -> io::Result<()> {
    let (user, root) = (Uid::from_raw(uid), Uid::ROOT);
    rustix::thread::set_thread_res_uid(root, root, root)?;
    Ok(rustix::thread::set_thread_res_uid(user, user, root)?)
}

/// Makes what the only thread of the caller opens that of user `uid`; its rights stay those of root.
pub(crate) fn open_as(uid: u32) -> io::Result<()> {
    let (user, root) = (Uid::from_raw(uid), Uid::ROOT);
    Ok(rustix::thread::set_thread_res_uid(user, root, root)?)
}

/// Gives up every capability but `CAP_IPC_LOCK`.
pub(crate) fn keep_only_ipc_lock() -> io::Result<()> {
    let sets = CapabilitySets {
        effective: CapabilitySet::IPC_LOCK,
        permitted: CapabilitySet::IPC_LOCK,
        inheritable: CapabilitySet::empty(),
    };
    Ok(rustix::thread::set_capabilities(None, sets)?)
}

/// Whether the caller has `CAP_IPC_LOCK`, in its user namespace.
pub(crate) fn has_ipc_lock() -> io::Result<bool> {
    let sets = rustix::thread::capabilities(None)?;
    Ok(sets.effective.contains(CapabilitySet::IPC_LOCK))
}

/// Gives up `CAP_IPC_LOCK`: the limit of locked memory applies, also to root.
pub(crate) fn drop_ipc_lock() -> io::Result<()> {
    let mut sets = rustix::thread::capabilities(None)?;
    sets.effective.remove(CapabilitySet::IPC_LOCK);
    Ok(rustix::thread::set_capabilities(None, sets)?)
}

/// Gives up `CAP_SYS_RESOURCE`: what no limit counts is not for the caller.
pub(crate) fn drop_sys_resource() -> io::Result<()> {
    let mut sets = rustix::thread::capabilities(None)?;
    sets.effective.remove(CapabilitySet::SYS_RESOURCE);
    Ok(rustix::thread::set_capabilities(None, sets)?)
}

// ---- the machine ----

/// Nanoseconds of `CLOCK_MONOTONIC`.
pub(crate) fn now() -> i64 {
    let time = rustix::time::clock_gettime(ClockId::Monotonic);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// Processor time that the calling thread has used, in ns.
pub(crate) fn thread_time() -> i64 {
    let time = rustix::time::clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// What the kernel's command line says after `key`, such as `rig.soak=`.
pub(crate) fn order(key: &str) -> Option<String> {
    let line = std::fs::read_to_string("/proc/cmdline").ok()?;
    let order = |word: &str| word.strip_prefix(key).map(str::to_owned);
    line.split_whitespace().find_map(order)
}

/// Mounts a file system of `kind` at `target`.
pub(crate) fn mount(kind: &str, target: &str) -> io::Result<()> {
    Ok(rustix::mount::mount(
        kind,
        target,
        kind,
        MountFlags::empty(),
        None,
    )?)
}

/// Mounts the file system of `kind` on the disk `source` at `target`.
pub(crate) fn mount_from(source: &str, kind: &str, target: &str) -> io::Result<()> {
    let flags = MountFlags::empty();
    Ok(rustix::mount::mount(source, target, kind, flags, None)?)
}

/// The same, with what the file system is told.
pub(crate) fn mount_with(source: &str, kind: &str, target: &str, data: &str) -> io::Result<()> {
    let (flags, data) = (MountFlags::empty(), CString::new(data)?);
    Ok(rustix::mount::mount(
        source,
        target,
        kind,
        flags,
        Some(&*data),
    )?)
}

/// Unmounts what is at `target`.
pub(crate) fn unmount(target: &str) -> io::Result<()> {
    let flags = rustix::mount::UnmountFlags::empty();
    Ok(rustix::mount::unmount(target, flags)?)
}

/// Makes `fd` standard output and standard error.
pub(crate) fn redirect_output(fd: BorrowedFd<'_>) -> io::Result<()> {
    rustix::stdio::dup2_stdout(fd)?;
    Ok(rustix::stdio::dup2_stderr(fd)?)
}

/// `finit_module(2)`.
pub(crate) fn load_module(fd: BorrowedFd<'_>, parameters: &str) -> io::Result<()> {
    let parameters = CString::new(parameters)?;
    Ok(rustix::system::finit_module(fd, &parameters, 0)?)
}

/// `delete_module(2)`, which never waits.
pub(crate) fn unload_module(name: &str) -> io::Result<()> {
    let name = CString::new(name)?;
    Ok(rustix::system::delete_module(&name, libc::O_NONBLOCK)?)
}

/// Waits until everything that was printed has left the serial port.
pub(crate) fn drain_output() {
    // Output that fails has nowhere to be reported.
    let _ = rustix::termios::tcdrain(rustix::stdio::stdout());
}

/// Switches the machine off.
pub(crate) fn power_off() -> ! {
    rustix::fs::sync();
    let refused = rustix::system::reboot(RebootCommand::PowerOff);
    // The end of process 1 is a panic, which the runner notices.
    panic!("power off: {refused:?}");
}
