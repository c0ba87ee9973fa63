// SPDX-License-Identifier: MIT OR GPL-2.0
//! Memory that is registered with a device.

use std::mem::ManuallyDrop;
use std::ops::Range;
use std::ptr::{self, NonNull};
use std::result::Result;
use std::sync::Arc;

use rustix::io::Errno;
use rustix::ioctl::Opcode;

use super::{address, call, die, seg, Buffer};
use crate::node::Node;
use crate::sys;

const REGISTER: Opcode = sys::PINDMA_REGION_REGISTER as Opcode;
const UNREGISTER: Opcode = sys::PINDMA_REGION_UNREGISTER as Opcode;
const SYNC: Opcode = sys::PINDMA_REGION_SYNC as Opcode;
const INFO: Opcode = sys::PINDMA_REGION_INFO as Opcode;

/// What is registered.
pub(crate) enum Backing {
    /// Freed when the device is done with it.
    Owned(Buffer),
    /// Of somebody who waits until the registration is over.
    Foreign(NonNull<[u8]>),
}

impl Backing {
    fn raw(&self) -> NonNull<[u8]> {
        match self {
            Self::Owned(buffer) => buffer.raw(),
            Self::Foreign(memory) => *memory,
        }
    }

    pub(crate) fn into_buffer(self) -> Option<Buffer> {
        match self {
            Self::Owned(buffer) => Some(buffer),
            Self::Foreign(_) => None,
        }
    }
}

/// Memory that the kernel keeps pinned and mapped under a handle.
///
/// # Invariants
///
/// The device may access `memory` until the kernel has said that `handle` is
/// unregistered; only then it is freed or given back.
pub(crate) struct Registration {
    node: Arc<Node>,
    handle: u32,
    memory: ManuallyDrop<Backing>,
}

// SAFETY: foreign memory is, by the promise of who registered it, as good as
// owned by the registration.
unsafe impl Send for Registration {}
// SAFETY: as above; a shared registration only lends shared slices.
unsafe impl Sync for Registration {}

/// A registration that the kernel has refused.
pub(crate) struct Rejected {
    pub(crate) memory: Backing,
    pub(crate) errno: i32,
    pub(crate) result: Box<sys::pindma_result>,
}

impl Registration {
    /// Registers `memory`; `flags` are `PINDMA_REGION_MAY_BOUNCE` and the like.
    pub(crate) fn new(
        node: &Arc<Node>,
        memory: Backing,
        access: u32,
        flags: u32,
    ) -> Result<Self, Rejected> {
        let raw = memory.raw();
        let segs = [seg(address(raw.as_ptr().cast::<u8>()), raw.len())];
        let mut arg = sys::pindma_region_register {
            size: size_of::<sys::pindma_region_register>() as u32,
            flags,
            segs: address(segs.as_ptr()),
            nr_segs: 1,
            access,
            ..Default::default()
        };
        // SAFETY: REGISTER takes a pindma_region_register; `segs` lives until it
        // returns and describes memory that the registration is going to own.
        match unsafe { call::<REGISTER, _>(node.port(), &mut arg) } {
            Ok(()) => Ok(Self {
                node: node.clone(),
                handle: arg.out_handle,
                memory: ManuallyDrop::new(memory),
            }),
            Err(errno) => Err(Rejected {
                memory,
                errno: errno.raw_os_error(),
                result: Box::new(arg.out),
            }),
        }
    }

    /// Gives the memory back; with `wait` once no transfer uses it any more, or
    /// not at all after that deadline.
    pub(crate) fn unregister(self, wait: Option<i64>) -> Result<Backing, (Self, Errno)> {
        match self.end(wait) {
            Ok(()) => {
                let mut this = ManuallyDrop::new(self);
                // SAFETY: the device is done with the memory, and `this`, which
                // is not dropped, is not used below.
                let memory = unsafe { ManuallyDrop::take(&mut this.memory) };
                // SAFETY: as above; the node is dropped in `this`'s stead.
                unsafe { ptr::drop_in_place(&mut this.node) };
                Ok(memory)
            }
            Err(errno) => Err((self, errno)),
        }
    }

    /// The memory, without a reference to it.
    pub(super) fn raw(&self) -> NonNull<[u8]> {
        self.memory.raw()
    }

    pub(super) fn node(&self) -> &Arc<Node> {
        &self.node
    }

    pub(super) fn handle(&self) -> u32 {
        self.handle
    }

    pub(super) fn is_foreign(&self) -> bool {
        matches!(&*self.memory, Backing::Foreign(_))
    }

    pub(crate) fn sync(&self, flags: u32, range: &Range<usize>) -> rustix::io::Result<()> {
        let mut arg = sys::pindma_region_sync {
            size: size_of::<sys::pindma_region_sync>() as u32,
            flags,
            handle: self.handle,
            offset: range.start as u64,
            len: range.len() as u64,
            ..Default::default()
        };
        // SAFETY: SYNC takes a pindma_region_sync, which holds no pointers.
        unsafe { call::<SYNC, _>(self.node.port(), &mut arg) }
    }

    pub(crate) fn info(&self) -> rustix::io::Result<sys::pindma_region_info> {
        let mut arg = sys::pindma_region_info {
            size: size_of::<sys::pindma_region_info>() as u32,
            handle: self.handle,
            ..Default::default()
        };
        // SAFETY: INFO takes a pindma_region_info, which holds no pointers.
        unsafe { call::<INFO, _>(self.node.port(), &mut arg) }.map(|()| arg)
    }

    fn end(&self, wait: Option<i64>) -> rustix::io::Result<()> {
        unregister(&self.node, self.handle, wait)
    }
}

/// Tells the kernel that the handle is not needed any more.
pub(super) fn unregister(node: &Node, handle: u32, wait: Option<i64>) -> rustix::io::Result<()> {
    let mut arg = sys::pindma_region_unregister {
        size: size_of::<sys::pindma_region_unregister>() as u32,
        flags: wait.map_or(0, |_| sys::PINDMA_UNREGISTER_WAIT),
        handle,
        deadline: wait.unwrap_or_default(),
        ..Default::default()
    };
    // SAFETY: UNREGISTER takes a pindma_region_unregister, without pointers.
    unsafe { call::<UNREGISTER, _>(node.port(), &mut arg) }
}

/// Frees the memory if the device is done with it.  Else the crate's own is
/// leaked, and for somebody else's the process is ended.
impl Drop for Registration {
    fn drop(&mut self) {
        let wait = match &*self.memory {
            Backing::Owned(_) => None,
            Backing::Foreign(_) => Some(sys::PINDMA_DEADLINE_NONE as i64),
        };
        let ended = loop {
            match self.end(wait) {
                Err(Errno::INTR) => {}
                ended => break ended,
            }
        };
        if is_over(ended) {
            // SAFETY: the device is done with the memory; it is dropped once.
            unsafe { ManuallyDrop::drop(&mut self.memory) };
        } else if wait.is_some() {
            die();
        }
    }
}

/// Whether the device is done with memory, given what unregistering returned:
/// also if there is no such handle, or no such device any more.
fn is_over(ended: rustix::io::Result<()>) -> bool {
    matches!(ended, Ok(()) | Err(Errno::NOENT | Errno::NODEV))
}
