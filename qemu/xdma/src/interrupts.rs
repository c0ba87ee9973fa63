// SPDX-License-Identifier: MIT OR GPL-2.0

//! The kind of interrupt that the host has turned on.

/// The one kind of interrupt that is active ("IRQ Module").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interrupts {
    /// None: causes are only noted.
    #[default]
    None,
    /// The lines INTA to INTD.
    Intx,
    /// MSI with this many messages, a power of two up to 32.
    Msi(u8),
    /// MSI-X; each vector is masked in the table until the host opens it.
    MsiX {
        /// The mask of the whole function, in the capability.
        masked: bool,
    },
}

impl Interrupts {
    /// The word of the config block: bit 0 MSI, bit 1 MSI-X.
    pub(crate) fn bits(self) -> u32 {
        match self {
            Interrupts::None | Interrupts::Intx => 0,
            Interrupts::Msi(_) => 1,
            Interrupts::MsiX { .. } => 2,
        }
    }

    /// Whether causes make messages.
    pub(crate) fn has_messages(self) -> bool {
        self.bits() != 0
    }
}
