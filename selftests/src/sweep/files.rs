// SPDX-License-Identifier: GPL-2.0

//! File operations that are no commands: of the device's file, of a queue, of a pool.

use std::time::Duration;

use super::command::{failed, round_trip, wait_for_no_pool, Command, Ended};
use crate::abi;
use crate::check::{same, Outcome};
use crate::device::{errno_of, Device, PAGE};
use crate::os;
use crate::pool::{of_pages, Pool};
use crate::queue::Queue;
use crate::sys::Mapping;

/// What a fault leads to.
const ERRNOS: [i32; 2] = [libc::ENOMEM, libc::EFAULT];

/// What is done to a file.
#[derive(Clone, Copy)]
pub(crate) enum Operation {
    Seek,
    PollQueue,
    PollPool,
    MapPool,
    AskPool,
    CloseQueue,
    ClosePool,
}

/// One of them.
pub(crate) struct FileCall {
    operation: Operation,
    ready: Option<Ready>,
}

struct Ready {
    device: Device,
    queue: Option<Queue>,
    pool: Option<Pool>,
    mapped: Option<Mapping>,
}

impl FileCall {
    pub(crate) fn new(operation: Operation) -> FileCall {
        FileCall {
            operation,
            ready: None,
        }
    }

    /// Lets go of everything.
    fn end(&mut self) -> Outcome {
        self.ready = None;
        wait_for_no_pool()
    }
}

impl Ready {
    fn new() -> Outcome<Ready> {
        let device = Device::open()?;
        Ok(Ready {
            queue: Some(Queue::create(&device, 4)?),
            pool: Some(of_pages(&device, 3)?),
            device,
            mapped: None,
        })
    }

    fn call(&mut self, operation: Operation) -> i32 {
        let now = Duration::ZERO;
        match (operation, &self.queue, &self.pool) {
            (Operation::Seek, ..) => errno_of(os::seek(self.device.fd())),
            (Operation::PollQueue, Some(queue), _) => errno_of(os::poll(queue.fd(), now)),
            (Operation::PollPool, _, Some(pool)) => errno_of(os::poll(pool.fd(), now)),
            (Operation::AskPool, _, Some(pool)) => pool.try_look(1).0,
            (Operation::MapPool, _, Some(pool)) => {
                let mapped = pool.map_part(PAGE, PAGE, libc::MAP_SHARED);
                mapped.map_or_else(
                    |error| errno_of::<()>(Err(error)),
                    |mapped| self.keep(mapped),
                )
            }
            (Operation::CloseQueue, ..) => {
                self.queue = None;
                0
            }
            (Operation::ClosePool, ..) => {
                self.pool = None;
                0
            }
            _ => libc::EBADF,
        }
    }

    fn keep(&mut self, mapped: Mapping) -> i32 {
        self.mapped = Some(mapped);
        0
    }

    /// What was not closed is as it was.
    fn look(&self) -> Outcome {
        if let Some(pool) = &self.pool {
            same("state", pool.state(1)?, abi::POOL_OWNED)?;
        }
        if let Some(mapped) = &self.mapped {
            same("its first byte", mapped.read(0, 1)[0], 0)?;
        }
        Ok(())
    }
}

impl Command for FileCall {
    fn prepare(&mut self) -> Outcome {
        self.ready = Some(Ready::new()?);
        Ok(())
    }

    fn call(&mut self) -> i32 {
        let operation = self.operation;
        self.ready
            .as_mut()
            .map_or(libc::EBADF, |ready| ready.call(operation))
    }

    fn judge(&mut self, errno: i32) -> Outcome<Ended> {
        self.ready.as_ref().map_or(Ok(()), Ready::look)?;
        self.end()?;
        if errno == 0 {
            return Ok(Ended::Passed);
        }
        failed(errno, &ERRNOS)
    }

    fn works(&mut self) -> Outcome {
        self.prepare()?;
        same("errno of the next call", self.call(), 0)?;
        self.ready.as_ref().map_or(Ok(()), Ready::look)?;
        self.end()?;
        round_trip()
    }
}
