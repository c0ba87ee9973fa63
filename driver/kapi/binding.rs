// SPDX-License-Identifier: GPL-2.0

//! The binding of a driver to a PCI device, and the order in which it ends.
//!
//! What must not be leaked (interrupt handlers, a node, the link that files go through) lives here
//! in an object that only the driver core ever owns; so drivers need no `unsafe` for it.

use kernel::{
    device::Core,
    irq::{
        Handler,
        IrqReturn, //
    },
    pci,
    prelude::*,
    sync::Arc, //
};

use super::{
    irq_set::IrqSet,
    link::{
        Link,
        Target, //
    },
    node::{
        Node,
        OpenFile, //
    },
    outages,
};

/// A PCI driver whose device has a node and does DMA.
pub(crate) trait Driver: Target {
    /// What a device id says.
    type IdInfo: 'static;
    /// An open file of the node.
    type File: OpenFile;
    /// The device ids.
    const ID_TABLE: pci::IdTable<Self::IdInfo>;
    /// The module's name, for the node and the interrupts.
    const NAME: &'static CStr;

    /// Makes the device ready; it is not published yet. If this or what follows it fails, what it
    /// returns is dropped.
    fn probe<'b>(
        pdev: &'b pci::Device<Core<'_>>,
        info: Option<&'b Self::IdInfo>,
    ) -> Result<Parts<'b, Self>>
    where
        Self: Sized;

    /// The way from the shared object to the bound one.
    fn link(shared: &<Self::File as OpenFile>::Shared) -> &Link<Self>
    where
        Self: Sized;

    /// The device has got so many interrupt vectors, and may use them from now on.
    fn wire(core: &Self::Of<'_>, vectors: u32);

    /// A hard interrupt; returns whether it was the device's. It may come until the binding is
    /// dropped, after [`stop`](Self::stop) as well.
    fn interrupt(core: &Self::Of<'_>, vector: u32) -> bool;

    /// The device cannot be used for a while: give it no work, and end what it works on and what waits
    /// for it.
    ///
    /// # Errors
    ///
    /// `EBUSY` if it did not stop.
    fn pause(core: &Self::Of<'_>) -> Result;

    /// The system is about to sleep: let the device end what it works on, and give it no more. What
    /// waits for it goes on waiting.
    ///
    /// # Errors
    ///
    /// `EBUSY` if it was not done in time.
    fn rest(core: &Self::Of<'_>) -> Result;

    /// It is reset before it can be used again, or was: it forgets what it was told. An outage in
    /// which nobody says so leaves it as it is.
    fn note_reset(core: &Self::Of<'_>);

    /// The device can be used again, also if [`pause`](Self::pause) or [`rest`](Self::rest) has failed.
    fn resume(core: &Self::Of<'_>);

    /// Unbind, first step: refuse new calls and wake who waits.
    fn close(core: &Self::Of<'_>);

    /// Unbind, last step: nobody is inside [`Link::with`] any more. Stop the device, end what is in
    /// flight, unmap everything. What unpinning may wait for, this must not.
    fn stop(core: &Self::Of<'_>);
}

/// What a probe makes.
pub(crate) struct Parts<'b, D: Driver> {
    /// What belongs to the binding.
    pub(crate) core: Arc<D::Of<'b>>,
    /// What files hold.
    pub(crate) shared: Arc<<D::File as OpenFile>::Shared>,
    /// Most interrupt vectors that are of use.
    pub(crate) max_vectors: u32,
}

struct Vector<'b, D: Driver> {
    core: Arc<D::Of<'b>>,
    number: u32,
}

impl<D: Driver> Handler for Vector<'_, D> {
    fn handle(&self) -> IrqReturn {
        if D::interrupt(&self.core, self.number) {
            IrqReturn::Handled
        } else {
            IrqReturn::None
        }
    }
}

/// A link that is attached.
///
/// Dropping it cuts the link, before the target may go.
struct Attached<D: Driver>(Arc<<D::File as OpenFile>::Shared>);

impl<D: Driver> Drop for Attached<D> {
    fn drop(&mut self) {
        D::link(&self.0).detach();
    }
}

/// A driver bound to a device.
///
/// Drop order: the node goes first, so that no file is opened; then the link, so that no call is
/// inside; then the interrupts; then what all of them use. After an unbind the first two have
/// nothing left to do.
pub(crate) struct Binding<'b, D: Driver> {
    node: Pin<KBox<Node<D::File>>>,
    link: Attached<D>,
    _irqs: IrqSet<'b, Vector<'b, D>>,
    core: Arc<D::Of<'b>>,
}

impl<'b, D: Driver> Binding<'b, D> {
    fn new(pdev: &'b pci::Device<Core<'_>>, info: Option<&'b D::IdInfo>) -> Result<Self> {
        let parts = D::probe(pdev, info)?;
        let core = parts.core;
        let handler = |number| Vector::<D> {
            core: core.clone(),
            number,
        };
        // SAFETY: The binding owns it, and the driver core drops that before the device is unbound.
        let irqs = unsafe { IrqSet::new(pdev, parts.max_vectors, D::NAME, handler)? };
        D::wire(&core, irqs.len());
        // SAFETY: `Attached` detaches it, and is dropped before `core`.
        unsafe { D::link(&parts.shared).attach(&core) };
        let link = Attached(parts.shared.clone());
        let name = D::NAME.to_str().map_err(|_| EINVAL)?;
        // SAFETY: As for the interrupts.
        let node = unsafe { Node::publish(name, pdev.as_ref(), parts.shared)? };
        outages::save_state(pdev);
        Ok(Self {
            node,
            link,
            _irqs: irqs,
            core,
        })
    }

    /// What belongs to the binding.
    pub(super) fn core<'a>(&'a self) -> &'a D::Of<'b> {
        &self.core
    }

    /// The one order in which a binding ends. It must be here and not in `Drop`: that runs after
    /// the driver core has given up DMA for the device.
    fn end(&self) {
        D::close(&self.core);
        self.node.withdraw();
        D::link(&self.link.0).detach();
        D::stop(&self.core);
    }
}

/// Makes a [`Driver`] one of the `kernel` crate's.
pub(crate) struct Adapter<D>(core::marker::PhantomData<D>);

impl<D: Driver> pci::Driver for Adapter<D> {
    type IdInfo = D::IdInfo;
    type Data<'bound> = Binding<'bound, D>;
    const ID_TABLE: pci::IdTable<Self::IdInfo> = D::ID_TABLE;

    fn probe<'bound>(
        pdev: &'bound pci::Device<Core<'_>>,
        info: Option<&'bound Self::IdInfo>,
    ) -> impl PinInit<Self::Data<'bound>, Error> + 'bound {
        Binding::new(pdev, info)
    }

    fn unbind<'bound>(_pdev: &'bound pci::Device<Core<'_>>, this: Pin<&Self::Data<'bound>>) {
        this.end();
    }
}
