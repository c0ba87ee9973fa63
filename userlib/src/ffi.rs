// SPDX-License-Identifier: MIT OR GPL-2.0
//! The ioctl calls: the only file of the crate with `unsafe` in it.
//!
//! Its functions are safe because a [`Node`] is known to be pindma's, because
//! vectors are built here from borrowed slices, and because no call with a
//! destination returns while the device may still write to it.

use std::io::{self, IoSlice, IoSliceMut, Write};

use rustix::io::Errno;
use rustix::ioctl::{ioctl, Opcode, Updater};

use crate::node::Node;
use crate::sys;

const INFO: Opcode = sys::PINDMA_INFO as Opcode;
const CHANNEL_INFO: Opcode = sys::PINDMA_CHANNEL_INFO as Opcode;
const STATS: Opcode = sys::PINDMA_STATS as Opcode;
const TRANSFER: Opcode = sys::PINDMA_TRANSFER as Opcode;
const COPY: Opcode = sys::PINDMA_COPY as Opcode;

/// Last words before an abort.
const STUCK: &str =
    "pindma: the device did not stop when told to and may still write to memory of this process; \
     aborting, because no safe program may go on with such memory";

/// The part of a transfer or a copy that is not memory of this process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Params {
    pub(crate) channel: u32,
    pub(crate) dev_flags: u32,
    /// Bytes into the channel's memory.
    pub(crate) dev_addr: u64,
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub(crate) deadline: i64,
}

/// How a transfer or a copy ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcome {
    /// 0, or why it ended before it was complete.
    pub(crate) errno: i32,
    /// Whether the device was told to work at least once.
    pub(crate) started: bool,
    pub(crate) result: sys::pindma_result,
}

impl Outcome {
    fn new(returned: rustix::io::Result<()>, result: sys::pindma_result) -> Self {
        Self {
            errno: match returned {
                Ok(()) => result.status.saturating_neg(),
                Err(errno) => errno.raw_os_error(),
            },
            started: returned.is_ok() || result.flags & sys::PINDMA_OUT_STARTED != 0,
            result,
        }
    }

    fn refused(errno: Errno) -> Self {
        Self::new(Err(errno), sys::pindma_result::default())
    }

    /// Whether the device was at work and the kernel could not stop it.
    fn may_still_run(&self) -> bool {
        self.started && self.errno == Errno::NOTRECOVERABLE.raw_os_error()
    }

    /// Keeps a destination from being handed back while the device may write it.
    fn drained_or_abort(self) -> Self {
        if self.may_still_run() {
            // Not eprintln, which panics if it cannot write: unwinding would
            // hand the destination back.
            let _ = writeln!(io::stderr(), "{STUCK}");
            std::process::abort();
        }
        self
    }
}

/// What the device is and can do.
pub(crate) fn info(node: &Node) -> rustix::io::Result<sys::pindma_info> {
    let mut arg = sys::pindma_info {
        size: size_of::<sys::pindma_info>() as u32,
        ..Default::default()
    };
    // SAFETY: INFO takes a pindma_info, which holds no pointers.
    unsafe { call::<INFO, _>(node, &mut arg) }.map(|()| arg)
}

/// What one channel can do.
pub(crate) fn channel_info(
    node: &Node,
    channel: u32,
) -> rustix::io::Result<sys::pindma_channel_info> {
    let mut arg = sys::pindma_channel_info {
        size: size_of::<sys::pindma_channel_info>() as u32,
        channel,
        ..Default::default()
    };
    // SAFETY: CHANNEL_INFO takes a pindma_channel_info, which holds no pointers.
    unsafe { call::<CHANNEL_INFO, _>(node, &mut arg) }.map(|()| arg)
}

/// What this open file has done.
pub(crate) fn stats(node: &Node) -> rustix::io::Result<sys::pindma_stats> {
    let mut arg = sys::pindma_stats {
        size: size_of::<sys::pindma_stats>() as u32,
        ..Default::default()
    };
    // SAFETY: STATS takes a pindma_stats, which holds no pointers.
    unsafe { call::<STATS, _>(node, &mut arg) }.map(|()| arg)
}

