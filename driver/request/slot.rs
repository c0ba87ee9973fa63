// SPDX-License-Identifier: GPL-2.0

//! Room for a request where it ends.

use kernel::sync::{
    atomic::{
        Atomic,
        Relaxed, //
    },
    Arc, //
};

use crate::kapi::abi::pindma_completion;

use super::Request;

/// The next request's number: none means two requests, wherever they end.
static NUMBERS: Atomic<u64> = Atomic::new(1);

/// A thing in which requests end.
pub(crate) trait Ending: Send + Sync {
    /// Request `number` has ended; may be called anywhere. The number and the time of `record` are still to be filled in; the
    /// request itself, which is empty now, can be used again.
    fn post(&self, number: u64, record: pindma_completion, request: Arc<Request>);

    /// A request was not submitted after all.
    fn release(&self);
}

/// Room for one request. Dropping it gives it back.
pub(crate) struct Slot {
    ending: Option<Arc<dyn Ending>>,
    number: u64,
}

impl Slot {
    /// Room that `ending` has set aside.
    pub(crate) fn new(ending: Arc<dyn Ending>) -> Self {
        Self {
            ending: Some(ending),
            number: NUMBERS.fetch_add(1, Relaxed),
        }
    }

    /// What the request is called in traces.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Ends the request, with a completion whose number and time are still to be filled in.
    pub(crate) fn complete(mut self, record: pindma_completion, request: Arc<Request>) {
        if let Some(ending) = self.ending.take() {
            ending.post(self.number, record, request);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(ending) = &self.ending {
            ending.release();
        }
    }
}
