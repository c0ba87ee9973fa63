// SPDX-License-Identifier: GPL-2.0

//! Registered memory.

use std::fmt;

use crate::abi::{
    self, pindma_region_info, pindma_region_register, pindma_region_sync, pindma_region_unregister,
    pindma_result, pindma_seg,
};
use crate::check::{check, errno_name, same, Outcome};
use crate::device::Device;

/// A region may be read and written by the device.
pub(crate) const BOTH: u32 = abi::DEV_READ | abi::DEV_WRITE;

/// A registration; `segs` must outlive its use.
pub(crate) fn register(access: u32, segs: &[pindma_seg]) -> pindma_region_register {
    pindma_region_register {
        size: size_of::<pindma_region_register>() as u32,
        segs: segs.as_ptr() as u64,
        nr_segs: segs.len() as u32,
        access,
        ..pindma_region_register::default()
    }
}

/// How a registration ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Registered {
    /// Errno of the ioctl, 0 for success.
    pub(crate) errno: i32,
    pub(crate) handle: u32,
    pub(crate) out: pindma_result,
}

impl Registered {
    /// It was registered; its handle.
    #[track_caller]
    pub(crate) fn succeeded(self) -> Outcome<u32> {
        check(self.errno == 0 && self.out.status == 0, self)?;
        check(self.handle != 0, "the handle is 0")?;
        Ok(self.handle)
    }

    /// It was refused; ioctl and result say the same errno.
    #[track_caller]
    pub(crate) fn refused(self, errno: i32) -> Outcome<pindma_result> {
        check(
            self.errno == errno,
            format!("{self}, not {}", errno_name(errno)),
        )?;
        same("status", self.out.status, -errno)?;
        Ok(self.out)
    }

    /// It was refused because of this input.
    #[track_caller]
    pub(crate) fn refused_for(self, errno: i32, field: u32) -> Outcome<pindma_result> {
        let out = self.refused(errno)?;
        same("field", out.field, field)?;
        Ok(out)
    }
}

impl fmt::Display for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let out = &self.out;
        write!(
            f,
            "ioctl {}, status {}, field {}, index {}, at {:#x}, {} pinned",
            errno_name(self.errno),
            errno_name(-out.status),
            out.field,
            out.fault_index,
            out.fault_addr,
            out.pages_pinned
        )
    }
}

/// A range of a region, as a segment.
pub(crate) fn within(handle: u32, offset: usize, len: usize) -> pindma_seg {
    pindma_seg {
        addr: offset as u64,
        len: len as u64,
        handle,
        flags: 0,
    }
}

impl Device {
    pub(crate) fn register_with(&self, mut request: pindma_region_register) -> Registered {
        let errno = self.command(abi::PINDMA_REGION_REGISTER, &mut request);
        Registered {
            errno,
            handle: request.out_handle,
            out: request.out,
        }
    }

    /// Registers for both directions; memory may be bounced, so that it works on
    /// every leg.
    pub(crate) fn register(&self, segs: &[pindma_seg]) -> Outcome<u32> {
        self.register_for(BOTH, segs)
    }

    /// The same, for what the device may do.
    pub(crate) fn register_for(&self, access: u32, segs: &[pindma_seg]) -> Outcome<u32> {
        let mut request = register(access, segs);
        request.flags = abi::REGION_MAY_BOUNCE;
        self.register_with(request).succeeded()
    }

    /// The errno.
    pub(crate) fn unregister(&self, handle: u32) -> i32 {
        self.command(
            abi::PINDMA_REGION_UNREGISTER,
            &mut pindma_region_unregister {
                size: size_of::<pindma_region_unregister>() as u32,
                handle,
                ..pindma_region_unregister::default()
            },
        )
    }

    /// Waits until nobody uses it; the errno.
    pub(crate) fn unregister_by(&self, handle: u32, deadline: i64) -> i32 {
        self.command(
            abi::PINDMA_REGION_UNREGISTER,
            &mut pindma_region_unregister {
                size: size_of::<pindma_region_unregister>() as u32,
                flags: abi::UNREGISTER_WAIT,
                handle,
                deadline,
                ..pindma_region_unregister::default()
            },
        )
    }

    /// Begins or ends access by the CPU; the errno.
    pub(crate) fn sync(&self, flags: u32, handle: u32, (offset, len): (u64, u64)) -> i32 {
        self.command(
            abi::PINDMA_REGION_SYNC,
            &mut pindma_region_sync {
                size: size_of::<pindma_region_sync>() as u32,
                flags,
                handle,
                offset,
                len,
                ..pindma_region_sync::default()
            },
        )
    }

    /// The errno, and what was told.
    pub(crate) fn ask_region(&self, handle: u32) -> (i32, pindma_region_info) {
        let mut info = pindma_region_info {
            size: size_of::<pindma_region_info>() as u32,
            handle,
            ..pindma_region_info::default()
        };
        let errno = self.command(abi::PINDMA_REGION_INFO, &mut info);
        (errno, info)
    }

    pub(crate) fn region(&self, handle: u32) -> Outcome<pindma_region_info> {
        let (errno, info) = self.ask_region(handle);
        check(errno == 0, format!("region info: {}", errno_name(errno)))?;
        Ok(info)
    }
}