/// Has the device read `from`.
pub(crate) fn to_device(node: &Node, params: &Params, from: &[IoSlice<'_>]) -> Outcome {
    let segs = sources(from);
    // SAFETY: the device only reads, and `segs` describes borrowed slices.
    unsafe { transfer(node, params, sys::PINDMA_TO_DEVICE, &segs) }
}

/// Has the device write `to`.
pub(crate) fn from_device(node: &Node, params: &Params, to: &mut [IoSliceMut<'_>]) -> Outcome {
    let segs = destinations(to);
    // SAFETY: `segs` describes mutably borrowed slices.  They are not handed
    // back before the device is done with them, see drained_or_abort.
    unsafe { transfer(node, params, sys::PINDMA_FROM_DEVICE, &segs) }.drained_or_abort()
}

/// Has the device read `from` and write it to `to`.
pub(crate) fn copy(
    node: &Node,
    params: &Params,
    from: &[IoSlice<'_>],
    to: &mut [IoSliceMut<'_>],
) -> Outcome {
    let (src, dst) = (sources(from), destinations(to));
    let (Some(nr_src), Some(nr_dst)) = (count(&src), count(&dst)) else {
        return Outcome::refused(Errno::MSGSIZE);
    };
    let mut arg = sys::pindma_copy {
        size: size_of::<sys::pindma_copy>() as u32,
        channel: params.channel,
        src: address(src.as_ptr()),
        dst: address(dst.as_ptr()),
        nr_src,
        nr_dst,
        deadline: params.deadline,
        ..Default::default()
    };
    // SAFETY: COPY takes a pindma_copy; `src` and `dst` live until it returns,
    // hold as many elements as said, and describe slices borrowed for reading
    // and for writing.  The latter are not handed back before the device is
    // done with them, see drained_or_abort.
    let returned = unsafe { call::<COPY, _>(node, &mut arg) };
    Outcome::new(returned, arg.out).drained_or_abort()
}

/// # Safety
///
/// `segs` must describe memory that is borrowed for reading or, if `direction`
/// is `PINDMA_FROM_DEVICE`, for writing, until [`Outcome::may_still_run`] has
/// been looked at.
unsafe fn transfer(
    node: &Node,
    params: &Params,
    direction: sys::pindma_direction,
    segs: &[sys::pindma_seg],
) -> Outcome {
    let Some(nr_segs) = count(segs) else {
        return Outcome::refused(Errno::MSGSIZE);
    };
    let mut arg = sys::pindma_transfer {
        size: size_of::<sys::pindma_transfer>() as u32,
        channel: params.channel,
        direction,
        segs: address(segs.as_ptr()),
        nr_segs,
        dev_flags: params.dev_flags,
        dev_addr: params.dev_addr,
        deadline: params.deadline,
        ..Default::default()
    };
    // SAFETY: TRANSFER takes a pindma_transfer; `segs` lives until it returns
    // and holds as many elements as said; the caller vouches for what they say.
    let returned = unsafe { call::<TRANSFER, _>(node, &mut arg) };
    Outcome::new(returned, arg.out)
}

/// # Safety
///
/// `OPCODE` must be a command that takes a `T` whose first field is its size,
/// and whatever addresses `arg` holds must be valid for what the command does.
unsafe fn call<const OPCODE: Opcode, T>(node: &Node, arg: &mut T) -> rustix::io::Result<()> {
    // SAFETY: the caller vouches for OPCODE and T.
    let update = unsafe { Updater::<OPCODE, T>::new(arg) };
    // SAFETY: a Node is pindma's, so the number means the command that it should.
    unsafe { ioctl(node, update) }
}

fn sources(slices: &[IoSlice<'_>]) -> Vec<sys::pindma_seg> {
    slices
        .iter()
        .map(|slice| seg(address(slice.as_ptr()), slice.len()))
        .collect()
}

fn destinations(slices: &mut [IoSliceMut<'_>]) -> Vec<sys::pindma_seg> {
    slices
        .iter_mut()
        .map(|slice| seg(address(slice.as_mut_ptr()), slice.len()))
        .collect()
}

fn seg(addr: u64, len: usize) -> sys::pindma_seg {
    sys::pindma_seg {
        addr,
        len: len as u64,
        ..Default::default()
    }
}

/// The pointer as the ABI wants it.  It is exposed, since the device is going
/// to use it behind the compiler's back.
fn address<T>(pointer: *const T) -> u64 {
    pointer.expose_provenance() as u64
}

fn count(segs: &[sys::pindma_seg]) -> Option<u32> {
    u32::try_from(segs.len()).ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    const SIGABRT: i32 = 6;

    fn outcome(returned: rustix::io::Result<()>, status: i32, flags: u32) -> Outcome {
        let result = sys::pindma_result {
            status,
            flags,
            ..Default::default()
        };
        Outcome::new(returned, result)
    }

    #[test]
    fn errno_comes_from_the_status_once_started() {
        assert_eq!(outcome(Ok(()), 0, sys::PINDMA_OUT_STARTED).errno, 0);
        assert_eq!(outcome(Ok(()), -4, sys::PINDMA_OUT_STARTED).errno, 4);
        assert_eq!(outcome(Err(Errno::INVAL), 0, 0).errno, 22);
    }

    #[test]
    fn only_a_started_call_that_could_not_be_stopped_may_still_run() {
        let stuck = -Errno::NOTRECOVERABLE.raw_os_error();
        assert!(outcome(Ok(()), stuck, sys::PINDMA_OUT_STARTED).may_still_run());
        assert!(outcome(Ok(()), stuck, 0).may_still_run());
        assert!(!outcome(Ok(()), -4, sys::PINDMA_OUT_STARTED).may_still_run());
        assert!(!outcome(Ok(()), 0, sys::PINDMA_OUT_STARTED).may_still_run());
        assert!(!outcome(Err(Errno::NOTRECOVERABLE), stuck, 0).may_still_run());
    }

    #[test]
    #[ignore = "aborts; run by destination_of_a_stuck_device_is_not_handed_back"]
    fn abort_in_a_child() {
        let stuck = -Errno::NOTRECOVERABLE.raw_os_error();
        outcome(Ok(()), stuck, sys::PINDMA_OUT_STARTED).drained_or_abort();
    }

    #[test]
    fn destination_of_a_stuck_device_is_not_handed_back() {
        let test = std::env::current_exe().expect("a test has a path");
        let child = std::process::Command::new(test)
            .args([
                "ffi::tests::abort_in_a_child",
                "--exact",
                "--ignored",
                "--nocapture",
            ])
            .output()
            .expect("the test can be run again");
        assert_eq!(child.status.signal(), Some(SIGABRT));
        assert!(String::from_utf8_lossy(&child.stderr).contains(STUCK));
    }

    #[test]
    fn segments_describe_the_slices() {
        let (mut one, two) = ([0u8; 5], [0u8; 7]);
        let expected = two.as_ptr().addr() as u64;
        let segs = sources(&[IoSlice::new(&one), IoSlice::new(&two)]);
        assert_eq!((segs[0].len, segs[1].len), (5, 7));
        assert_eq!(
            (segs[1].addr, segs[1].handle, segs[1].flags),
            (expected, 0, 0)
        );
        assert_eq!(
            destinations(&mut [IoSliceMut::new(&mut one)])[0].addr,
            segs[0].addr
        );
    }
}
