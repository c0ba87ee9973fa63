// SPDX-License-Identifier: MIT OR GPL-2.0

//! Interrupts on their way to QEMU: an eventfd for each vector, and one for the line.

use std::fs::File;
use std::io::{self, Write};

use vfio_bindings::bindings::vfio::{
    VFIO_IRQ_INFO_AUTOMASKED, VFIO_IRQ_INFO_EVENTFD, VFIO_IRQ_INFO_MASKABLE,
    VFIO_IRQ_INFO_NORESIZE, VFIO_IRQ_SET_ACTION_MASK, VFIO_IRQ_SET_ACTION_TRIGGER,
    VFIO_IRQ_SET_ACTION_UNMASK, VFIO_IRQ_SET_DATA_EVENTFD, VFIO_PCI_INTX_IRQ_INDEX,
    VFIO_PCI_MSIX_IRQ_INDEX, VFIO_PCI_MSI_IRQ_INDEX, VFIO_PCI_NUM_IRQS,
};
use vfio_user::IrqInfo;

use pindma_xdma::{Config as Build, Interrupts};

use super::config::MSIX_VECTORS;

/// What the function has to offer, for QEMU.
pub fn offered(build: &Build) -> Vec<IrqInfo> {
    let vectors = VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE;
    let line = VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED;
    let of = |index| match index {
        VFIO_PCI_INTX_IRQ_INDEX => (1, line),
        VFIO_PCI_MSI_IRQ_INDEX => (u32::from(build.msi_vectors), vectors),
        VFIO_PCI_MSIX_IRQ_INDEX => (u32::from(MSIX_VECTORS), vectors),
        _ => (0, 0),
    };
    (0..VFIO_PCI_NUM_IRQS)
        .map(|index| {
            let (count, flags) = of(index);
            IrqInfo {
                index,
                flags,
                count,
            }
        })
        .collect()
}

/// The ways that QEMU has opened for interrupts.
#[derive(Default)]
pub struct Irqs {
    msix: Vec<Option<File>>,
    msi: Vec<Option<File>>,
    line: Line,
    /// Messages that nobody waited for.
    pub lost: u64,
    /// Messages that were sent.
    pub sent: u64,
}

/// The line INTA. QEMU hears of its rising, holds it up for the guest, and asks again
/// when the guest has looked after the card.
#[derive(Default)]
struct Line {
    bell: Option<File>,
    high: bool,
    masked: bool,
}

impl Irqs {
    /// What QEMU asks for: eventfds for a range of vectors, none for them, or the line's
    /// mask.
    pub fn set(
        &mut self,
        index: u32,
        flags: u32,
        (start, count): (u32, u32),
        fds: Vec<File>,
    ) -> io::Result<()> {
        match index {
            VFIO_PCI_INTX_IRQ_INDEX => self.line.set(flags, count, fds),
            VFIO_PCI_MSI_IRQ_INDEX => set_vectors(&mut self.msi, flags, (start, count), fds),
            VFIO_PCI_MSIX_IRQ_INDEX => set_vectors(&mut self.msix, flags, (start, count), fds),
            _ => Err(unsupported("interrupts of this kind")),
        }
    }

    /// Sends a message.
    pub fn message(&mut self, kind: Interrupts, vector: u32) {
        let bell = match kind {
            Interrupts::MsiX { .. } => self.msix.get(vector as usize),
            Interrupts::Msi(_) => self.msi.get(vector as usize),
            Interrupts::Intx | Interrupts::None => None,
        };
        match bell.and_then(Option::as_ref) {
            Some(bell) if ring(bell) => self.sent += 1,
            _ => self.lost += 1,
        }
    }

    /// Sets the line.
    pub fn line(&mut self, high: bool) {
        self.line.high = high;
        self.line.tell();
    }

    /// Whether messages of an MSI-X vector reach anybody.
    pub fn has_vector(&self, vector: u32) -> bool {
        self.msix.get(vector as usize).is_some_and(Option::is_some)
    }

    /// Whether the line is up.
    pub fn is_line_high(&self) -> bool {
        self.line.high
    }
}

impl Line {
    fn set(&mut self, flags: u32, count: u32, mut fds: Vec<File>) -> io::Result<()> {
        if flags & VFIO_IRQ_SET_ACTION_MASK != 0 {
            self.masked = true;
        } else if flags & VFIO_IRQ_SET_ACTION_UNMASK != 0 {
            self.masked = false;
        } else if flags & VFIO_IRQ_SET_DATA_EVENTFD != 0 || count == 0 {
            self.bell = fds.pop();
            self.masked = false;
        }
        self.tell();
        Ok(())
    }

