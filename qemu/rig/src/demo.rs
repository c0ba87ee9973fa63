// SPDX-License-Identifier: GPL-2.0

//! `rig demo`: a file through a device and back, shown as it happens.

use std::io;

use clap::ValueEnum;
use pindma_selftests::leg::Leg;

use crate::mode::Mode;
use crate::places::Places;
use crate::watch::watch;

/// The device that is shown.
#[derive(Clone, Copy, ValueEnum)]
pub enum Device {
    /// The model of XDMA.
    Xdma,
    /// QEMU's small one.
    Edu,
}

impl Device {
    fn leg(self) -> Leg {
        match self {
            Device::Xdma => Leg::Xdma,
            Device::Edu => Leg::Iommu,
        }
    }

    /// What a demo that went well says, each as a line of its own.
    fn well(self) -> &'static [&'static str] {
        match self {
            Device::Xdma => &["# demo: the files are equal"],
            Device::Edu => &[
                "# demo: pindma copy ended with exit status: 0",
                "# demo: the files are equal",
            ],
        }
    }
}

/// Boots the demo and passes on what it prints; true when it came to its end
/// and nothing complained.
pub fn demo(places: &Places, device: Device) -> io::Result<bool> {
    watch(places, device.leg(), Mode::Demo, device.well())
}
