// SPDX-License-Identifier: GPL-2.0

//! System calls: the only place of this crate with `unsafe`.
//!
//! Memory that the device may write is never seen through a reference.  It
//! belongs to a [`Mapping`], which reads and writes it one byte at a time with
//! volatile accesses.  Requests carry addresses; a case takes those from a
//! `Mapping` of its own (or from nowhere that is mapped), which is the promise
//! on which the ioctl wrappers rest.

use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;
use std::time::Duration;

use libc::c_long;
use rustix::mm::{self, MapFlags, MprotectFlags, MremapFlags, ProtFlags, UserfaultfdFlags};
use rustix::process::Pid;

use crate::abi;

pub(crate) mod aio;
mod registers;
pub(crate) mod rw;
pub(crate) mod signals;
pub(crate) mod uring;

fn check<T: PartialEq + From<i8>>(returned: T) -> io::Result<T> {
    if returned == T::from(-1) {
        Err(io::Error::last_os_error())
    } else {
        Ok(returned)
    }
}

// ---- memory ----

/// A range of memory of our own, unmapped when dropped.
#[derive(Debug)]
pub(crate) struct Mapping {
    base: usize,
    len: usize,
    /// Parts that are no longer ours, as offsets: `[start, end)`.
    holes: Vec<(usize, usize)>,
}

impl Mapping {
    /// `mmap(2)` of `len` bytes at an address of the kernel's choice.
    pub(crate) fn new(
        len: usize,
        protection: i32,
        flags: i32,
        fd: Option<BorrowedFd<'_>>,
    ) -> io::Result<Mapping> {
        Mapping::at(len, protection, flags, fd, 0)
    }

    /// The same, from `offset` of the file on.
    pub(crate) fn at(
        len: usize,
        protection: i32,
        flags: i32,
        fd: Option<BorrowedFd<'_>>,
        offset: u64,
    ) -> io::Result<Mapping> {
        assert_eq!(flags & libc::MAP_FIXED, 0);
        let protection = ProtFlags::from_bits_retain(protection as u32);
        let flags = MapFlags::from_bits_retain(flags as u32);
        let nowhere = ptr::null_mut();
        let base = match fd {
            // SAFETY: Without MAP_FIXED a new mapping disturbs nothing.
            Some(fd) => unsafe { mm::mmap(nowhere, len, protection, flags, fd, offset) },
            // SAFETY: As above.
            None => unsafe { mm::mmap_anonymous(nowhere, len, protection, flags) },
        }? as usize;
        let holes = Vec::new();
        Ok(Mapping { base, len, holes })
    }