    fn tell(&mut self) {
        if let Some(bell) = self.bell.as_ref().filter(|_| self.high && !self.masked) {
            self.masked = ring(bell);
        }
    }
}

/// QEMU sends the eventfds of a range one by one, since one is all that a message takes.
fn set_vectors(
    vectors: &mut Vec<Option<File>>,
    flags: u32,
    (start, count): (u32, u32),
    fds: Vec<File>,
) -> io::Result<()> {
    if flags & VFIO_IRQ_SET_ACTION_TRIGGER == 0 {
        return Err(unsupported("masks of single vectors"));
    }
    if count == 0 {
        vectors.clear();
        return Ok(());
    }
    let end = u64::from(start) + u64::from(count);
    if end > u64::from(MSIX_VECTORS) {
        return Err(unsupported("so many vectors"));
    }
    if vectors.len() < end as usize {
        vectors.resize_with(end as usize, || None);
    }
    let mut fds = fds.into_iter();
    for vector in &mut vectors[start as usize..end as usize] {
        *vector = fds.next();
    }
    Ok(())
}

/// Whether QEMU has been told.
fn ring(mut bell: &File) -> bool {
    bell.write_all(&1u64.to_ne_bytes()).is_ok()
}

fn unsupported(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        format!("the card has not {what}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;

    const MSIX: Interrupts = Interrupts::MsiX { masked: false };
    const EVENTS: u32 = VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_EVENTFD;

    /// What stands for an eventfd: the card writes to it, the test sees how often.
    struct Bell(UnixStream);

    impl Bell {
        fn new() -> (Bell, File) {
            let (here, there) = UnixStream::pair().expect("a pair of sockets");
            here.set_nonblocking(true).expect("a socket can be that");
            (Bell(here), File::from(OwnedFd::from(there)))
        }

        fn rings(&self) -> usize {
            let mut bytes = [0; 256];
            (&self.0).read(&mut bytes).unwrap_or(0) / 8
        }
    }

    #[test]
    fn what_is_offered() {
        let counts: Vec<_> = offered(&Build::default())
            .iter()
            .map(|irq| irq.count)
            .collect();
        assert_eq!(counts, [1, 1, 32, 0, 0]);
    }

    #[test]
    fn a_message_rings_its_vector() {
        let mut irqs = Irqs::default();
        let (bell, fd) = Bell::new();
        irqs.set(VFIO_PCI_MSIX_IRQ_INDEX, EVENTS, (3, 1), vec![fd])
            .expect("it is offered");
        irqs.message(MSIX, 3);
        irqs.message(MSIX, 2);
        irqs.message(Interrupts::Msi(1), 3);
        irqs.message(MSIX, 99);
        assert_eq!((bell.rings(), irqs.sent, irqs.lost), (1, 1, 3));
    }

    #[test]
    fn vectors_are_taken_back() {
        let mut irqs = Irqs::default();
        let (bell, fd) = Bell::new();
        let set = VFIO_PCI_MSIX_IRQ_INDEX;
        irqs.set(set, EVENTS, (0, 1), vec![fd]).expect("offered");
        irqs.set(set, EVENTS, (0, 1), vec![]).expect("offered");
        irqs.message(MSIX, 0);
        assert_eq!(bell.rings(), 0);
        assert!(irqs.set(set, EVENTS, (u32::MAX, 2), vec![]).is_err());
        irqs.set(set, VFIO_IRQ_SET_ACTION_TRIGGER, (0, 0), vec![])
            .expect("it is how QEMU ends");
        assert!(irqs.msix.is_empty());
    }

    #[test]
    fn a_line_that_stays_up_rings_again_when_it_is_unmasked() {
        let mut irqs = Irqs::default();
        let (bell, fd) = Bell::new();
        let set = VFIO_PCI_INTX_IRQ_INDEX;
        irqs.line(true);
        irqs.set(set, EVENTS, (0, 1), vec![fd]).expect("offered");
        assert_eq!(bell.rings(), 1);
        irqs.line(true);
        assert_eq!(bell.rings(), 0);
        let unmask = VFIO_IRQ_SET_ACTION_UNMASK;
        irqs.set(set, unmask, (0, 1), vec![]).expect("offered");
        assert_eq!(bell.rings(), 1);
        irqs.line(false);
        irqs.set(set, unmask, (0, 1), vec![]).expect("offered");
        assert_eq!(bell.rings(), 0);
    }
}
