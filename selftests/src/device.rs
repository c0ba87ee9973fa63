// SPDX-License-Identifier: GPL-2.0

//! A thin client of the ABI.  It hides nothing: requests are the structs of
//! the header, and every field of an answer can be looked at.

use std::fmt;
use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;

use crate::abi::{self, pindma_copy, pindma_result, pindma_seg, pindma_transfer};
use crate::check::{check, errno_name, same, Fail, Outcome};
use crate::sys::{self, Mapping, Plain};

/// The node of the one device in the VM.
pub(crate) const NODE: &str = "/dev/pindma0";
/// Bytes of device memory, and of the device's largest job.
pub(crate) const WINDOW: usize = 4096;
/// Bytes of a page.
pub(crate) const PAGE: usize = 4096;

/// A segment of our own memory.
pub(crate) fn seg(mapping: &Mapping, offset: usize, len: usize) -> pindma_seg {
    seg_at(mapping.addr(offset), len as u64)
}

/// A segment anywhere.
pub(crate) fn seg_at(addr: u64, len: u64) -> pindma_seg {
    pindma_seg {
        addr,
        len,
        ..pindma_seg::default()
    }
}

/// A transfer request; `segs` must outlive its use.
pub(crate) fn transfer(direction: u32, dev_addr: usize, segs: &[pindma_seg]) -> pindma_transfer {
    pindma_transfer {
        size: size_of::<pindma_transfer>() as u32,
        direction,
        segs: segs.as_ptr() as u64,
        nr_segs: segs.len() as u32,
        dev_addr: dev_addr as u64,
        deadline: abi::DEADLINE_NONE,
        ..pindma_transfer::default()
    }
}

/// A copy request; both vectors must outlive its use.
pub(crate) fn copy(src: &[pindma_seg], dst: &[pindma_seg]) -> pindma_copy {
    pindma_copy {
        size: size_of::<pindma_copy>() as u32,
        src: src.as_ptr() as u64,
        nr_src: src.len() as u32,
        dst: dst.as_ptr() as u64,
        nr_dst: dst.len() as u32,
        deadline: abi::DEADLINE_NONE,
        ..pindma_copy::default()
    }
}

/// An open device file.
#[derive(Debug)]
pub(crate) struct Device {
    fd: OwnedFd,
}

impl Device {
    pub(crate) fn open() -> io::Result<Device> {
        Device::open_with(0)
    }

    /// Opens with more flags of open(2).
    pub(crate) fn open_with(flags: i32) -> io::Result<Device> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).custom_flags(flags);
        Ok(Device::from(OwnedFd::from(options.open(NODE)?)))
    }

    /// Opens for reading or writing only.
    pub(crate) fn open_for(reading: bool, writing: bool) -> io::Result<Device> {
        let options = OpenOptions::new().read(reading).write(writing).open(NODE)?;
        Ok(Device::from(OwnedFd::from(options)))
    }

    /// Another descriptor of the same open file.
    pub(crate) fn duplicate(&self) -> io::Result<Device> {
        Ok(Device::from(self.fd.try_clone()?))
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// One command on one struct; the errno, 0 for success.
    pub(crate) fn command<T: Plain>(&self, command: u32, argument: &mut T) -> i32 {
        errno_of(sys::ioctl(self.fd(), command, sys::bytes_of_mut(argument)))
    }

    pub(crate) fn transfer(&self, mut request: pindma_transfer) -> Call {
        let errno = self.command(abi::PINDMA_TRANSFER, &mut request);
        let out = request.out;
        Call { errno, out }
    }

    pub(crate) fn copy(&self, mut request: pindma_copy) -> Call {
        let errno = self.command(abi::PINDMA_COPY, &mut request);
        let out = request.out;
        Call { errno, out }
    }

    pub(crate) fn to_device(&self, dev_addr: usize, segs: &[pindma_seg]) -> Call {
        self.transfer(transfer(abi::TO_DEVICE, dev_addr, segs))
    }

    #[expect(clippy::wrong_self_convention, reason = "the word of the ABI")]
    pub(crate) fn from_device(&self, dev_addr: usize, segs: &[pindma_seg]) -> Call {
        self.transfer(transfer(abi::FROM_DEVICE, dev_addr, segs))
    }

    pub(crate) fn info(&self) -> Outcome<abi::pindma_info> {
        let mut info = abi::pindma_info {
            size: size_of::<abi::pindma_info>() as u32,
            ..abi::pindma_info::default()
        };
        match self.command(abi::PINDMA_INFO, &mut info) {
            0 => Ok(info),
            errno => Err(Fail::new(format!("info: {}", errno_name(errno)))),
        }
    }

    pub(crate) fn channel(&self, channel: u32) -> Outcome<abi::pindma_channel_info> {
        let mut info = abi::pindma_channel_info {
            size: size_of::<abi::pindma_channel_info>() as u32,
            channel,
            ..abi::pindma_channel_info::default()
        };
        match self.command(abi::PINDMA_CHANNEL_INFO, &mut info) {
            0 => Ok(info),
            errno => Err(Fail::new(format!("channel: {}", errno_name(errno)))),
        }
    }

    pub(crate) fn stats(&self) -> Outcome<abi::pindma_stats> {
        let mut stats = abi::pindma_stats {
            size: size_of::<abi::pindma_stats>() as u32,
            ..abi::pindma_stats::default()
        };
        match self.command(abi::PINDMA_STATS, &mut stats) {
            0 => Ok(stats),
            errno => Err(Fail::new(format!("stats: {}", errno_name(errno)))),
        }
    }
}