    /// Private anonymous memory.
    pub(crate) fn anonymous(len: usize) -> io::Result<Mapping> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        Mapping::new(len, libc::PROT_READ | libc::PROT_WRITE, flags, None)
    }

    /// Shared anonymous memory.
    pub(crate) fn shared(len: usize) -> io::Result<Mapping> {
        let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
        Mapping::new(len, libc::PROT_READ | libc::PROT_WRITE, flags, None)
    }

    /// Address of the byte at `offset`.
    pub(crate) fn addr(&self, offset: usize) -> u64 {
        assert!(offset <= self.len, "offset inside the mapping");
        (self.base + offset) as u64
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    fn range(&self, offset: usize, len: usize) -> *mut u8 {
        assert!(offset.checked_add(len).is_some_and(|end| end <= self.len));
        let touches = |&(start, end): &(usize, usize)| offset < end && start < offset + len;
        assert!(!self.holes.iter().any(touches), "no hole in the range");
        (self.base + offset) as *mut u8
    }

    /// Writes `data` at `offset`.
    pub(crate) fn write(&self, offset: usize, data: &[u8]) {
        let at = self.range(offset, data.len());
        for (index, byte) in data.iter().enumerate() {
            // SAFETY: The range is mapped and ours; volatile, no reference.
            unsafe { at.wrapping_add(index).write_volatile(*byte) };
        }
    }

    /// Reads `len` bytes at `offset`.
    pub(crate) fn read(&self, offset: usize, len: usize) -> Vec<u8> {
        let at = self.range(offset, len);
        let byte = |index| {
            // SAFETY: The range is mapped and ours; volatile, no reference.
            unsafe { at.wrapping_add(index).read_volatile() }
        };
        (0..len).map(byte).collect()
    }

    /// Sets `len` bytes at `offset`.
    pub(crate) fn fill(&self, offset: usize, len: usize, byte: u8) {
        let at = self.range(offset, len);
        // SAFETY: The range is mapped and ours, and no reference to it exists.
        unsafe { ptr::write_bytes(at, byte, len) };
    }

    /// `mprotect(2)` of whole pages.
    pub(crate) fn protect(&self, offset: usize, len: usize, protection: i32) -> io::Result<()> {
        let at = self.range(offset, len);
        let protection = MprotectFlags::from_bits_retain(protection as u32);
        // SAFETY: The range is ours, and nothing but this type looks at it.
        Ok(unsafe { mm::mprotect(at.cast(), len, protection) }?)
    }

    /// `pkey_mprotect(2)` of all of it.
    pub(crate) fn protect_by(&self, key: &Key, protection: i32) -> io::Result<()> {
        let at = self.range(0, self.len);
        // SAFETY: As above.
        let done = unsafe {
            libc::syscall(
                libc::SYS_pkey_mprotect,
                at,
                self.len,
                c_long::from(protection),
                key.0,
            )
        };
        check(done).map(drop)
    }

    /// `madvise(2)` of whole pages.  Not every advice has a name in rustix.
    pub(crate) fn advise(&self, offset: usize, len: usize, advice: i32) -> io::Result<()> {
        let at = self.range(offset, len);
        // SAFETY: The range is ours; what advice does to its content is a
        // matter of bytes, which are read as such.
        check(unsafe { libc::madvise(at.cast(), len, advice) }).map(drop)
    }

    /// `mlock(2)` of all of it.
    pub(crate) fn lock(&self) -> io::Result<()> {
        // SAFETY: It changes nothing of the range, which is ours.
        Ok(unsafe { mm::mlock(self.base as *mut _, self.len) }?)
    }

    /// Gives its pages to a pipe, as they are; how many bytes it took.
    pub(crate) fn give_to_pipe(&self, pipe: impl AsFd) -> io::Result<usize> {
        let part = libc::iovec {
            iov_base: self.base as *mut _,
            iov_len: self.len,
        };
        let pipe = pipe.as_fd().as_raw_fd();
        // SAFETY: The kernel only reads the range, which is ours.
        let given = unsafe { libc::vmsplice(pipe, &raw const part, 1, 0) };
        Ok(check(given)? as usize)
    }

    /// Unmaps whole pages of it for good.
    pub(crate) fn punch(&mut self, offset: usize, len: usize) -> io::Result<()> {
        let at = self.range(offset, len);
        // SAFETY: The range is ours; `holes` keeps it from being used again.
        unsafe { mm::munmap(at.cast(), len) }?;
        self.holes.push((offset, offset + len));
        self.holes.sort_unstable();
        Ok(())
    }

    /// Moves it all to another address.
    pub(crate) fn relocate(&mut self) -> io::Result<()> {
        assert!(self.holes.is_empty(), "moves as a whole");
        let target = Mapping::new(
            self.len,
            libc::PROT_NONE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            None,
        )?;
        let (from, to) = (self.base as *mut _, target.base as *mut _);
        let flags = MremapFlags::MAYMOVE;
        // SAFETY: Both ranges are ours; `target` gives up its own here.
        let moved = unsafe { mm::mremap_fixed(from, self.len, self.len, flags, to) }?;
        std::mem::forget(target);
        self.base = moved as usize;
        Ok(())
    }
}

impl Mapping {
    /// Tries to make it longer where it is or elsewhere, which must fail.
    pub(crate) fn grow(&self, len: usize) -> io::Result<()> {
        assert!(len > self.len);
        let at = self.base as *mut _;
        // SAFETY: If it moves after all, the old range is gone, which is found
        // out by the next use; nothing else lies there by then.
        unsafe { mm::mremap(at, self.len, len, MremapFlags::MAYMOVE) }?;
        Ok(())
    }
}

/// A protection key, given back when dropped.
#[derive(Debug)]
pub(crate) struct Key(c_long);

/// Number of the key of memory which nobody has given another.
const COMMON: c_long = 0;

impl Key {
    /// The calling thread may neither read nor write.
    pub(crate) const NO_ACCESS: c_long = 1;
    /// The calling thread may not write.
    pub(crate) const NO_WRITING: c_long = 2;

    /// That of memory which nobody has given another.
    pub(crate) fn common() -> Key {
        Key(COMMON)
    }

