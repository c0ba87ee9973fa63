// SPDX-License-Identifier: GPL-2.0

//! What moves frames between the device and the buffers of a pool, one in each run of its work:
//! suspend waits for work that runs.

use kernel::{
    impl_has_work,
    prelude::*,
    sync::Arc,
    workqueue::WorkItem, //
};

use super::{
    run::Setup,
    Owner,
    Pool, //
};
use crate::{
    base::{
        deadline::Deadline,
        progress::Progress,
        until::Until, //
    },
    card::scrap::Scrap,
    kapi::{
        abi,
        workqueue, //
    },
    memory::piece::{
        Piece,
        Place, //
    },
    request::mover::Mover, //
};

impl_has_work! {
    impl HasWork<Self> for Pool { self.pump }
}

impl WorkItem for Pool {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        let Some(frame) = this.begin() else {
            return;
        };
        let mut progress = Progress::default();
        let end = this.move_frame(&frame, &mut progress);
        if this.end(&frame, &progress, end) {
            let _ = workqueue::enqueue(this);
        }
    }
}

/// A frame that is in work.
struct Frame {
    owner: Owner,
    setup: Setup,
    /// The buffer; none if the frame finds no buffer and is lost.
    index: Option<usize>,
    /// Where it goes then, held until the device is done with it.
    scrap: Option<Arc<Scrap>>,
    /// Its bytes.
    len: u64,
}

impl Pool {
    /// Begins with a frame, if there is anything to do.
    fn begin(&self) -> Option<Frame> {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        let run = state.run.as_mut().filter(|run| run.goes_on())?;
        let owner = state.owner.clone()?;
        let setup = run.setup;
        let (index, len) = match state.buffers.begin() {
            Some((index, 0)) => (Some(index), setup.frame_bytes),
            Some((index, bytes)) => (Some(index), bytes.min(setup.frame_bytes)),
            None if setup.stream => (None, setup.frame_bytes),
            None => return None,
        };
        run.working = true;
        Some(Frame {
            owner,
            setup,
            index,
            scrap: state.scrap.clone(),
            len,
        })
    }

    /// Moves the data. Nothing is held meanwhile.
    fn move_frame(&self, frame: &Frame, progress: &mut Progress) -> Result {
        let part = |handle, len| Place {
            handle,
            offset: 0,
            len,
        };
        let piece = match frame.index {
            Some(index) => {
                let memory = &self.memory[index];
                Piece::Part(part(memory.handle(), frame.len), memory.bounced())
            }
            None => {
                let scrap = frame.scrap.as_ref().ok_or(EINVAL)?;
                Piece::Repeated(part(scrap.handle(), scrap.len()), frame.len)
            }
        };
        let mover = Mover {
            client: &frame.owner.client,
            route: frame.setup.route,
            total: frame.len,
            until: Until::canceled(Deadline::after(i64::MAX), &self.canceled),
            nonblocking: false,
        };
        mover
            .run(&piece, progress)
            .map_err(|failure| failure.error())
    }

    /// Takes note of how a frame has ended; whether there is more to do.
    fn end(&self, frame: &Frame, progress: &Progress, end: Result) -> bool {
        self.count(frame, progress);
        let mut guard = self.state.lock();
        let state = &mut *guard;
        let Some(run) = &mut state.run else {
            return false;
        };
        run.working = false;
        run.check(progress, &end);
        match frame.index {
            Some(index) => {
                let mut record = run.record(progress, &end);
                if self.memory[index].bounced() && progress.started {
                    record.flags |= abi::PINDMA_OUT_BOUNCED;
                }
                state.buffers.end(index, record);
            }
            None => run.lose(progress),
        }
        let stream = run.setup.stream;
        state.finish_if_over();
        let more = state.run.is_some() && (stream || state.buffers.queued() > 0);
        drop(guard);
        self.changed.notify_all();
        more
    }

    fn count(&self, frame: &Frame, progress: &Progress) {
        if progress.started {
            let stats = frame.owner.client.stats();
            stats.frames.add(1);
            stats.overruns.add(u64::from(frame.index.is_none()));
        }
    }
}
