// SPDX-License-Identifier: GPL-2.0

//! Probe and unbind.

use kernel::{
    device::{
        self,
        Bound, //
    },
    dma::DmaMask,
    page::PAGE_SIZE,
    pci,
    prelude::*,
    str::CString,
    sync::Arc, //
};

use crate::{
    card::{
        device::{
            Device,
            Facts,
            Pindma, //
        },
        Card, //
    },
    engine,
    file::Open,
    kapi::{
        binding::{
            Driver,
            Parts, //
        },
        bus_master::BusMaster,
        dma_view::{
            self,
            DmaView, //
        },
        link::Link, //
    }, //
};

impl Driver for Pindma {
    type IdInfo = engine::Model;
    type File = Open;
    const ID_TABLE: pci::IdTable<Self::IdInfo> = engine::TABLE;
    const NAME: &'static CStr = c"pindma";

    fn probe<'b>(
        pdev: &'b pci::Device<device::Core<'_>>,
        model: Option<&'b engine::Model>,
    ) -> Result<Parts<'b, Self>> {
        let model = model.unwrap_or(engine::OVERRIDDEN);
        pdev.enable_device_mem()?;
        let master = BusMaster::new(pdev);
        let bus = (model.bus)();
        let view = dma_view(pdev, &bus)?;
        let bound: &'b pci::Device<Bound> = pdev;
        let engine = (model.open)(bound)?;
        let limits = engine.limits().clone();
        limits.check(&bus).map_err(|complaint| {
            dev_err!(
                pdev,
                "the engine for {} is wrong: {}\n",
                limits.name,
                complaint
            );
            EINVAL
        })?;
        let device = Device::new(facts(bound, &view, limits.clone())?, room(&view))?;
        let card = Card::new(device.clone(), master, view, engine)?;
        Ok(Parts {
            core: card,
            shared: device,
            max_vectors: limits.vectors,
        })
    }

    fn link(device: &Device) -> &Link<Self> {
        device.link()
    }

    fn wire(card: &Card<'_>, vectors: u32) {
        card.wire(vectors);
    }

    fn interrupt(card: &Card<'_>, vector: u32) -> bool {
        card.interrupt(vector)
    }

    fn pause(card: &Card<'_>) -> Result {
        card.pause()
    }

    fn rest(card: &Card<'_>) -> Result {
        card.rest()
    }

    fn note_reset(card: &Card<'_>) {
        card.device().note_reset();
    }

    fn resume(card: &Card<'_>) {
        card.resume();
    }

    fn close(card: &Card<'_>) {
        card.device().close();
    }

    fn stop(card: &Card<'_>) {
        card.stop();
    }
}

fn dma_view<'b>(pdev: &'b pci::Device<device::Core<'_>>, bus: &engine::Bus) -> Result<DmaView<'b>> {
    let mask = DmaMask::try_new(bus.address_bits)?;
    DmaView::new(pdev, mask, bus.max_segment, bus.boundary)
        .inspect_err(|_| dev_err!(pdev, "no DMA with {} address bits\n", bus.address_bits))
}

/// How many pages can be mapped at a time: behind an IOMMU they need bus addresses, and rounding may
/// take as many again.
fn room(view: &DmaView<'_>) -> usize {
    if view.translated() {
        usize::try_from(view.limit() / PAGE_SIZE as u64 + 1).unwrap_or(usize::MAX)
    } else {
        usize::MAX
    }
}

fn facts(
    pdev: &pci::Device<Bound>,
    view: &DmaView<'_>,
    limits: Arc<engine::Limits>,
) -> Result<Facts> {
    Ok(Facts {
        limits,
        bus: CString::try_from(pdev.as_ref().name())?,
        cache_align: if view.coherent() {
            1
        } else {
            dma_view::cache_align()
        },
    })
}
