// SPDX-License-Identifier: GPL-2.0

//! PCI vendors that the `kernel` crate has no constant for.

use kernel::pci::Vendor;

/// QEMU's own devices, such as edu (`docs/specs/edu.rst`).
// SAFETY: `Vendor` is a transparent `u16`, of which every value is a vendor; it has no public
// constructor.
pub(crate) const QEMU: Vendor = unsafe { core::mem::transmute::<u16, Vendor>(0x1234) };
