// SPDX-License-Identifier: GPL-2.0

//! What the PCI core tells of a device between probe and unbind: that it is about to be reset, has
//! reported an error, or is to sleep, and that it is back; and that the system goes down.
//!
//! In the `kernel` crate a PCI driver hears none of it. So [`Registered`] is registered in place of
//! the crate's own adapter, which still does all the rest.
//!
//! C header: [`include/linux/pci.h`](srctree/include/linux/pci.h), see also
//! `Documentation/PCI/pci-error-recovery.rst`.

use core::marker::PhantomData;

use kernel::{
    bindings,
    driver::{
        DriverLayout,
        RegistrationOps, //
    },
    pci,
    prelude::*,
    types::{
        ForeignOwnable,
        Opaque, //
    },
};

use super::binding::{
    Adapter,
    Binding,
    Driver, //
};

type Inner<D> = pci::Adapter<Adapter<D>>;

/// A [`Driver`] that is told of outages.
pub(crate) struct Registered<D>(PhantomData<D>);

// SAFETY: All is as with the adapter that this hands everything on to.
unsafe impl<D: Driver> DriverLayout for Registered<D> {
    type DriverType = <Inner<D> as DriverLayout>::DriverType;
    type DriverData<'bound> = Binding<'bound, D>;
    const DEVICE_DRIVER_OFFSET: usize = <Inner<D> as DriverLayout>::DEVICE_DRIVER_OFFSET;
}

// SAFETY: As above; the callbacks that are added are there for as long as the module.
unsafe impl<D: Driver> RegistrationOps for Registered<D> {
    unsafe fn register(
        driver: &Opaque<Self::DriverType>,
        name: &'static CStr,
        module: &'static ThisModule,
    ) -> Result {
        // SAFETY: Nobody else knows of it before it is registered.
        unsafe {
            (*driver.get()).err_handler = Self::ERRORS;
            (*driver.get()).shutdown = Some(Self::shutdown);
            (*driver.get()).driver.pm = Self::SLEEP;
        }
        // SAFETY: By the safety requirements.
        unsafe { <Inner<D> as RegistrationOps>::register(driver, name, module) }
    }

    unsafe fn unregister(driver: &Opaque<Self::DriverType>) {
        // SAFETY: By the safety requirements.
        unsafe { <Inner<D> as RegistrationOps>::unregister(driver) }
    }
}

