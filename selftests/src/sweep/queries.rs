// SPDX-License-Identifier: GPL-2.0

//! Commands that only answer.

use super::command::{failed, Command, Ended};
use crate::abi::{self, pindma_channel_info, pindma_info, pindma_stats};
use crate::check::{check, errno_name, Outcome};
use crate::device::{errno_of, Device};
use crate::sys;

/// What a fault leads to.
const ERRNOS: [i32; 2] = [libc::EFAULT, libc::ENOMEM];

/// A command that fills in a struct, all zero but for its size.
pub(crate) struct Query {
    command: u32,
    size: usize,
    /// The answer to give.
    want: Vec<u8>,
    ready: Option<(Device, Vec<u8>)>,
}

impl Query {
    fn new(command: u32, size: usize) -> Query {
        Query {
            command,
            size,
            want: Vec::new(),
            ready: None,
        }
    }

    pub(crate) fn info() -> Query {
        Query::new(abi::PINDMA_INFO, size_of::<pindma_info>())
    }

    pub(crate) fn channel_info() -> Query {
        Query::new(abi::PINDMA_CHANNEL_INFO, size_of::<pindma_channel_info>())
    }

    pub(crate) fn stats() -> Query {
        Query::new(abi::PINDMA_STATS, size_of::<pindma_stats>())
    }

    fn answer(&self) -> Outcome {
        let bytes = self.ready.as_ref().map(|(_, bytes)| bytes.as_slice());
        check(bytes == Some(&self.want), "another answer than before")
    }
}

impl Command for Query {
    fn prepare(&mut self) -> Outcome {
        let mut bytes = vec![0; self.size];
        bytes[..4].copy_from_slice(&(self.size as u32).to_ne_bytes());
        self.ready = Some((Device::open()?, bytes));
        Ok(())
    }

    fn call(&mut self) -> i32 {
        match &mut self.ready {
            Some((device, bytes)) => errno_of(sys::ioctl(device.fd(), self.command, bytes)),
            None => libc::EBADF,
        }
    }

    fn judge(&mut self, errno: i32) -> Outcome<Ended> {
        if errno != 0 {
            return failed(errno, &ERRNOS);
        }
        self.answer()?;
        Ok(Ended::Passed)
    }

    fn files(&self) -> u64 {
        self.ready.iter().len() as u64
    }

    fn works(&mut self) -> Outcome {
        if self.ready.is_none() {
            self.prepare()?;
        }
        let errno = self.call();
        check(errno == 0, format!("then: {}", errno_name(errno)))?;
        if self.want.is_empty() {
            let answer = self.ready.as_ref().map(|(_, bytes)| bytes.clone());
            self.want = answer.unwrap_or_default();
        }
        self.answer()?;
        self.ready = None;
        Ok(())
    }
}
