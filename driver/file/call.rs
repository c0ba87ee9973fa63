// SPDX-License-Identifier: GPL-2.0

//! The shapes that ioctls have: what is copied in and out, and when a call succeeds.

use kernel::{
    prelude::*,
    uaccess::UserPtr, //
};

use crate::{
    base::{
        counters,
        failure::{
            restartable,
            Failure, //
        },
        progress::Progress, //
    },
    kapi::abi::{
        pindma_copy,
        pindma_pool_create,
        pindma_region_register,
        pindma_result,
        pindma_transfer,
        Argument,
        Call, //
    },
    memory::client::{
        Caller,
        Client, //
    }, //
};

/// An argument that ends with a result.
pub(super) trait HasResult: Argument {
    fn result(&mut self) -> &mut pindma_result;
}

impl HasResult for pindma_transfer {
    fn result(&mut self) -> &mut pindma_result {
        &mut self.out
    }
}

impl HasResult for pindma_copy {
    fn result(&mut self) -> &mut pindma_result {
        &mut self.out
    }
}

impl HasResult for pindma_pool_create {
    fn result(&mut self) -> &mut pindma_result {
        &mut self.out
    }
}

impl HasResult for pindma_region_register {
    fn result(&mut self) -> &mut pindma_result {
        &mut self.out
    }
}

/// A call that only answers.
pub(super) fn ask<T: Argument>(
    client: &Client,
    arg: UserPtr,
    answer: impl FnOnce(&mut T) -> Result,
) -> Result<isize> {
    if client.device().is_gone() {
        return Err(ENODEV);
    }
    let mut call = Call::<T>::read(arg)?;
    let end = answer(&mut call.arg);
    call.write_back()?;
    end.map(|()| 0)
}

/// A call that answers nothing: nothing is written back.
pub(super) fn tell<T: Argument>(
    client: &Client,
    arg: UserPtr,
    act: impl FnOnce(&T) -> Result,
) -> Result<isize> {
    if client.device().is_gone() {
        return Err(ENODEV);
    }
    act(&Call::<T>::read(arg)?.arg).map_err(restartable)?;
    Ok(0)
}

/// A call that makes something. What it has made is dropped again if the caller cannot be told
/// of it, and else kept.
pub(super) fn make<T: HasResult, M>(
    arg: UserPtr,
    make: impl FnOnce(&mut T, &mut Progress) -> Result<M, Failure>,
    keep: impl FnOnce(M),
) -> Result<isize> {
    let _counted = counters::REQUESTS.hold();
    let mut call = Call::<T>::read(arg)?;
    let mut progress = Progress::default();
    let (made, end) = match make(&mut call.arg, &mut progress) {
        Ok(made) => (Some(made), Ok(())),
        Err(failure) => (None, Err(failure)),
    };
    *call.arg.result() = progress.result(&end);
    call.write_back()?;
    end.map_err(|failure| restartable(failure.error()))?;
    if let Some(made) = made {
        keep(made);
    }
    Ok(0)
}

/// A call that moves data. It succeeds once anything was started; what became of it stands in
/// its result.
pub(super) fn work<'a, T: HasResult>(
    arg: UserPtr,
    caller: Caller<'a>,
    run: fn(Caller<'a>, &T, &mut Progress) -> Result<(), Failure>,
) -> Result<isize> {
    let _counted = counters::REQUESTS.hold();
    let mut call = Call::<T>::read(arg)?;
    // What cannot be told is not begun.
    call.write_back()?;
    let mut progress = Progress::default();
    let end = run(caller, &call.arg, &mut progress);
    *call.arg.result() = progress.result(&end);
    let written = call.write_back();
    match end {
        // That memory may still change must be told, whatever else has failed.
        Err(failure) if failure.error() == ENOTRECOVERABLE && written.is_err() => {
            Err(ENOTRECOVERABLE)
        }
        _ if written.is_err() => Err(EFAULT),
        Err(failure) if !progress.started => Err(restartable(failure.error())),
        _ => {
            caller.client.stats().calls.add(1);
            Ok(0)
        }
    }
}