impl From<OwnedFd> for Device {
    fn from(fd: OwnedFd) -> Device {
        Device { fd }
    }
}

/// The errno of a system call, 0 for success.
pub(crate) fn errno_of<T>(result: io::Result<T>) -> i32 {
    result
        .err()
        .map_or(0, |error| error.raw_os_error().unwrap_or(-1))
}

/// How a transfer or a copy ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    /// Errno of the ioctl, 0 for success.
    pub(crate) errno: i32,
    pub(crate) out: pindma_result,
}

impl Call {
    /// All of it was done.
    #[track_caller]
    pub(crate) fn succeeded(self, bytes: usize) -> Outcome<pindma_result> {
        check(self.errno == 0 && self.out.status == 0, self)?;
        same("bytes", self.out.bytes, bytes as u64)?;
        check(self.out.flags & abi::OUT_STARTED != 0, "not marked started")?;
        let faults = abi::OUT_MEMLOCK | abi::OUT_FAULT | abi::OUT_FAULT_DST;
        same("flags of a fault", self.out.flags & faults, 0)?;
        Ok(self.out)
    }

    /// Nothing was started; ioctl and result say the same errno.
    #[track_caller]
    pub(crate) fn refused(self, errno: i32) -> Outcome<pindma_result> {
        check(
            self.errno == errno,
            format!("{self}, not {}", errno_name(errno)),
        )?;
        same("status", self.out.status, -errno)?;
        same("bytes", self.out.bytes, 0)?;
        check(self.out.flags & abi::OUT_STARTED == 0, "marked started")?;
        Ok(self.out)
    }

    /// Nothing was started because of this input.
    #[track_caller]
    pub(crate) fn refused_for(self, errno: i32, field: u32) -> Outcome<pindma_result> {
        let out = self.refused(errno)?;
        same("field", out.field, field)?;
        Ok(out)
    }

    /// Something was started, and ended with this errno after `out.bytes`.
    #[track_caller]
    pub(crate) fn stopped(self, errno: i32) -> Outcome<pindma_result> {
        let as_wanted = self.errno == 0 && self.out.status == -errno;
        check(as_wanted, format!("{self}, not {}", errno_name(errno)))?;
        check(self.out.flags & abi::OUT_STARTED != 0, "not marked started")?;
        Ok(self.out)
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errno = errno_name(self.errno);
        let status = errno_name(-self.out.status);
        let out = &self.out;
        write!(
            f,
            "ioctl {errno}, status {status}, {} bytes, field {}, index {}, at {:#x}, {} pinned",
            out.bytes, out.field, out.fault_index, out.fault_addr, out.pages_pinned
        )
    }
}
