// SPDX-License-Identifier: GPL-2.0

//! An open file, and its ioctls.
//!
//! Every call has the same shape: copy in, pin, enter the guard, map and start, leave it, wait,
//! enter, unmap, leave, unpin, copy out. Pinning and copying may block for ever, in userfaultfd or
//! FUSE; so nothing is held meanwhile.

use kernel::{
    prelude::*,
    seq_file::SeqFile,
    sync::Arc,
    uaccess::UserPtr, //
};

use crate::{
    base::counters,
    card::{
        device::{
            Device,
            Opened, //
        },
        show, //
    },
    kapi::{
        abi::{
            self,
            pindma_channel_info,
            pindma_copy,
            pindma_info,
            pindma_pool_create,
            pindma_region_info,
            pindma_region_register,
            pindma_region_sync,
            pindma_region_unregister,
            pindma_stats,
            pindma_transfer, //
        },
        file_ops::{
            FileOps,
            OpenFlags, //
        },
        gfp,
        node::OpenFile,
        read_write::ReadWrite, //
    },
    memory::{
        client::{
            Caller,
            Client, //
        },
        names::Published,
        region::register, //
    },
    pool::{
        self,
        Created,
        Pools, //
    },
    queue::{
        self,
        backlog::Backlog, //
    }, //
};

mod call;
mod copy;
mod direct;
mod info;
mod region;
mod submit;
mod transfer;

/// A file as the VFS holds it: it counts as open for no longer, whatever still works for its client.
pub(crate) struct Open {
    client: Arc<Client>,
    /// Its requests, and the queues that they end in.
    backlog: Arc<Backlog>,
    /// Its pools.
    pools: Arc<Pools>,
    _opened: Opened,
}

impl OpenFile for Open {
    type Shared = Device;

    fn open(device: &Arc<Device>, flags: OpenFlags) -> Result<KBox<Self>> {
        let pools = Arc::pin_init(Pools::new(), gfp::for_user())?;
        // Of one that comes while the file is made, it is told.
        let resets = device.resets();
        let _opened = Device::open(device, flags)?;
        let client = Client::new(device, flags, resets)?;
        let open = Self {
            backlog: Backlog::new(&client)?,
            client,
            pools,
            _opened,
        };
        Ok(KBox::new(open, gfp::for_user())?)
    }
}

impl Open {
    fn caller(&self, nonblocking: bool) -> Caller<'_> {
        Caller {
            client: &self.client,
            nonblocking,
        }
    }
}

#[vtable]
impl FileOps for Open {
    fn ioctl(&self, cmd: u32, arg: UserPtr, flags: OpenFlags) -> Result<isize> {
        let client = &self.client;
        let caller = self.caller(flags.nonblocking());
        match cmd {
            abi::PINDMA_INFO => {
                call::ask::<pindma_info>(client, arg, |i| info::device(client.device(), i))
            }
            abi::PINDMA_CHANNEL_INFO => {
                call::ask::<pindma_channel_info>(client, arg, |i| info::channel(client.device(), i))
            }
            abi::PINDMA_STATS => {
                call::ask::<pindma_stats>(client, arg, |stats| info::stats(client, stats))
            }
            abi::PINDMA_TRANSFER => call::work::<pindma_transfer>(arg, caller, transfer::run),
            abi::PINDMA_QUEUE_CREATE => {
                client.check_usable()?;
                queue::create(&self.backlog, arg)
            }
            abi::PINDMA_SUBMIT => submit::run(client, &self.backlog, arg),
            abi::PINDMA_COPY => call::work::<pindma_copy>(arg, caller, copy::run),
            abi::PINDMA_POOL_CREATE => call::make::<pindma_pool_create, _>(
                arg,
                |arg, progress| pool::create(client, &self.pools, arg, progress),
                Created::keep,
            ),
            abi::PINDMA_REGION_REGISTER => call::make::<pindma_region_register, _>(
                arg,
                |arg, progress| register(client, arg, progress),
                Published::keep,
            ),
            abi::PINDMA_REGION_UNREGISTER => {
                call::tell::<pindma_region_unregister>(client, arg, |arg| {
                    region::unregister(client, arg)
                })
            }
            abi::PINDMA_REGION_SYNC => {
                call::tell::<pindma_region_sync>(client, arg, |arg| region::sync(client, arg))
            }
            abi::PINDMA_REGION_INFO => {
                call::ask::<pindma_region_info>(client, arg, |info| region::info(client, info))
            }
            _ => Err(ENOTTY),
        }
    }

    fn show(&self, out: &SeqFile) {
        show::file(self.client.device(), self.client.stats(), out);
    }

    fn transfer(&self, call: &mut ReadWrite<'_>) -> Result<usize> {
        let _counted = counters::REQUESTS.hold();
        direct::run(self.caller(call.flags.nonblocking()), call)
    }

    fn size(&self) -> Result<u64> {
        direct::size(&self.client)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.backlog.close();
        self.pools.close();
        self.client.names().clear();
    }
}
