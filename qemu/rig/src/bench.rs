// SPDX-License-Identifier: GPL-2.0

//! `rig bench`: what the ways to move data cost, behind an IOMMU and without one.

use std::io;

use pindma_selftests::leg::Leg;

use crate::mode::Mode;
use crate::places::Places;
use crate::watch::watch;

/// Boots one machine after the other, so that neither disturbs the other, and passes
/// on their tables; true when both came to their end.
pub fn bench(places: &Places) -> io::Result<bool> {
    let behind_iommu = watch(places, Leg::Iommu, Mode::Bench, &[])?;
    let without = watch(places, Leg::Direct, Mode::Bench, &[])?;
    Ok(behind_iommu && without)
}
