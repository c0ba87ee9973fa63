// SPDX-License-Identifier: GPL-2.0

//! Where the requests of a client end whose memory can only be given back where one may sleep: one after
//! the other, as they have ended. One that cannot be given back keeps no other client waiting.

use kernel::{
    impl_has_work,
    new_spinlock_irq,
    new_work,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Full, //
        },
        Arc,
        SpinLockIrq, //
    },
    workqueue::{
        Work,
        WorkItem, //
    }, //
};

use super::Request;
use crate::kapi::{
    gfp,
    workqueue, //
};

/// Those that wait, the first and the last.
struct Line {
    first: Option<Arc<Request>>,
    last: Option<Arc<Request>>,
}

/// What ends the requests of a client.
#[pin_data]
pub(crate) struct Finisher {
    #[pin]
    line: SpinLockIrq<Line>,
    /// How many have not ended, of those that came here.
    count: Atomic<usize>,
    #[pin]
    work: Work<Self>,
}

impl_has_work! {
    impl HasWork<Self> for Finisher { self.work }
}

impl WorkItem for Finisher {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        if let Some(request) = this.take() {
            Request::finish(request);
            // One in each run: suspend waits for work that runs.
            if this.count.fetch_sub(1, Full) > 1 {
                Self::go_on(this);
            }
        }
    }
}

impl Finisher {
    /// One with nothing to do.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new() -> Result<Arc<Self>> {
        let line = Line {
            first: None,
            last: None,
        };
        Arc::pin_init(
            pin_init!(Self {
                line <- new_spinlock_irq!(line),
                count: Atomic::new(0),
                work <- new_work!("pindma::Finisher::work"),
            }),
            gfp::for_user(),
        )
    }

    /// Whether it has ended all that came here.
    pub(super) fn is_idle(&self) -> bool {
        self.count.load(Acquire) == 0
    }

    /// Ends a request when its turn comes.
    pub(super) fn finish(this: Arc<Self>, request: Arc<Request>) {
        this.count.fetch_add(1, Full);
        let mut line = this.line.lock();
        match line.last.replace(request.clone()) {
            Some(last) => last.set_next(request),
            None => line.first = Some(request),
        }
        drop(line);
        Self::go_on(this);
    }

    fn take(&self) -> Option<Arc<Request>> {
        let mut line = self.line.lock();
        let first = line.first.take()?;
        line.first = first.take_next();
        if line.first.is_none() {
            line.last = None;
        }
        Some(first)
    }

    fn go_on(this: Arc<Self>) {
        // The queue is there for as long as the driver is.
        let _ = workqueue::enqueue(this);
    }
}