    /// A key that takes some rights from the calling thread; none where the processor has no keys.
    pub(crate) fn without(rights: c_long) -> io::Result<Option<Key>> {
        // SAFETY: It touches no memory, and nothing has this key yet.
        let key = check(unsafe { libc::syscall(libc::SYS_pkey_alloc, 0 as c_long, rights) });
        match key {
            Ok(key) => Ok(Some(Key(key))),
            Err(error) if error.raw_os_error() == Some(libc::ENOSPC) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        if self.0 != COMMON {
            // SAFETY: It touches no memory.
            unsafe { libc::syscall(libc::SYS_pkey_free, self.0) };
        }
    }
}

/// A file of memory that the kernel itself does not map.
pub(crate) fn secret_file() -> io::Result<OwnedFd> {
    let flags = c_long::from(libc::O_CLOEXEC);
    // SAFETY: It touches no memory.
    let fd = check(unsafe { libc::syscall(libc::SYS_memfd_secret, flags) })?;
    // SAFETY: It is new, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

impl Drop for Mapping {
    fn drop(&mut self) {
        let mut start = 0;
        let end = (self.len, self.len);
        for &(hole, after) in self.holes.iter().chain([&end]) {
            if hole > start {
                // SAFETY: This part is ours still, and this was the last use.
                let unmapped = unsafe { mm::munmap((self.base + start) as *mut _, hole - start) };
                // The kernel may lack memory to split a mapping: then it stays.
                let _ = unmapped;
            }
            start = after;
        }
    }
}

// ---- ioctl ----

/// A struct of the ABI: plain old data whose first word is its size.
///
/// # Safety
///
/// Every bit pattern is valid, there is no padding, and the first four bytes
/// are the size that the kernel is told.
pub(crate) unsafe trait Plain: Copy {}

// SAFETY: Integers and arrays of them only, laid out without padding.
unsafe impl Plain for abi::pindma_info {}
// SAFETY: As above.
unsafe impl Plain for abi::pindma_channel_info {}
// SAFETY: As above.
unsafe impl Plain for abi::pindma_stats {}
// SAFETY: As above.
unsafe impl Plain for abi::pindma_transfer {}
// SAFETY: As above.
unsafe impl Plain for abi::pindma_copy {}
// SAFETY: As above.
unsafe impl Plain for abi::pindma_pool_create {}
// SAFETY: As above.
unsafe impl Plain for abi::pindma_pool_query {}
// SAFETY: As above.
unsafe impl Plain for abi::pindma_pool_enqueue {}
// SAFETY: As above.
unsafe impl Plain for abi::pindma_pool_dequeue {}
// SAFETY: As above.
unsafe impl Plain for abi::pindma_pool_start {}
// SAFETY: As above.
unsafe impl Plain for abi::pindma_pool_stop {}
// SAFETY: As above.
unsafe impl Plain for abi::pindma_queue_create {}
// SAFETY: As above.
unsafe impl Plain for abi::pindma_submit {}
// SAFETY: As above.
unsafe impl Plain for abi::pindma_queue_wait {}
// SAFETY: As above.
unsafe impl Plain for abi::pindma_queue_cancel {}
// SAFETY: As above.
unsafe impl Plain for abi::pindma_queue_eventfd {}
// SAFETY: As above, but that it has no size: it is never an argument by itself.
unsafe impl Plain for abi::pindma_pool_record {}
// SAFETY: As the first.
unsafe impl Plain for abi::pindma_region_register {}
// SAFETY: As above.
unsafe impl Plain for abi::pindma_region_unregister {}
// SAFETY: As above.
unsafe impl Plain for abi::pindma_region_sync {}
// SAFETY: As above.
unsafe impl Plain for abi::pindma_region_info {}
// SAFETY: As for a record of a pool.
unsafe impl Plain for abi::pindma_entry {}
// SAFETY: As for a record of a pool.
unsafe impl Plain for abi::pindma_completion {}

/// The bytes of a struct.
pub(crate) fn bytes_of<T: Plain>(value: &T) -> Vec<u8> {
    let at = ptr::from_ref(value).cast::<u8>();
    // SAFETY: `Plain` has no padding, so that all its bytes are initialised.
    unsafe { std::slice::from_raw_parts(at, size_of::<T>()) }.to_vec()
}

/// The same, to be changed.
pub(crate) fn bytes_of_mut<T: Plain>(value: &mut T) -> &mut [u8] {
    let at = ptr::from_mut(value).cast::<u8>();
    // SAFETY: As above, and every bit pattern is a `Plain`.
    unsafe { std::slice::from_raw_parts_mut(at, size_of::<T>()) }
}

/// The struct that starts `bytes`.
pub(crate) fn from_bytes<T: Plain>(bytes: &[u8]) -> T {
    assert!(bytes.len() >= size_of::<T>());
    // SAFETY: Long enough, and every bit pattern is a `Plain`.
    unsafe { bytes.as_ptr().cast::<T>().read_unaligned() }
}

/// `ioctl(2)` on a buffer that starts with its own size, which may be smaller
/// than the buffer but not larger.
pub(crate) fn ioctl(fd: BorrowedFd<'_>, command: u32, buffer: &mut [u8]) -> io::Result<()> {
    let told = buffer
        .first_chunk::<4>()
        .map_or(0, |size| u32::from_ne_bytes(*size));
    assert!(
        told as usize <= buffer.len(),
        "the kernel may write this much"
    );
    ioctl_at(fd, command, buffer.as_mut_ptr() as u64)
}

/// `ioctl(2)` on whatever is at `addr`: memory of a [`Mapping`], or none.
pub(crate) fn ioctl_at(fd: BorrowedFd<'_>, command: u32, addr: u64) -> io::Result<()> {
    // SAFETY: The kernel writes no more than the struct's size, into memory
    // that the caller has for this or that nobody refers to.
    check(unsafe { libc::ioctl(fd.as_raw_fd(), command.into(), addr) }).map(drop)
}

/// The same through the entry of 32-bit programs.
pub(crate) fn ioctl_compat(fd: BorrowedFd<'_>, command: u32, addr: u64) -> io::Result<()> {
    let addr = u32::try_from(addr).map_err(io::Error::other)?;
    let mut result: i64 = 54; // ioctl in the i386 table
                              // SAFETY: As `ioctl_at`.  rbx, which LLVM keeps for itself, is put back;
                              // the kernel may change r8 to r11 on this path.
    unsafe {
        std::arch::asm!(
            "xchg rbx, {fd}",
            "int 0x80",
            "xchg rbx, {fd}",
            fd = inout(reg) i64::from(fd.as_raw_fd()) => _,
            inout("rax") result,
            in("rcx") u64::from(command),
            in("rdx") u64::from(addr),
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
        );
    }
    let result = result as i32;
    if result < 0 {
        return Err(io::Error::from_raw_os_error(-result));
    }
    Ok(())
}

// ---- processes ----

/// Forks; the child runs `body` and exits with what it returns.
pub(crate) fn fork(body: impl FnOnce() -> i32) -> io::Result<Pid> {
    // SAFETY: The child runs on with the one thread that it has.  Locks of
    // other threads may be held in it for ever: the allocator's is handled by
    // libc, and cases fork where no other thread prints.
    let pid = check(unsafe { libc::fork() })?;
    if let Some(pid) = Pid::from_raw(pid) {
        return Ok(pid);
    }
    let code = catch_unwind(AssertUnwindSafe(body)).unwrap_or(101);
    // SAFETY: Ends the child without running what the parent registered.
    unsafe { libc::_exit(code) }
}

/// Puts processes that the caller forks from now on into a time namespace of their own.
pub(crate) fn new_time_namespace() -> io::Result<()> {
    // SAFETY: It changes nothing of this process.
    check(unsafe { libc::unshare(libc::CLONE_NEWTIME) }).map(drop)
}

/// Makes the only thread of the caller the root of a user namespace of its own.
pub(crate) fn new_user_namespace() -> io::Result<()> {
    // SAFETY: It changes rights and nothing else.
    check(unsafe { libc::unshare(libc::CLONE_NEWUSER) }).map(drop)
}

/// Has a debugger attach to `process`, stop it wherever it is, and let it go again.
pub(crate) fn attach_and_detach(process: Pid) -> io::Result<()> {
    let (pid, none) = (
        process.as_raw_nonzero().get(),
        ptr::null_mut::<libc::c_void>(),
    );
    let ask = |request: libc::c_uint| {
        // SAFETY: These requests touch no memory, neither ours nor the child's.
        check(unsafe { libc::ptrace(request, pid, none, none) })
    };
    ask(libc::PTRACE_SEIZE)?;
    ask(libc::PTRACE_INTERRUPT)?;
    // SAFETY: It writes nowhere.
    check(unsafe { libc::waitpid(pid, ptr::null_mut(), libc::__WALL) })?;
    ask(libc::PTRACE_DETACH).map(drop)
}

/// Takes over a file that was inherited under this number.
pub(crate) fn inherited_fd(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: Asks whether the number is open, nothing more.
    check(unsafe { libc::fcntl(number, libc::F_GETFD) })?;
    // SAFETY: Open, and whoever started us left it for us.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// `close(2)` with its errno.
pub(crate) fn close(fd: OwnedFd) -> io::Result<()> {
    // SAFETY: It is ours to close, and nobody uses it after.
    check(unsafe { libc::close(fd.into_raw_fd()) }).map(drop)
}

/// `select(2)`: whether `fd` can be read within `time`.
pub(crate) fn select_readable(fd: BorrowedFd<'_>, time: Duration) -> io::Result<bool> {
    let number = fd.as_raw_fd();
    assert!(number < 1024, "a set has room for it");
    let mut left = libc::timeval {
        tv_sec: time.as_secs() as libc::time_t,
        tv_usec: libc::suseconds_t::from(time.subsec_micros() as i32),
    };
    // SAFETY: All zeroes is an empty set.
    let mut set: libc::fd_set = unsafe { zeroed() };
    // SAFETY: The number fits, as asserted.
    unsafe { libc::FD_SET(number, &raw mut set) };
    let none = ptr::null_mut();
    // SAFETY: The set and the time are ours.
    let selected = unsafe { libc::select(number + 1, &raw mut set, none, none, &raw mut left) };
    // It looks once more when nothing is left: what it finds then, nobody was told.
    let late = !time.is_zero() && left.tv_sec == 0 && left.tv_usec == 0;
    Ok(check(selected)? == 1 && !late)
}

// ---- userfaultfd ----

const UFFD_API: u64 = 0xaa;
const UFFD_MISSING: u64 = 1;
const UFFD_PROTECTED: u64 = 2;
const UFFDIO_API: u64 = 0xc018_aa3f;
const UFFDIO_REGISTER: u64 = 0xc020_aa00;
const UFFDIO_ZEROPAGE: u64 = 0xc020_aa04;
const UFFDIO_WRITEPROTECT: u64 = 0xc018_aa06;

/// Pages that stay missing until somebody says so.
#[derive(Debug)]
pub(crate) struct Userfault {
    fd: OwnedFd,
    start: u64,
    len: u64,
}

impl Userfault {
    /// Catches the faults of a whole mapping that was never touched.
    pub(crate) fn register(mapping: &Mapping) -> io::Result<Userfault> {
        Userfault::open(mapping, UFFD_MISSING)
    }

    /// Catches whatever writes to a mapping from now on.
    pub(crate) fn protect(mapping: &Mapping) -> io::Result<Userfault> {
        let caught = Userfault::open(mapping, UFFD_PROTECTED)?;
        let mut protect = [caught.start, caught.len, 1];
        // SAFETY: The array has the layout and size of the struct.
        check(unsafe {
            libc::ioctl(
                caught.fd.as_raw_fd(),
                UFFDIO_WRITEPROTECT,
                protect.as_mut_ptr(),
            )
        })?;
        Ok(caught)
    }

    fn open(mapping: &Mapping, mode: u64) -> io::Result<Userfault> {
        // Without O_NONBLOCK poll(2) on it is an error.
        let flags = UserfaultfdFlags::CLOEXEC | UserfaultfdFlags::NONBLOCK;
        // SAFETY: What it does to memory it does to that of a `Mapping` only.
        let fd = unsafe { rustix::mm::userfaultfd(flags) }?;
        let (start, len) = (mapping.addr(0), mapping.len() as u64);
        let mut api = [UFFD_API, 0, 0];
        // SAFETY: The array has the layout and size of the struct.
        check(unsafe { libc::ioctl(fd.as_raw_fd(), UFFDIO_API, api.as_mut_ptr()) })?;
        let mut register = [start, len, mode, 0];
        // SAFETY: The array has the layout and size of the struct.
        check(unsafe { libc::ioctl(fd.as_raw_fd(), UFFDIO_REGISTER, register.as_mut_ptr()) })?;
        Ok(Userfault { fd, start, len })
    }

    /// Readable while somebody is stuck on a missing page.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Makes every page a page of zeroes and lets everybody go on.
    pub(crate) fn resolve(self) -> io::Result<()> {
        let mut zero = [self.start, self.len, 0, 0];
        // SAFETY: The array has the layout of the struct; the pages are those
        // of a `Mapping` in which nothing was written yet.
        check(unsafe { libc::ioctl(self.fd.as_raw_fd(), UFFDIO_ZEROPAGE, zero.as_mut_ptr()) })
            .map(drop)
    }
}
