// SPDX-License-Identifier: GPL-2.0

//! Commands of pools.

use super::command::{failed, round_trip, wait_for_no_pool, Command, Ended};
use crate::abi::{
    self, pindma_pool_create, pindma_pool_dequeue, pindma_pool_enqueue, pindma_pool_record,
};
use crate::check::{check, errno_name, same, Outcome};
use crate::device::{Device, PAGE};
use crate::module::pause;
use crate::pool::{ask, from_device, of_pages, record, stream, Pool};
use crate::sys::{self, Mapping};

/// What a fault leads to.
const ERRNOS: [i32; 4] = [libc::ENOMEM, libc::EFAULT, libc::ENOSPC, libc::ENFILE];

/// `PINDMA_POOL_CREATE`.
pub(crate) struct Create {
    request: pindma_pool_create,
    ready: Option<(Device, pindma_pool_create)>,
}

impl Create {
    fn new(flags: u32, count: u32, bytes: usize) -> Create {
        let request = pindma_pool_create {
            flags,
            ..ask(count, bytes)
        };
        Create {
            request,
            ready: None,
        }
    }

    pub(crate) fn scattered() -> Create {
        Create::new(0, 2, 7 * PAGE)
    }

    pub(crate) fn contiguous() -> Create {
        Create::new(abi::POOL_CONTIGUOUS, 2, 6 * PAGE)
    }

    /// The pool is good, and goes.
    fn try_out(&mut self) -> Outcome {
        let Some((device, made)) = self.ready.take() else {
            return Ok(());
        };
        let file = sys::inherited_fd(made.out_fd)?;
        same("buffers", made.out_count, self.request.count)?;
        let memory = Mapping::at(
            made.out_stride as usize,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED,
            Some(std::os::fd::AsFd::as_fd(&file)),
            made.out_stride,
        )?;
        same("its first byte", memory.read(0, 1)[0], 0)?;
        same("errno", device.unregister(made.out_handle), 0)
    }
}

impl Command for Create {
    fn prepare(&mut self) -> Outcome {
        self.ready = Some((Device::open()?, self.request));
        Ok(())
    }

    fn call(&mut self) -> i32 {
        self.ready
            .as_mut()
            .map_or(libc::EBADF, |(device, request)| {
                device.command(abi::PINDMA_POOL_CREATE, request)
            })
    }

    fn judge(&mut self, errno: i32) -> Outcome<Ended> {
        if errno != 0 {
            self.ready = None;
            return failed(errno, &ERRNOS);
        }
        self.try_out()?;
        Ok(Ended::Passed)
    }

    fn works(&mut self) -> Outcome {
        self.prepare()?;
        same("errno of the next create", self.call(), 0)?;
        self.try_out()?;
        round_trip()
    }
}

/// What is done to a pool.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Enqueue,
    Dequeue,
    Start,
    Stop,
}

/// A command of a pool.
pub(crate) struct Use {
    verb: Verb,
    ready: Option<Ready>,
}

struct Ready {
    _device: Device,
    pool: Pool,
    records: Mapping,
    buffer: pindma_pool_record,
}

impl Use {
    fn new(verb: Verb) -> Use {
        Use { verb, ready: None }
    }

    pub(crate) fn enqueue() -> Use {
        Use::new(Verb::Enqueue)
    }

    pub(crate) fn dequeue() -> Use {
        Use::new(Verb::Dequeue)
    }

    pub(crate) fn start() -> Use {
        Use::new(Verb::Start)
    }

    pub(crate) fn stop() -> Use {
        Use::new(Verb::Stop)
    }

    /// No buffer is lost, whatever became of the call: all can be had again.
    fn all_are_there(&mut self) -> Outcome {
        let Some(ready) = self.ready.take() else {
            return Ok(());
        };
        let pool = &ready.pool;
        pool.stop()?;
        if pool.state(0)? == abi::POOL_QUEUED {
            pool.start(from_device(16))?;
            pool.stop()?;
        }
        while pool.try_dequeue(4, 0, 0).0 == 0 {}
        pool.buffer(0)?;
        drop(ready);
        wait_for_no_pool()
    }
}

impl Ready {
    fn call(&self, verb: Verb) -> i32 {
        let (pool, file) = (&self.pool, self.pool.file());
        match verb {
            Verb::Enqueue => {
                let mut request = pindma_pool_enqueue {
                    size: size_of::<pindma_pool_enqueue>() as u32,
                    records: std::ptr::from_ref(&self.buffer) as u64,
                    nr_records: 1,
                    ..pindma_pool_enqueue::default()
                };
                file.command(abi::PINDMA_POOL_ENQUEUE, &mut request)
            }
            Verb::Dequeue => {
                let mut request = pindma_pool_dequeue {
                    size: size_of::<pindma_pool_dequeue>() as u32,
                    records: self.records.addr(0),
                    max: 1,
                    ..pindma_pool_dequeue::default()
                };
                file.command(abi::PINDMA_POOL_DEQUEUE, &mut request)
            }
            Verb::Start => pool.try_start(stream(16)),
            Verb::Stop => pool.try_stop().0,
        }
    }
}

impl Command for Use {
    fn prepare(&mut self) -> Outcome {
        let device = Device::open()?;
        let pool = of_pages(&device, 1)?;
        let buffer = record(pool.buffer(0)?, 0);
        if self.verb == Verb::Dequeue || self.verb == Verb::Stop {
            pool.enqueue(buffer.buffer)?;
            pool.start(from_device(16))?;
            while pool.state(0)? != abi::POOL_READY {
                pause(5);
            }
        }
        let records = Mapping::anonymous(PAGE)?;
        records.fill(0, PAGE, 0);
        self.ready = Some(Ready {
            _device: device,
            pool,
            records,
            buffer,
        });
        Ok(())
    }

    fn call(&mut self) -> i32 {
        let verb = self.verb;
        self.ready
            .as_ref()
            .map_or(libc::EBADF, |ready| ready.call(verb))
    }

    fn judge(&mut self, errno: i32) -> Outcome<Ended> {
        self.all_are_there()?;
        if errno != 0 {
            return failed(errno, &ERRNOS);
        }
        Ok(Ended::Passed)
    }

    fn works(&mut self) -> Outcome {
        self.prepare()?;
        let errno = self.call();
        check(errno == 0, format!("then: {}", errno_name(errno)))?;
        self.all_are_there()
    }
}
