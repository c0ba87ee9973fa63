// SPDX-License-Identifier: GPL-2.0

//! A device node with file operations of its own.
//!
//! [`kernel::miscdevice`] has no name, mode, parent and data for each device.
//!
//! C header: [`include/linux/miscdevice.h`](srctree/include/linux/miscdevice.h)

use core::marker::PhantomData;

use kernel::{
    bindings,
    device::{
        Bound,
        Device, //
    },
    error::to_result,
    prelude::*,
    str::CString,
    sync::{
        atomic::{
            Atomic,
            Full,
            Relaxed, //
        },
        Arc, //
    },
    types::{
        ForeignOwnable,
        Opaque, //
    },
};

use super::{
    file_ops::{
        FileOps,
        OpenFlags,
        Operations, //
    },
    raw,
    shim, //
};

/// A file of a node.
pub(crate) trait OpenFile: FileOps {
    /// What all files of one node share.
    type Shared: Send + Sync + 'static;

    /// open(2). Runs under a lock that all misc devices share: must not wait.
    fn open(shared: &Arc<Self::Shared>, flags: OpenFlags) -> Result<KBox<Self>>;
}

/// A number in a node's name that is not in use by another.
///
/// # Invariants
///
/// Its bit in `USED` is set and belongs to this object.
struct Number(u32);

static USED: Atomic<u64> = Atomic::new(0);

impl Number {
    fn take() -> Result<Self> {
        let mut used = USED.load(Relaxed);
        loop {
            let number = (!used).trailing_zeros();
            if number >= u64::BITS {
                return Err(ENOSPC);
            }
            match USED.cmpxchg(used, used | 1 << number, Full) {
                // INVARIANT: It was not set before.
                Ok(_) => return Ok(Self(number)),
                Err(other) => used = other,
            }
        }
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        let mut used = USED.load(Relaxed);
        while let Err(other) = USED.cmpxchg(used, used & !(1 << self.0), Full) {
            used = other;
        }
    }
}

/// A device node `/dev/NAMEn`, mode 0600.
///
/// # Invariants
///
/// `misc` is registered for as long as `registered` is true, and never again after.
///
/// Drop order: deregistered in `drop`; only then `name` and `number` go, which it refers to.
#[pin_data(PinnedDrop)]
pub(crate) struct Node<F: OpenFile> {
    #[pin]
    misc: Opaque<bindings::miscdevice>,
    shared: Arc<F::Shared>,
    registered: Atomic<bool>,
    name: CString,
    number: Number,
    _file: PhantomData<fn(F)>,
}

// SAFETY: May be deregistered by any thread.
unsafe impl<F: OpenFile> Send for Node<F> {}
// SAFETY: `misc` is only used by functions with locks of their own.
unsafe impl<F: OpenFile> Sync for Node<F> {}

impl<F: OpenFile> Node<F> {
    /// Publishes a node, with the lowest free number behind `name`. It may be opened at once.
    ///
    /// # Safety
    ///
    /// `parent` must stay bound until [`withdraw`](Self::withdraw) was called or the node dropped,
    /// and the node must not be leaked.
    pub(super) unsafe fn publish(
        name: &str,
        parent: &Device<Bound>,
        shared: Arc<F::Shared>,
    ) -> Result<Pin<KBox<Self>>> {
        let number = Number::take()?;
        let name = CString::try_from_fmt(fmt!("{}{}", name, number.0))?;
        let parent = raw::device(parent);
        let node = KBox::pin_init(
            try_pin_init!(Self {
                misc <- Opaque::ffi_init(|slot: *mut bindings::miscdevice| {
                    let misc = bindings::miscdevice {
                        minor: bindings::MISC_DYNAMIC_MINOR as c_int,
                        fops: &Self::OPS,
                        parent,
                        mode: 0o600,
                        ..pin_init::zeroed()
                    };
                    // SAFETY: `slot` is memory for a `struct miscdevice`.
                    unsafe { slot.write(misc) };
                }),
                shared,
                // INVARIANT: Not registered yet.
                registered: Atomic::new(false),
                name,
                number,
                _file: PhantomData,
            }),
            GFP_KERNEL,
        )?;
        let misc = node.misc.get();
        // SAFETY: Nobody else knows the node yet; the string is on the heap and goes after it.
        unsafe { (*misc).name = node.name.as_char_ptr() };
        // SAFETY: It is initialised and pinned, and deregistered before it is freed.
        to_result(unsafe { bindings::misc_register(misc) })?;
        // INVARIANT: It is registered.
        node.registered.store(true, Relaxed);
        Ok(node)
    }

    /// Takes the node away: it cannot be opened any more. Files that are open stay so.
    pub(super) fn withdraw(&self) {
        if self.registered.xchg(false, Full) {
            // SAFETY: By the type invariant it is registered; nobody else deregisters it, since
            // only one can find `registered` true.
            unsafe { bindings::misc_deregister(self.misc.get()) };
        }
    }

    const OPS: bindings::file_operations = bindings::file_operations {
        open: Some(Self::open),
        ..Operations::<F>::TABLE
    };

    /// # Safety
    ///
    /// Only the VFS calls it, with a file that is being opened.
    unsafe extern "C" fn open(_inode: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: `misc_open` has put the `struct miscdevice` there.
        let misc = unsafe { (*file).private_data }.cast::<Opaque<bindings::miscdevice>>();
        // SAFETY: It is part of a `Node`, which is not freed while `misc_open` holds its mutex.
        let node = unsafe { &*kernel::container_of!(misc, Self, misc) };
        // SAFETY: The file is valid.
        let flags = unsafe { OpenFlags::of(file) };
        match F::open(&node.shared, flags) {
            Ok(open) => {
                // SAFETY: While it is opened, its private data and mode are ours to set.
                unsafe {
                    (*file).private_data = open.into_foreign();
                    if F::HAS_TRANSFER {
                        shim::pindma_file_set_direct(file);
                    }
                }
                0
            }
            Err(error) => error.to_errno(),
        }
    }
}

#[pinned_drop]
impl<F: OpenFile> PinnedDrop for Node<F> {
    fn drop(self: Pin<&mut Self>) {
        self.withdraw();
    }
}