impl<D: Driver> Registered<D> {
    const ERRORS: &'static bindings::pci_error_handlers = &bindings::pci_error_handlers {
        error_detected: Some(Self::error_detected),
        slot_reset: Some(Self::slot_reset),
        reset_prepare: Some(Self::reset_prepare),
        reset_done: Some(Self::back),
        resume: Some(Self::back),
        ..pin_init::zeroed()
    };

    const SLEEP: &'static bindings::dev_pm_ops = &bindings::dev_pm_ops {
        suspend: Some(Self::sleep),
        suspend_noirq: Some(Self::power_goes),
        resume: Some(Self::wake),
        freeze: Some(Self::sleep),
        thaw: Some(Self::wake),
        poweroff: Some(Self::sleep),
        poweroff_noirq: Some(Self::power_goes),
        restore: Some(Self::power_is_back),
        ..pin_init::zeroed()
    };

    /// Calls `f` with what belongs to the binding of `dev`, if it is bound.
    ///
    /// # Safety
    ///
    /// `dev` must be locked and be a device of this driver.
    unsafe fn with<R>(
        dev: *mut bindings::device,
        f: impl for<'a> FnOnce(&'a D::Of<'a>) -> R,
    ) -> Option<R> {
        // SAFETY: By the safety requirements.
        let data = unsafe { bindings::dev_get_drvdata(dev) };
        if data.is_null() {
            return None;
        }
        // SAFETY: The lock keeps the device from being unbound, and the adapter has stored the
        // binding so. Lifetimes do not change a type's layout.
        let binding = unsafe { Pin::<KBox<Binding<'_, D>>>::borrow(data.cast()) };
        Some(f(binding.get_ref().core()))
    }

    /// Likewise, of a PCI device.
    ///
    /// # Safety
    ///
    /// As with [`with`](Self::with).
    unsafe fn tell<R>(
        pdev: *mut bindings::pci_dev,
        f: impl for<'a> FnOnce(&'a D::Of<'a>) -> R,
    ) -> Option<R> {
        // SAFETY: By the safety requirements.
        unsafe { Self::with(&raw mut (*pdev).dev, f) }
    }

    extern "C" fn error_detected(
        pdev: *mut bindings::pci_dev,
        state: bindings::pci_channel_state_t,
    ) -> bindings::pci_ers_result_t {
        let given_up = state == bindings::pci_channel_io_perm_failure;
        let pause = |core: &D::Of<'_>| {
            // Nobody says whether a reset was tried before.
            if given_up {
                D::note_reset(core);
            }
            // What cannot be stopped now is looked at again when it is back.
            let _ = D::pause(core);
        };
        // SAFETY: The PCI core calls this with the device locked.
        unsafe { Self::tell(pdev, pause) };
        match state {
            bindings::pci_channel_io_normal => bindings::pci_ers_result_PCI_ERS_RESULT_CAN_RECOVER,
            bindings::pci_channel_io_frozen => bindings::pci_ers_result_PCI_ERS_RESULT_NEED_RESET,
            // It stays paused, so that all is `EIO` as STEP 6 of the document has it, until somebody
            // resets the device or takes it from the driver.
            _ => bindings::pci_ers_result_PCI_ERS_RESULT_DISCONNECT,
        }
    }

    extern "C" fn slot_reset(pdev: *mut bindings::pci_dev) -> bindings::pci_ers_result_t {
        // Not before: most errors do without a reset, unless another device wants one.
        // SAFETY: The PCI core calls this with the device locked.
        unsafe { Self::tell(pdev, |core| D::note_reset(core)) };
        // SAFETY: The device is valid, and what is restored was saved when it was bound.
        unsafe { bindings::pci_restore_state(pdev) };
        // SAFETY: The device is valid.
        match unsafe { bindings::pci_device_is_present(pdev) } {
            true => bindings::pci_ers_result_PCI_ERS_RESULT_RECOVERED,
            false => bindings::pci_ers_result_PCI_ERS_RESULT_DISCONNECT,
        }
    }

    extern "C" fn reset_prepare(pdev: *mut bindings::pci_dev) {
        let pause = |core: &D::Of<'_>| {
            // First, since it is told to what waits.
            D::note_reset(core);
            // What cannot be stopped now is stopped by the reset.
            let _ = D::pause(core);
        };
        // SAFETY: The PCI core calls this with the device locked.
        unsafe { Self::tell(pdev, pause) };
    }

    extern "C" fn back(pdev: *mut bindings::pci_dev) {
        // SAFETY: The PCI core calls this with the device locked.
        unsafe { Self::tell(pdev, |core| D::resume(core)) };
    }

    /// The system goes down, or another kernel takes over, and memory is for other things then.
    extern "C" fn shutdown(pdev: *mut bindings::pci_dev) {
        // SAFETY: The driver core calls this with the device locked.
        if let Some(Err(_)) = unsafe { Self::tell(pdev, |core| D::pause(core)) } {
            pr_warn!("a device works on while the system goes down\n");
        }
    }

    extern "C" fn sleep(dev: *mut bindings::device) -> c_int {
        // SAFETY: The PM core calls this with the device locked.
        let rests = unsafe { Self::with(dev, |core| D::rest(core)) };
        let Some(Err(error)) = rests else {
            return 0;
        };
        // It stays awake, so it goes on.
        // SAFETY: As above.
        unsafe { Self::with(dev, |core| D::resume(core)) };
        error.to_errno()
    }

    /// The system goes on to sleep, after which the PCI core or the platform takes power away. That
    /// is a reset: a device need not keep anything even in D3hot, and how far the platform goes is
    /// not told.
    extern "C" fn power_goes(dev: *mut bindings::device) -> c_int {
        // SAFETY: The device is valid, and the PM core holds no lock of it in this phase.
        unsafe { bindings::mutex_lock(&raw mut (*dev).mutex) };
        // SAFETY: It is locked.
        unsafe { Self::with(dev, |core| D::note_reset(core)) };
        // SAFETY: It was locked above.
        unsafe { bindings::mutex_unlock(&raw mut (*dev).mutex) };
        0
    }

    /// The system is the image of one that was frozen, before power went.
    extern "C" fn power_is_back(dev: *mut bindings::device) -> c_int {
        // SAFETY: The PM core calls this with the device locked.
        unsafe { Self::with(dev, |core| D::note_reset(core)) };
        Self::wake(dev)
    }

    extern "C" fn wake(dev: *mut bindings::device) -> c_int {
        // SAFETY: The PM core calls this with the device locked.
        unsafe { Self::with(dev, |core| D::resume(core)) };
        0
    }
}

/// Saves what a reset clears, for [`Registered::slot_reset`].
pub(super) fn save_state(pdev: &pci::Device<kernel::device::Core<'_>>) {
    // SAFETY: The device is being bound, and so locked. It only fails for lack of memory, of a
    // device that had no room for it made when it was found.
    let _ = unsafe { bindings::pci_save_state(super::raw::pci(pdev)) };
}
