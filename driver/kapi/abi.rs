// SPDX-License-Identifier: GPL-2.0

//! The ABI's structs, and how they get in from user memory and out again.
//!
//! The structs are those of the userspace crate: one file, generated from `uapi/pindma.h`.

use core::ops::Range;

use kernel::{
    prelude::*,
    transmute::{
        AsBytes,
        FromBytes, //
    },
    uaccess::{
        UserPtr,
        UserSlice,
        UserSliceReader, //
    },
};

#[path = "../../userlib/sys/src/abi.rs"]
#[allow(clippy::all, missing_docs, unreachable_pub, dead_code)]
mod sys;

pub(crate) use sys::*;

macro_rules! plain_bytes {
    ($($name:ident),* $(,)?) => {$(
        // SAFETY: A `repr(C)` struct of integers and arrays of them: any bytes are a value.
        unsafe impl FromBytes for $name {}
        // SAFETY: As above; and it has no padding, as the layout check of the generated file and
        // the reserved fields of the header see to.
        unsafe impl AsBytes for $name {}
    )*};
}

plain_bytes!(
    pindma_channel_info,
    pindma_completion,
    pindma_copy,
    pindma_entry,
    pindma_info,
    pindma_pool_create,
    pindma_pool_dequeue,
    pindma_pool_enqueue,
    pindma_pool_query,
    pindma_pool_record,
    pindma_pool_start,
    pindma_pool_stop,
    pindma_queue_cancel,
    pindma_queue_create,
    pindma_queue_eventfd,
    pindma_queue_wait,
    pindma_region_info,
    pindma_region_register,
    pindma_region_sync,
    pindma_region_unregister,
    pindma_seg,
    pindma_stats,
    pindma_submit,
    pindma_transfer,
);

/// An argument struct of the ABI; all start with their size in bytes.
pub(crate) trait Argument: AsBytes + FromBytes + Default {
    /// Size in bytes of the struct's first version: a smaller one is refused.
    const MIN_SIZE: usize;
}

macro_rules! argument {
    ($($name:ident => $min:literal),* $(,)?) => {$(
        impl Argument for $name {
            const MIN_SIZE: usize = $min;
        }
        static_assert!($min <= size_of::<$name>());
    )*};
}

argument!(
    pindma_channel_info => 72,
    pindma_copy => 144,
    pindma_info => 224,
    pindma_pool_create => 144,
    pindma_pool_dequeue => 48,
    pindma_pool_enqueue => 24,
    pindma_pool_query => 24,
    pindma_pool_start => 40,
    pindma_pool_stop => 24,
    pindma_queue_cancel => 24,
    pindma_queue_create => 16,
    pindma_queue_eventfd => 16,
    pindma_queue_wait => 40,
    pindma_region_info => 64,
    pindma_region_register => 128,
    pindma_region_sync => 32,
    pindma_region_unregister => 24,
    pindma_stats => 144,
    pindma_submit => 128,
    pindma_transfer => 144,
);

// As an entry it fits into the command area of a large submission of io_uring.
static_assert!(size_of::<pindma_entry>() == 80);

/// An argument struct that was copied in, and where it came from.
pub(crate) struct Call<T> {
    /// The struct; what the caller's did not have is zero.
    pub(crate) arg: T,
    user: UserPtr,
    size: usize,
}

impl<T: Argument> Call<T> {
    /// Copies an argument struct in, whatever version of it the caller has.
    ///
    /// # Errors
    ///
    /// `EINVAL` if it is smaller than its first version, `E2BIG` if it is larger than a page or has
    /// bytes that are not zero where this kernel knows no field, `EFAULT` if it cannot be read.
    pub(crate) fn read(user: UserPtr) -> Result<Self> {
        let size = UserSlice::new(user, size_of::<u32>())
            .reader()
            .read::<u32>()? as usize;
        if size < T::MIN_SIZE {
            return Err(EINVAL);
        }
        if size > kernel::page::PAGE_SIZE {
            return Err(E2BIG);
        }
        let known = size.min(size_of::<T>());
        let mut reader = UserSlice::new(user, size).reader();
        let mut arg = T::default();
        reader.read_slice(&mut arg.as_bytes_mut()[..known])?;
        check_zeros(&mut reader)?;
        Ok(Self { arg, user, size })
    }

    /// Copies the struct back, as much of it as the caller has.
    ///
    /// # Errors
    ///
    /// `EFAULT` if it cannot be written.
    pub(crate) fn write_back(&self) -> Result {
        self.write_back_part(0..self.size.min(size_of::<T>()))
    }

    /// Copies some bytes of the struct back, which any version of it has.
    ///
    /// # Errors
    ///
    /// `EFAULT` if they cannot be written, `EINVAL` if there are no such bytes.
    pub(crate) fn write_back_part(&self, bytes: Range<usize>) -> Result {
        let part = self.arg.as_bytes().get(bytes.clone()).ok_or(EINVAL)?;
        UserSlice::new(self.user.wrapping_byte_add(bytes.start), part.len())
            .writer()
            .write_slice(part)
    }
}

/// Fails with `E2BIG` if one of the bytes left in `reader` is not zero.
fn check_zeros(reader: &mut UserSliceReader) -> Result {
    let mut chunk = [0u8; 64];
    while !reader.is_empty() {
        let len = reader.len().min(chunk.len());
        reader.read_slice(&mut chunk[..len])?;
        if chunk[..len].iter().any(|byte| *byte != 0) {
            return Err(E2BIG);
        }
    }
    Ok(())
}

/// Copies a vector of segments in from user address `addr`.
///
/// # Errors
///
/// `EFAULT` if it cannot be read.
pub(crate) fn read_segments(addr: u64, into: &mut [pindma_seg]) -> Result {
    let addr = UserPtr::from_addr(usize::try_from(addr)?);
    let mut reader = UserSlice::new(addr, size_of_val(into)).reader();
    reader.read_slice(into.as_bytes_mut())
}

/// Copies the struct with index `index` of an array in from user address `addr`.
///
/// # Errors
///
/// `EFAULT` if it cannot be read.
pub(crate) fn read_element<T: FromBytes>(addr: u64, index: u32) -> Result<T> {
    UserSlice::new(element::<T>(addr, index)?, size_of::<T>())
        .reader()
        .read()
}

/// Copies a struct out to index `index` of an array at user address `addr`.
///
/// # Errors
///
/// `EFAULT` if it cannot be written.
pub(crate) fn write_element<T: AsBytes>(addr: u64, index: u32, value: &T) -> Result {
    UserSlice::new(element::<T>(addr, index)?, size_of::<T>())
        .writer()
        .write(value)
}

fn element<T>(addr: u64, index: u32) -> Result<UserPtr> {
    let offset = u64::from(index) * size_of::<T>() as u64;
    let addr = addr.checked_add(offset).ok_or(EFAULT)?;
    Ok(UserPtr::from_addr(usize::try_from(addr)?))
}
