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

/// Whether a device may access memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mastering {
    /// It may.
    On,
    /// It may not.
    Off,
    /// It does not say so: it did not answer.
    Unknown,
}

impl From<Option<u16>> for Mastering {
    /// What the command register says, if that could be read.
    fn from(command: Option<u16>) -> Self {
        match command.map(|command| u32::from(command) & bindings::PCI_COMMAND_MASTER) {
            Some(0) => Self::Off,
            Some(_) => Self::On,
            None => Self::Unknown,
        }
    }
}

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
    pub(crate) fn mastering(&self) -> Mastering {
        self.command().into()
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
        // SAFETY: The device is bound.
        let ret = unsafe {
            bindings::pci_read_config_word(
                raw::pci(self.pdev),
                bindings::PCI_COMMAND as c_int,
                &mut command,
            )
        };
        answered(ret, command)
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

/// What was read with the result `ret`, unless that is what nobody has answered: all ones.
fn answered(ret: c_int, word: u16) -> Option<u16> {
    (ret == 0 && word != u16::MAX).then_some(word)
}

#[kunit_tests(pindma_bus_master)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_answer_is_not_known_to_be_off() {
        let says = |ret, command| Mastering::from(answered(ret, command));
        assert_eq!(says(0, 0), Mastering::Off);
        assert_eq!(says(0, 0x0406), Mastering::On);
        assert_eq!(says(0, 0x0402), Mastering::Off);
        assert_eq!(says(0, u16::MAX), Mastering::Unknown);
        assert_eq!(
            says(bindings::PCIBIOS_DEVICE_NOT_FOUND as c_int, 0),
            Mastering::Unknown
        );
    }
}
