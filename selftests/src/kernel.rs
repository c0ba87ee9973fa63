// SPDX-License-Identifier: GPL-2.0

//! Kernels on which the legs run.

/// One build of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// The distribution's own.
    Stock,
    /// The one that watches itself: KASAN, lockdep, kmemleak, DMA-API debugging, fault injection.
    Debug,
}

impl Kernel {
    /// Every kernel.
    pub const ALL: [Kernel; 2] = [Kernel::Stock, Kernel::Debug];

    /// Name of the kernel, as on the guest's command line (`rig.kernel=`).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kernel::Stock => "stock",
            Kernel::Debug => "debug",
        }
    }

    /// The kernel with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Kernel> {
        Kernel::ALL.into_iter().find(|kernel| kernel.name() == name)
    }
}
