// SPDX-License-Identifier: GPL-2.0

//! All interrupt vectors of a device with their handlers.
//!
//! In the `kernel` crate a vector borrows the registration of the vectors, so that an object with
//! both would borrow from itself. This owns both.

use kernel::{
    device::Bound,
    irq::{
        Flags,
        Handler,
        IrqRequest,
        Registration, //
    },
    pci::{
        self,
        IrqType,
        IrqTypes,
        IrqVectorRegistration, //
    },
    prelude::*, //
};

/// Interrupt vectors with one handler each.
///
/// Drop order: the handlers are freed first, as freeing the vectors with a handler on them is a
/// BUG.
pub(crate) struct IrqSet<'b, H: Handler + 'b> {
    handlers: KVec<Pin<KBox<Registration<'b, H>>>>,
    _vectors: KBox<IrqVectorRegistration<'b>>,
}

// SAFETY: Handlers may be freed by any thread.
unsafe impl<H: Handler + Send> Send for IrqSet<'_, H> {}

impl<'b, H: Handler + 'b> IrqSet<'b, H> {
    /// Allocates up to `max` message-signalled vectors and puts `handler(n)` on the nth.
    ///
    /// # Safety
    ///
    /// The set must not be leaked: it must be dropped before the device is unbound.
    pub(super) unsafe fn new(
        pdev: &'b pci::Device<Bound>,
        max: u32,
        name: &'static CStr,
        handler: impl Fn(u32) -> H,
    ) -> Result<Self> {
        let types = IrqTypes::default().with(IrqType::Msi).with(IrqType::MsiX);
        let vectors = KBox::new(pdev.alloc_irq_vectors(1, max, types)?, GFP_KERNEL)?;
        let mut handlers = KVec::with_capacity(vectors.len(), GFP_KERNEL)?;
        for number in 0..vectors.len() {
            // SAFETY: The box keeps the registration in place, and is dropped after the handlers.
            let vectors: &'b IrqVectorRegistration<'b> =
                unsafe { &*core::ptr::from_ref(&*vectors) };
            let request: IrqRequest<'b> = vectors.index(number)?.into();
            let h = handler(u32::try_from(number)?);
            // SAFETY: By the safety requirement it is not leaked.
            let registration =
                unsafe { Registration::new(request, Flags::TRIGGER_NONE, name, Ok::<H, Error>(h)) };
            handlers.push(KBox::pin_init(registration, GFP_KERNEL)?, GFP_KERNEL)?;
        }
        Ok(Self {
            handlers,
            _vectors: vectors,
        })
    }

    /// How many there are.
    pub(super) fn len(&self) -> u32 {
        self.handlers.len() as u32
    }
}
