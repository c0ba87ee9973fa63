// SPDX-License-Identifier: GPL-2.0

//! Files without a name, which are only known by their descriptors.
//!
//! C header: [`include/linux/anon_inodes.h`](srctree/include/linux/anon_inodes.h)

use core::{
    marker::PhantomData,
    ptr::NonNull, //
};

use kernel::{
    bindings,
    error::from_err_ptr,
    fs::file::{
        File,
        FileDescriptorReservation,
        LocalFile, //
    },
    prelude::*,
    sync::aref::ARef,
    types::ForeignOwnable, //
};

use super::{
    file_ops::{
        FileOps,
        Operations, //
    },
    shim, //
};

/// What a file is open for. Its ioctls and poll(2) do not care.
pub(crate) enum Mode {
    /// read(2) and write(2).
    Both,
    /// Not read(2), which is `EBADF`.
    NoRead,
}

impl Mode {
    fn flags(self) -> c_int {
        let flags = match self {
            Self::Both => bindings::O_RDWR,
            Self::NoRead => bindings::O_WRONLY,
        };
        flags as c_int
    }
}

/// The one kind of file that does what `T` does. A `static`, so that its address tells such files
/// from others.
pub(crate) struct Kind<T> {
    ops: bindings::file_operations,
    name: &'static CStr,
    _file: PhantomData<fn(T)>,
}

// SAFETY: It is never written.
unsafe impl<T> Sync for Kind<T> {}

impl<T: FileOps> Kind<T> {
    /// A kind of file, which `/proc/PID/fd` shows as `name`.
    pub(crate) const fn new(name: &'static CStr) -> Self {
        Self {
            ops: Operations::<T>::TABLE,
            name,
            _file: PhantomData,
        }
    }

    /// Makes a file. It gets its descriptor when it is [installed](NewFile::install).
    pub(crate) fn make(&'static self, open: KBox<T>, mode: Mode) -> Result<NewFile> {
        let fd = FileDescriptorReservation::get_unused_fd_flags(bindings::O_CLOEXEC)?;
        let data = open.into_foreign();
        let flags = mode.flags();
        // SAFETY: The table lives for ever, and its functions take such private data.
        let file =
            unsafe { shim::anon_inode_getfile(self.name.as_char_ptr(), &self.ops, data, flags) };
        let file = from_err_ptr(file).inspect_err(|_| {
            // SAFETY: There is no file that it could belong to.
            drop(unsafe { KBox::<T>::from_foreign(data) });
        })?;
        let file = NonNull::new(file).ok_or(EINVAL)?;
        // SAFETY: The reference is ours; nobody else knows the file.
        // CAST: `File` is a transparent `Opaque<bindings::file>`.
        let file = unsafe { ARef::from_raw(file.cast::<File>()) };
        Ok(NewFile { file, fd })
    }

    /// The file with descriptor `fd` of the current process.
    ///
    /// # Errors
    ///
    /// `EBADF` if there is none, or it is not of this kind.
    pub(crate) fn get(&'static self, fd: i32) -> Result<Got<T>> {
        let file = LocalFile::fget(u32::try_from(fd).map_err(|_| EBADF)?)?;
        // SAFETY: The file is valid; its operations never change.
        let ops = unsafe { (*file.as_ptr()).f_op };
        if !core::ptr::eq(ops, &self.ops) {
            return Err(EBADF);
        }
        // INVARIANT: It is of this kind.
        Ok(Got {
            file,
            _file: PhantomData,
        })
    }
}

/// A file that nobody knows yet. Dropping it releases it.
pub(crate) struct NewFile {
    file: ARef<File>,
    fd: FileDescriptorReservation,
}

impl NewFile {
    /// The descriptor that it will have.
    pub(crate) fn fd(&self) -> i32 {
        self.fd.reserved_fd() as i32
    }

    /// Gives it to the current process. There is no way back: another thread may use it at once.
    pub(crate) fn install(self) {
        self.fd.fd_install(self.file);
    }
}

/// A reference to a file of one kind.
///
/// # Invariants
///
/// The private data of `file` is a `KBox<T>`.
pub(crate) struct Got<T> {
    file: ARef<LocalFile>,
    _file: PhantomData<T>,
}

impl<T: FileOps> core::ops::Deref for Got<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: By the type invariant; it stays until the last reference goes.
        unsafe { KBox::<T>::borrow((*self.file.as_ptr()).private_data) }
    }
}
