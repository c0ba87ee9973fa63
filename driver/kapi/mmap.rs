// SPDX-License-Identifier: GPL-2.0

//! Memory of files in processes: mmap(2), and page faults.
//!
//! Mappings are shared ones only: a private one would come loose from the file's memory at the first
//! write. A child gets no copy, nothing is dumped or expanded. Each page comes by a fault, so that
//! one that was thrown out by `MADV_DONTNEED` comes back; and each is an ordinary one, with a
//! reference for the mapping, so that others can pin it and it outlives the file's other uses.
//!
//! C header: [`include/linux/mm.h`](srctree/include/linux/mm.h)

use kernel::{
    bindings,
    mm::virt::{
        flags,
        VmaNew, //
    },
    prelude::*, //
};

use super::file_ops::{
    FileOps,
    Operations, //
};

impl<T: FileOps> Operations<T> {
    const AREA: bindings::vm_operations_struct = bindings::vm_operations_struct {
        fault: Some(Self::fault),
        ..pin_init::zeroed()
    };

    /// # Safety
    ///
    /// Only the VFS calls it, with an open file of `T` and an area that is being set up for it.
    pub(super) unsafe extern "C" fn mmap(
        file: *mut bindings::file,
        vma: *mut bindings::vm_area_struct,
    ) -> c_int {
        // SAFETY: By the safety requirement.
        let (open, area, first) =
            unsafe { (Self::borrow(file), VmaNew::from_raw(vma), (*vma).vm_pgoff) };
        match set_up(open, area, first) {
            Ok(()) => {
                // SAFETY: Nobody else uses the area yet; the table lives for ever.
                unsafe { (*vma).vm_ops = &Self::AREA };
                0
            }
            Err(error) => error.to_errno(),
        }
    }

    /// # Safety
    ///
    /// Only the memory management calls it, with a fault in an area of a file of `T`.
    unsafe extern "C" fn fault(vmf: *mut bindings::vm_fault) -> bindings::vm_fault_t {
        // SAFETY: By the safety requirement; the area holds the file open.
        let (open, index) = unsafe {
            let place = &(*vmf).__bindgen_anon_1;
            (Self::borrow((*place.vma).vm_file), place.pgoff)
        };
        let page = open.page(index).and_then(|(block, at)| block.get_page(at));
        match page {
            Some(page) => {
                // SAFETY: By the safety requirement. The reference is given away with it.
                unsafe { (*vmf).page = page.as_ptr() };
                0
            }
            None => bindings::vm_fault_reason_VM_FAULT_SIGBUS,
        }
    }
}

fn set_up<T: FileOps>(open: &T, area: &VmaNew, first: usize) -> Result {
    let most = open.mmap()?;
    let pages = (area.end() - area.start()) >> kernel::page::PAGE_SHIFT;
    let within = first.checked_add(pages).is_some_and(|end| end <= most);
    if area.flags() & flags::SHARED == 0 || !within {
        return Err(EINVAL);
    }
    area.set_dontexpand();
    area.set_dontdump();
    area.set_dontcopy();
    Ok(())
}
