// SPDX-License-Identifier: GPL-2.0

//! Raw pointers of the `kernel` crate's device types, which keep theirs to themselves.

use kernel::{
    bindings,
    device,
    pci, //
};

/// The `struct device` behind `dev`.
pub(super) fn device<Ctx: device::DeviceContext>(
    dev: &device::Device<Ctx>,
) -> *mut bindings::device {
    // CAST: `device::Device` is a transparent `Opaque<bindings::device>`.
    core::ptr::from_ref(dev)
        .cast::<bindings::device>()
        .cast_mut()
}

/// The `struct pci_dev` behind `pdev`.
pub(super) fn pci<Ctx: device::DeviceContext>(pdev: &pci::Device<Ctx>) -> *mut bindings::pci_dev {
    // CAST: `pci::Device` is a transparent `Opaque<bindings::pci_dev>`.
    core::ptr::from_ref(pdev)
        .cast::<bindings::pci_dev>()
        .cast_mut()
}
