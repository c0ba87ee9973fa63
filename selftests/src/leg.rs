// SPDX-License-Identifier: GPL-2.0

//! Legs: the machines on which the cases run.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::kernel::Kernel;

/// Set in a guest whose kernel needs so many instructions for everything that a span
/// of time tells nothing.
static MANY_INSTRUCTIONS: AtomicBool = AtomicBool::new(false);

/// Says that this is such a guest.
pub(crate) fn needs_many_instructions() {
    MANY_INSTRUCTIONS.store(true, Ordering::Relaxed);
}

/// One machine: how its device reaches memory, and how its time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leg {
    /// Strict IOMMU, 28-bit device.
    Iommu,
    /// The same for the fault sweep alone, which takes as long as all the others.
    Sweep,
    /// IOMMU that forgets what was unmapped some time later, as distributions have it; part
    /// of the memory is movable.
    Lazy,
    /// Strict IOMMU, much memory, 48-bit device, one page of 1 GiB.
    Wide,
    /// No IOMMU, all memory inside the device's mask.
    Direct,
    /// No IOMMU, most memory beyond the device's mask, nothing to bounce with.
    Reach,
    /// No IOMMU, everything is bounced.
    Bounce,
    /// Strict IOMMU, two vCPUs that really run at once, and real time.
    Smp,
    /// Strict IOMMU and the model of XDMA, which works beside the guest in real time.
    Xdma,
    /// Strict IOMMU, two vCPUs, and the model of XDMA with four channels each way and 64 MiB.
    XdmaSmp,
    /// As leg xdma with channels that are streams, under an id that the driver does not know.
    Streams,
}

impl Leg {
    /// Every leg, in the order in which they run.
    pub const ALL: [Leg; 11] = [
        Leg::Iommu,
        Leg::Sweep,
        Leg::Lazy,
        Leg::Wide,
        Leg::Direct,
        Leg::Reach,
        Leg::Bounce,
        Leg::Smp,
        Leg::Xdma,
        Leg::XdmaSmp,
        Leg::Streams,
    ];

    /// Name of the leg, as on the guest's command line (`rig.leg=`).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Leg::Iommu => "iommu",
            Leg::Sweep => "sweep",
            Leg::Lazy => "lazy",
            Leg::Wide => "wide",
            Leg::Direct => "direct",
            Leg::Reach => "reach",
            Leg::Bounce => "bounce",
            Leg::Smp => "smp",
            Leg::Xdma => "xdma",
            Leg::XdmaSmp => "xdma-smp",
            Leg::Streams => "streams",
        }
    }

    /// The leg with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Leg> {
        Leg::ALL.into_iter().find(|leg| leg.name() == name)
    }

    /// Name of the engine that the device has.
    #[must_use]
    pub fn engine(self) -> &'static str {
        match self {
            Leg::Xdma | Leg::XdmaSmp | Leg::Streams => "xdma",
            _ => "edu",
        }
    }

    /// Address bits that the device drives, the driver's parameter `dma_bits`.
    #[must_use]
    pub fn dma_bits(self) -> u32 {
        match self {
            Leg::Wide => 48,
            Leg::Xdma | Leg::XdmaSmp | Leg::Streams => 64,
            _ => 28,
        }
    }

    /// Why this leg is left out on a kernel, or none: it runs there.
    #[must_use]
    pub fn left_out_of(self, kernel: Kernel) -> Option<&'static str> {
        match (kernel, self) {
            (Kernel::Debug, Leg::Xdma) => {
                Some("leg streams watches the engine, and the others all else")
            }
            (Kernel::Stock, Leg::Sweep) => Some("this kernel injects no faults"),
            (Kernel::Debug, Leg::Lazy) => {
                Some("the code is that of leg iommu, only the kernel forgets later")
            }
            (Kernel::Debug, Leg::Wide) => {
                Some("the code is that of leg iommu, only the numbers are larger")
            }
            (Kernel::Debug, Leg::Direct) => {
                Some("what is mapped, leg iommu watches, and how it is synced, leg bounce")
            }
            (Kernel::Debug, Leg::Reach) => {
                Some("refused before anything is mapped: nothing to watch")
            }
            _ => None,
        }
    }

    /// Whether an IOMMU translates the device's addresses.
    #[must_use]
    pub fn has_iommu(self) -> bool {
        matches!(
            self,
            Leg::Iommu
                | Leg::Sweep
                | Leg::Lazy
                | Leg::Wide
                | Leg::Smp
                | Leg::Xdma
                | Leg::XdmaSmp
                | Leg::Streams
        )
    }

    /// Whether every mapping goes through a bounce buffer.
    #[must_use]
    pub fn bounces(self) -> bool {
        self == Leg::Bounce
    }

    /// Whether the device has an id that the driver does not know.
    #[must_use]
    pub fn is_overridden(self) -> bool {
        self == Leg::Streams
    }

    /// Whether a job is over before anything can happen to it, unless the card is told to be slow.
    #[must_use]
    pub fn is_fast(self) -> bool {
        matches!(self, Leg::Xdma | Leg::XdmaSmp)
    }

    /// Whether guest time counts instructions, so that spans of it are exact.
    #[must_use]
    pub fn counts_time(self) -> bool {
        !matches!(self, Leg::Smp | Leg::Xdma | Leg::XdmaSmp | Leg::Streams)
            && !MANY_INSTRUCTIONS.load(Ordering::Relaxed)
    }
}
