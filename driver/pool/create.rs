// SPDX-License-Identifier: GPL-2.0

//! `PINDMA_POOL_CREATE`: allocate, charge and map buffers.

use kernel::{
    page::PAGE_SIZE,
    prelude::*,
    sync::Arc, //
};

use super::{
    buffers::Buffers,
    memory::Memory,
    open::{
        self,
        OpenPool, //
    },
    Owner,
    Pool,
    Pools,
    MAX_BUFFERS, //
};
use crate::{
    base::{
        failure::Failure,
        maker::Maker,
        progress::Progress, //
    },
    kapi::{
        abi::{
            self,
            pindma_pool_create, //
        },
        anon::{
            Mode,
            NewFile, //
        },
        block::{
            Block,
            Shape, //
        },
        charge::may_exceed_resources,
        gfp,
        pins::{
            killed,
            Direction, //
        }, //
    },
    memory::{
        client::Client,
        loan::Lender,
        names::{
            Named,
            Published, //
        }, //
    }, //
};

/// A pool that nobody was told of yet. Dropping it takes it away again.
pub(crate) struct Created<'a> {
    handle: Published<'a>,
    file: NewFile,
}

impl Created<'_> {
    /// Leaves it to the application.
    pub(crate) fn keep(self) {
        self.handle.keep();
        self.file.install();
    }
}

/// Makes a pool.
pub(crate) fn create<'a>(
    client: &'a Arc<Client>,
    pools: &Arc<Pools>,
    arg: &mut pindma_pool_create,
    progress: &mut Progress,
) -> Result<Created<'a>, Failure> {
    arg.out_stride = 0;
    arg.out_count = 0;
    arg.out_handle = 0;
    arg.out_fd = -1;
    let plan = Plan::check(client, arg)?;
    client.check_usable()?;
    client.names().make_room()?;
    let maker = Maker::current(plan.shared)?;
    // Before the memory, which may be all that there is.
    let mut buffers = Buffers::new(plan.count)?;
    let memory = plan.allocate(client, progress)?;
    buffers.truncate(memory.len());
    let owner = Owner {
        client: client.clone(),
        pools: pools.clone(),
    };
    let pool = Pool::new(owner, (memory, buffers), plan.direction, maker)?;
    let open = OpenPool::boxed(pools, &pool)?;
    let created = Created {
        file: open::KIND.make(open, Mode::Both)?,
        handle: client.names().publish(Named::Pool(pool.clone()))?,
    };
    arg.out_stride = pool.stride();
    arg.out_count = pool.memory.len() as u32;
    arg.out_handle = created.handle.handle().to_abi();
    arg.out_fd = created.file.fd();
    Ok(created)
}

/// A pool as it was asked for.
struct Plan {
    pages: usize,
    count: usize,
    shape: Shape,
    direction: Direction,
    as_many: bool,
    shared: bool,
}

impl Plan {
    fn check(client: &Client, arg: &pindma_pool_create) -> Result<Self, Failure> {
        const FLAGS: u32 =
            abi::PINDMA_POOL_CONTIGUOUS | abi::PINDMA_POOL_AS_MANY | abi::PINDMA_POOL_SHARED;
        if arg.flags & !FLAGS != 0 {
            return Err(Failure::field(EOPNOTSUPP, abi::PINDMA_FIELD_FLAGS));
        }
        if arg.reserved != 0 {
            return Err(Failure::field(EINVAL, abi::PINDMA_FIELD_RESERVED));
        }
        if arg.count == 0 || arg.count > MAX_BUFFERS {
            return Err(Failure::field(EINVAL, abi::PINDMA_FIELD_COUNT));
        }
        let pages = pages(arg.buffer_bytes, arg.count)
            .ok_or_else(|| Failure::field(EINVAL, abi::PINDMA_FIELD_BUFFER_BYTES))?;
        let has = |flag| arg.flags & flag != 0;
        let shape = match has(abi::PINDMA_POOL_CONTIGUOUS) {
            true => Shape::Contiguous,
            false => Shape::Scattered,
        };
        check_right(shape, pages)?;
        Ok(Self {
            pages,
            count: arg.count as usize,
            shape,
            direction: client.mode().direction(arg.access)?,
            as_many: has(abi::PINDMA_POOL_AS_MANY),
            shared: has(abi::PINDMA_POOL_SHARED),
        })
    }

    fn allocate(&self, client: &Client, progress: &mut Progress) -> Result<KVVec<Memory>, Failure> {
        let mut all = KVVec::with_capacity(self.count, gfp::for_user()).map_err(Error::from)?;
        while all.len() < self.count {
            match Memory::new(client, self.pages, self.shape, self.direction) {
                Ok(memory) => {
                    progress.pages += self.pages as u64;
                    progress.segments += memory.segments() as u64;
                    progress.bounced |= memory.bounced();
                    all.push(memory, gfp::for_user()).map_err(Error::from)?;
                }
                Err(failure) if self.is_enough(&failure, &all) => break,
                Err(failure) => return Err(failure),
            }
            if killed() {
                return Err(EINTR.into());
            }
        }
        Ok(all)
    }

    /// Whether what there is will do, as no more is to be had.
    fn is_enough(&self, failure: &Failure, all: &[Memory]) -> bool {
        let no_more = [ENOMEM, ENOSPC, ENXIO].contains(&failure.error());
        self.as_many && no_more && !all.is_empty()
    }
}

/// Fails if no memory cgroup would be charged with buffers that the caller has no right to, so.
fn check_right(shape: Shape, pages: usize) -> Result<(), Failure> {
    let uncharged = shape == Shape::Contiguous && Block::exceeds_runs(pages);
    if uncharged && !may_exceed_resources() {
        return Err(Failure::field(EPERM, abi::PINDMA_FIELD_BUFFER_BYTES));
    }
    Ok(())
}

/// Pages of a buffer; `None` if that is none, or more than can be told.
fn pages(buffer_bytes: u64, count: u32) -> Option<usize> {
    let pages = buffer_bytes.div_ceil(PAGE_SIZE as u64);
    let all = pages
        .checked_mul(count.into())?
        .checked_mul(PAGE_SIZE as u64)?;
    if pages == 0 || i64::try_from(all).is_err() {
        return None;
    }
    usize::try_from(pages).ok()
}
