// SPDX-License-Identifier: MIT OR GPL-2.0

//! What QEMU asks, handed to the machine.

use std::fs::File;
use std::io;
use std::sync::Arc;

use vfio_bindings::bindings::vfio::{
    vfio_region_info, VFIO_PCI_CONFIG_REGION_INDEX, VFIO_PCI_NUM_REGIONS,
    VFIO_REGION_INFO_FLAG_READ, VFIO_REGION_INFO_FLAG_WRITE,
};
use vfio_user::{DmaMapFlags, DmaUnmapFlags, ServerBackend, ServerRegion};

use pindma_xdma::Config as Build;

use super::config;
use super::maps::Rights;
use super::shared::Shared;

/// The regions of the function: its BARs and its configuration space. None is shared
/// memory: the model sees every access.
pub fn regions(build: &Build) -> Vec<ServerRegion> {
    (0..VFIO_PCI_NUM_REGIONS)
        .map(|index| ServerRegion {
            region_info: vfio_region_info {
                argsz: size_of::<vfio_region_info>() as u32,
                index,
                size: size(build, index),
                flags: VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE,
                ..vfio_region_info::default()
            },
            sparse_areas: Vec::new(),
            mmap_fd: None,
        })
        .collect()
}

fn size(build: &Build, index: u32) -> u64 {
    if index == VFIO_PCI_CONFIG_REGION_INDEX {
        return config::BYTES as u64;
    }
    let bars = build.bars();
    let bar = bars.iter().find(|bar| u32::from(bar.index) == index);
    bar.map_or(0, |bar| bar.size)
}

/// The server's side of the socket.
pub struct Backend(pub Arc<Shared>);

impl ServerBackend for Backend {
    fn region_read(&mut self, region: u32, offset: u64, data: &mut [u8]) -> io::Result<()> {
        self.0.call(|machine| {
            if region == VFIO_PCI_CONFIG_REGION_INDEX {
                machine.read_config(offset, data);
            } else {
                machine.read_bar(region as u8, offset, data);
            }
        });
        Ok(())
    }

    fn region_write(&mut self, region: u32, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.call(|machine| {
            if region == VFIO_PCI_CONFIG_REGION_INDEX {
                machine.write_config(offset, data);
            } else {
                machine.write_bar(region as u8, offset, data);
            }
        });
        Ok(())
    }

    fn dma_map(
        &mut self,
        flags: DmaMapFlags,
        offset: u64,
        address: u64,
        size: u64,
        fd: Option<File>,
    ) -> io::Result<()> {
        let rights = Rights {
            read: flags.contains(DmaMapFlags::READ),
            write: flags.contains(DmaMapFlags::WRITE),
        };
        self.0
            .call(|machine| machine.map((address, size), rights, fd, offset))
    }

    fn dma_unmap(&mut self, flags: DmaUnmapFlags, address: u64, size: u64) -> io::Result<()> {
        self.0.call(|machine| {
            if flags.contains(DmaUnmapFlags::UNMAP_ALL) {
                machine.unmap_all();
            } else {
                machine.unmap(address, size);
            }
        });
        Ok(())
    }

    fn reset(&mut self) -> io::Result<()> {
        self.0.call(|machine| machine.reset());
        Ok(())
    }

    fn set_irqs(
        &mut self,
        index: u32,
        flags: u32,
        start: u32,
        count: u32,
        fds: Vec<File>,
    ) -> io::Result<()> {
        self.0
            .call(|machine| machine.set_irqs(index, flags, (start, count), fds))
    }
}
