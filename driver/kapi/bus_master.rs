// SPDX-License-Identifier: GPL-2.0

//! Bus mastering: the right of a PCI device to access memory.
//!
//! C header: [`include/linux/pci.h`](srctree/include/linux/pci.h)

use kernel::{
    bindings,
    device::{
        Bound,
        Core, //
    },
    pci,
    prelude::*, //
};

use super::raw;

/// A bound PCI device whose bus mastering is ours to switch.
///
/// Dropping it switches bus mastering off: a probe that fails leaves no device that may write.
pub(crate) struct BusMaster<'b> {
    pdev: &'b pci::Device<Bound>,
}

impl<'b> BusMaster<'b> {
    /// Takes it over, switched off.
    pub(crate) fn new(pdev: &'b pci::Device<Core<'_>>) -> Self {
        let this = Self { pdev };
        this.disable();
        this
    }

    /// Lets the device access memory.
    pub(crate) fn enable(&self) {
        // SAFETY: The device is bound.
        unsafe { bindings::pci_set_master(raw::pci(self.pdev)) };
    }

    /// Takes that right away. What the device has begun may still be on its way.
    pub(crate) fn disable(&self) {
        // SAFETY: The device is bound.
        unsafe { bindings::pci_clear_master(raw::pci(self.pdev)) };
    }

    /// Whether the device may access memory, read back from it. Somebody else may have changed it:
    /// the PCI core at suspend, or root through sysfs.
    pub(crate) fn is_enabled(&self) -> bool {
        let is_master = |command| u32::from(command) & bindings::PCI_COMMAND_MASTER != 0;
        self.command().is_some_and(is_master)
    }

    /// Lets the device answer to accesses to its registers, in case somebody has switched that off.
    pub(crate) fn decode(&self) {
        let Some(command) = self.command() else {
            return;
        };
        let command = command | bindings::PCI_COMMAND_MEMORY as u16;
        // SAFETY: The device is bound.
        unsafe {
            bindings::pci_write_config_word(
                raw::pci(self.pdev),
                bindings::PCI_COMMAND as c_int,
                command,
            )
        };
    }

    /// The command register, unless the device does not answer.
    fn command(&self) -> Option<u16> {
        let mut command: u16 = 0;
        // SAFETY: The device is bound; a failed read yields all ones, which is caught below.
        let ret = unsafe {
            bindings::pci_read_config_word(
                raw::pci(self.pdev),
                bindings::PCI_COMMAND as c_int,
                &mut command,
            )
        };
        (ret == 0 && command != u16::MAX).then_some(command)
    }

    /// Whether the device still answers on the bus.
    pub(crate) fn is_present(&self) -> bool {
        // SAFETY: The device is bound.
        unsafe { bindings::pci_device_is_present(raw::pci(self.pdev)) }
    }
}

impl Drop for BusMaster<'_> {
    fn drop(&mut self) {
        self.disable();
    }
}
