// SPDX-License-Identifier: GPL-2.0

//! `PINDMA_REGION_UNREGISTER`, `PINDMA_REGION_SYNC` and `PINDMA_REGION_INFO`.

use kernel::prelude::*;

use crate::{
    base::{deadline::Deadline, slots::Handle},
    kapi::{
        abi::{
            self,
            pindma_region_info,
            pindma_region_sync,
            pindma_region_unregister, //
        },
        mapped::SyncFor, //
    },
    memory::{
        client::Client,
        names::{
            Named,
            Withdrawn, //
        }, //
    }, //
};

/// Takes a handle away, and gives back what it named.
pub(crate) fn unregister(client: &Client, arg: &pindma_region_unregister) -> Result {
    let wait = match arg.flags {
        0 if arg.deadline != 0 => return Err(EINVAL),
        0 => None,
        abi::PINDMA_UNREGISTER_WAIT => Some(Deadline::from_abi(arg.deadline).ok_or(EINVAL)?),
        _ => return Err(EOPNOTSUPP),
    };
    if arg.reserved != 0 {
        return Err(EINVAL);
    }
    client.check_device()?;
    let handle = Handle::from_abi(arg.handle);
    loop {
        match client.names().withdraw(handle)? {
            Withdrawn::Gone(named) => {
                drop(named);
                return Ok(());
            }
            Withdrawn::InUse(named) => {
                named.wait_idle(wait.ok_or(EBUSY)?)?;
            }
        }
    }
}

/// Begins or ends access by the CPU.
pub(crate) fn sync(client: &Client, arg: &pindma_region_sync) -> Result {
    const BOTH: u32 = abi::PINDMA_SYNC_BEGIN_CPU | abi::PINDMA_SYNC_END_CPU;
    let sync = match arg.flags {
        abi::PINDMA_SYNC_BEGIN_CPU => SyncFor::Cpu,
        abi::PINDMA_SYNC_END_CPU => SyncFor::Device,
        0 | BOTH => return Err(EINVAL),
        _ => return Err(EOPNOTSUPP),
    };
    if arg.reserved != 0 {
        return Err(EINVAL);
    }
    client.check_device()?;
    let used = client.names().hold_region(Handle::from_abi(arg.handle))?;
    let region = used.region();
    let rest = region
        .len()
        .checked_sub(arg.offset)
        .filter(|rest| *rest > 0);
    let rest = rest.ok_or(ERANGE)?;
    match arg.len {
        0 => region.sync(arg.offset, rest, sync),
        len if len <= rest => region.sync(arg.offset, len, sync),
        _ => Err(ERANGE),
    }
}

/// Fills in what a region turned out to be.
pub(crate) fn info(client: &Client, info: &mut pindma_region_info) -> Result {
    *info = pindma_region_info {
        size: info.size,
        flags: info.flags,
        handle: info.handle,
        ..pindma_region_info::default()
    };
    if info.flags != 0 {
        return Err(EOPNOTSUPP);
    }
    match client.names().get(Handle::from_abi(info.handle))? {
        Named::Region(region) => region.describe(info),
        Named::Pool(pool) => pool.describe(info),
    }
    Ok(())
}
