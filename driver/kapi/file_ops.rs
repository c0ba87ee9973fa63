// SPDX-License-Identifier: GPL-2.0

//! What files do: the table of functions that the VFS calls, for a device node or a file without a
//! name.
//!
//! [`kernel::miscdevice`] has neither poll nor files without a name, and its table cannot be
//! extended.
//!
//! C header: [`include/linux/fs.h`](srctree/include/linux/fs.h)

use core::marker::PhantomData;

use kernel::{
    bindings,
    error::VTABLE_DEFAULT_ERROR,
    fs::File,
    iov::IovIterDest,
    module::this_module,
    prelude::*,
    seq_file::SeqFile,
    sync::poll::PollTable,
    types::ForeignOwnable,
    uaccess::UserPtr, //
};

use super::{
    block::Block,
    pins::Direction,
    read_write::ReadWrite,
    shim, //
};

/// What an open file does.
///
/// Dropping it is its release. That may happen in any process or in none: it must not touch
/// `current`'s mm, files or credentials.
#[vtable]
pub(crate) trait FileOps: Sized + Send + Sync + 'static {
    /// ioctl(2). `flags` are those of the file now.
    fn ioctl(&self, cmd: u32, arg: UserPtr, flags: OpenFlags) -> Result<isize>;

    /// read(2) and its relatives, of files that have no position.
    fn read(&self, _into: &mut IovIterDest<'_>, _flags: OpenFlags) -> Result<usize> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// read(2), write(2) and their relatives, of files that have a position; instead of
    /// [`read`](Self::read). Returns how many bytes were moved.
    fn transfer(&self, _call: &mut ReadWrite<'_>) -> Result<usize> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Where the file ends, in bytes, for lseek(2).
    fn size(&self) -> Result<u64> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// poll(2) and its relatives: registers with what will be woken, then says what is.
    fn poll(&self, _file: &File, _table: PollTable<'_>) -> Ready {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// mmap(2): how many pages the calling process may map, from the start of the file.
    fn mmap(&self) -> Result<usize> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Where page `index` of a mapping lies: in which block, and at which index there. What it is
    /// must not change.
    fn page(&self, _index: usize) -> Option<(&Block, usize)> {
        None
    }

    /// Writes lines `name:\tvalue` for `/proc/PID/fdinfo`.
    fn show(&self, _out: &SeqFile) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }
}

/// Flags of an open file.
#[derive(Clone, Copy)]
pub(crate) struct OpenFlags(u32);

impl OpenFlags {
    /// The flags of `file`.
    ///
    /// # Safety
    ///
    /// `file` must be valid.
    pub(super) unsafe fn of(file: *const bindings::file) -> Self {
        // SAFETY: By the safety requirement.
        Self(unsafe { (*file).f_flags })
    }

    /// Those of the file of a call of read(2), which must not wait either if the call says so:
    /// io_uring does.
    ///
    /// # Safety
    ///
    /// `iocb` must be valid.
    unsafe fn of_call(iocb: *const bindings::kiocb) -> Self {
        // SAFETY: By the safety requirement.
        let (flags, nowait) =
            unsafe { (Self::of((*iocb).ki_filp), shim::pindma_iocb_nowait(iocb)) };
        let nonblocking = if nowait { bindings::O_NONBLOCK } else { 0 };
        Self(flags.0 | nonblocking)
    }

    /// Open for reading.
    pub(crate) fn readable(self) -> bool {
        self.mode() & 1 != 0
    }

    /// Open for writing.
    pub(crate) fn writable(self) -> bool {
        self.mode() & 2 != 0
    }

    /// The mode as the VFS has it in `f_mode`. 3 of open(2), which is for ioctls alone, is neither
    /// reading nor writing.
    fn mode(self) -> u32 {
        (self.0 & bindings::O_ACCMODE) + 1
    }

    /// `O_EXCL`.
    pub(crate) fn exclusive(self) -> bool {
        self.0 & bindings::O_EXCL != 0
    }

    /// `O_NONBLOCK`.
    pub(crate) fn nonblocking(self) -> bool {
        self.0 & bindings::O_NONBLOCK != 0
    }
}

/// What poll(2) says of a file.
#[derive(Clone, Copy, Default)]
pub(crate) struct Ready {
    /// A read would not wait.
    pub(crate) readable: bool,
    /// A write would not wait.
    pub(crate) writable: bool,
    /// Nothing comes unless something is done about it.
    pub(crate) failed: bool,
    /// Nothing will ever come again.
    pub(crate) hung_up: bool,
}

impl Ready {
    /// As `EPOLL*` of `include/uapi/linux/eventpoll.h`, of which bindgen makes no constants.
    fn mask(self) -> bindings::__poll_t {
        const IN: u32 = 0x001 | 0x040;
        const OUT: u32 = 0x004 | 0x100;
        const ERR: u32 = 0x008;
        const HUP: u32 = 0x010;
        let bit = |on, mask| if on { mask } else { 0 };
        bit(self.readable, IN)
            | bit(self.writable, OUT)
            | bit(self.failed, ERR)
            | bit(self.hung_up, HUP)
    }
}

/// The functions of `T`, whose files have a `KBox<T>` as their private data.
pub(super) struct Operations<T>(PhantomData<T>);

impl<T: FileOps> Operations<T> {
    /// The table.
    pub(super) const TABLE: bindings::file_operations = bindings::file_operations {
        owner: this_module::<crate::LocalModule>().as_ptr(),
        release: Some(Self::release),
        unlocked_ioctl: Some(Self::ioctl),
        compat_ioctl: bindings::compat_ptr_ioctl,
        mmap: if T::HAS_MMAP { Some(Self::mmap) } else { None },
        llseek: if T::HAS_SIZE {
            Some(Self::llseek)
        } else {
            None
        },
        read_iter: if T::HAS_TRANSFER {
            Some(Self::transfer_read)
        } else if T::HAS_READ {
            Some(Self::read)
        } else {
            None
        },
        write_iter: if T::HAS_TRANSFER {
            Some(Self::transfer_write)
        } else {
            None
        },
        poll: if T::HAS_POLL { Some(Self::poll) } else { None },
        show_fdinfo: if T::HAS_SHOW { Some(Self::show) } else { None },
        ..pin_init::zeroed()
    };

    /// # Safety
    ///
    /// `file` must be a file of `T`, open for as long as the result is used.
    pub(super) unsafe fn borrow<'a>(file: *const bindings::file) -> &'a T {
        // SAFETY: The private data of such a file is a `KBox<T>`, until `release`.
        unsafe { KBox::<T>::borrow((*file).private_data) }
    }

    /// # Safety
    ///
    /// Only the VFS calls it, with a file of `T` whose last reference went.
    unsafe extern "C" fn release(_inode: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: Nobody else uses the private data any more.
        drop(unsafe { KBox::<T>::from_foreign((*file).private_data) });
        0
    }

    /// # Safety
    ///
    /// Only the VFS calls it, with an open file of `T`.
    unsafe extern "C" fn ioctl(file: *mut bindings::file, cmd: c_uint, arg: c_ulong) -> c_long {
        // SAFETY: By the safety requirement.
        let (open, flags) = unsafe { (Self::borrow(file), OpenFlags::of(file)) };
        match open.ioctl(cmd, UserPtr::from_addr(arg), flags) {
            Ok(value) => value,
            Err(error) => error.to_errno() as c_long,
        }
    }

    /// # Safety
    ///
    /// Only the VFS calls it, with an open file of `T`.
    unsafe extern "C" fn read(iocb: *mut bindings::kiocb, to: *mut bindings::iov_iter) -> isize {
        // SAFETY: By the safety requirement.
        let (open, flags, into) = unsafe {
            let into = IovIterDest::from_raw(to);
            (
                Self::borrow((*iocb).ki_filp),
                OpenFlags::of_call(iocb),
                into,
            )
        };
        match open.read(into, flags) {
            Ok(bytes) => bytes as isize,
            Err(error) => error.to_errno() as isize,
        }
    }

    /// # Safety
    ///
    /// Only the VFS calls it, with an open file of `T`.
    unsafe extern "C" fn transfer_read(
        iocb: *mut bindings::kiocb,
        to: *mut bindings::iov_iter,
    ) -> isize {
        // SAFETY: By the safety requirement.
        unsafe { Self::transfer(iocb, to, Direction::FromDevice) }
    }

    /// # Safety
    ///
    /// Only the VFS calls it, with an open file of `T`.
    unsafe extern "C" fn transfer_write(
        iocb: *mut bindings::kiocb,
        from: *mut bindings::iov_iter,
    ) -> isize {
        // SAFETY: By the safety requirement.
        unsafe { Self::transfer(iocb, from, Direction::ToDevice) }
    }

    /// # Safety
    ///
    /// The arguments must be those of a call of the VFS, with an open file of `T`.
    unsafe fn transfer(
        iocb: *mut bindings::kiocb,
        iter: *mut bindings::iov_iter,
        direction: Direction,
    ) -> isize {
        // SAFETY: By the safety requirement.
        let (open, mut call) = unsafe {
            let open = Self::borrow((*iocb).ki_filp);
            (open, ReadWrite::new(iocb, iter, direction))
        };
        match open.transfer(&mut call) {
            Ok(bytes) => {
                // SAFETY: As above.
                unsafe { (*iocb).ki_pos = call.at as i64 };
                bytes as isize
            }
            Err(error) => error.to_errno() as isize,
        }
    }

    /// # Safety
    ///
    /// Only the VFS calls it, with an open file of `T`.
    unsafe extern "C" fn llseek(
        file: *mut bindings::file,
        offset: bindings::loff_t,
        whence: c_int,
    ) -> bindings::loff_t {
        // SAFETY: By the safety requirement.
        let open = unsafe { Self::borrow(file) };
        match open.size() {
            // SAFETY: As above.
            Ok(size) => unsafe { bindings::fixed_size_llseek(file, offset, whence, size as i64) },
            Err(error) => error.to_errno().into(),
        }
    }

    /// # Safety
    ///
    /// Only the VFS calls it, with an open file of `T`.
    unsafe extern "C" fn poll(
        file: *mut bindings::file,
        table: *mut bindings::poll_table_struct,
    ) -> bindings::__poll_t {
        // SAFETY: By the safety requirement; poll(2) does not hold the lock of the position.
        let (open, file, table) = unsafe {
            (
                Self::borrow(file),
                File::from_raw_file(file),
                PollTable::from_raw(table),
            )
        };
        open.poll(file, table).mask()
    }

    /// # Safety
    ///
    /// Only the VFS calls it, with an open file of `T`.
    unsafe extern "C" fn show(out: *mut bindings::seq_file, file: *mut bindings::file) {
        // SAFETY: By the safety requirement.
        let (open, out) = unsafe { (Self::borrow(file), SeqFile::from_raw(out)) };
        open.show(out);
    }
}
