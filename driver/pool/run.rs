// SPDX-License-Identifier: GPL-2.0

//! What the device does with a pool from start to stop, and how far it has got.

use kernel::{
    prelude::*,
    sync::Arc, //
};

use super::{
    frame::{
        Flying,
        Frame, //
    },
    pools::Place, //
};
use crate::{
    base::progress::Progress,
    card::entry::{
        End,
        Route, //
    },
    kapi::{
        abi::{
            self,
            pindma_pool_record, //
        },
        clock,
        gfp, //
    }, //
};

/// What the device was told to do.
#[derive(Clone, Copy)]
pub(super) struct Setup {
    /// Which way data goes, and the device's side of it.
    pub(super) route: Route,
    /// Bytes of a frame.
    pub(super) frame_bytes: u64,
    /// Frames go on also if no buffer is there.
    pub(super) stream: bool,
}

/// Frames since a start.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Totals {
    /// All of them.
    pub(super) frames: u64,
    /// Those that were lost.
    pub(super) overruns: u64,
}

/// A run, from start to stop.
pub(super) struct Run {
    /// What the device does.
    pub(super) setup: Setup,
    totals: Totals,
    /// Frames lost since the last that was not.
    lost: u64,
    /// Frames that the channel has, the oldest first.
    flying: KVec<Flying>,
    /// Frames that it may have as well.
    spare: KVec<Arc<Frame>>,
    /// Why no more frames are begun.
    pub(super) end: Option<Error>,
    _place: Place,
}

impl Run {
    /// A run that begins, with as many frames at a time as there are.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn new(setup: Setup, frames: KVec<Arc<Frame>>, place: Place) -> Result<Self> {
        Ok(Self {
            setup,
            totals: Totals::default(),
            lost: 0,
            flying: KVec::with_capacity(frames.len(), gfp::for_user())?,
            spare: frames,
            end: None,
            _place: place,
        })
    }

    /// Whether a frame may be begun, if there is a buffer.
    pub(super) fn has_room(&self) -> bool {
        self.end.is_none() && !self.spare.is_empty()
    }

    /// Whether the channel has no frame.
    pub(super) fn is_at_rest(&self) -> bool {
        self.flying.is_empty()
    }

    /// Begins with a frame for buffer `index`, or one that is lost.
    pub(super) fn begin(&mut self, index: Option<usize>) -> Option<Arc<Frame>> {
        let frame = self.spare.pop()?;
        let flying = Flying {
            frame: frame.clone(),
            index,
        };
        // There is room for all.
        let _ = self.flying.push_within_capacity(flying);
        Some(frame)
    }

    /// Takes the oldest frame that the channel has, if it has ended.
    pub(super) fn take_ended(&mut self) -> Option<(Flying, End)> {
        let end = self.flying.first()?.frame.take_end()?;
        let flying = self.flying.remove(0).ok()?;
        let _ = self.spare.push_within_capacity(flying.frame.clone());
        Some((flying, end))
    }

    /// The frames that the channel has.
    pub(super) fn frames(&self) -> impl Iterator<Item = &Arc<Frame>> {
        self.flying.iter().map(|flying| &flying.frame)
    }

    /// How far it has got.
    pub(super) fn totals(&self) -> Totals {
        self.totals
    }

    /// Takes note of a frame that was lost, if it was begun.
    pub(super) fn lose(&mut self, progress: &Progress) {
        if progress.started {
            self.totals.frames += 1;
            self.totals.overruns += 1;
            self.lost += 1;
        }
    }

    /// Takes note of a frame that has a buffer, and says what is to be told of it.
    pub(super) fn record(&mut self, progress: &Progress, end: &Result) -> pindma_pool_record {
        let mut record = untouched(*end);
        if progress.started {
            record.flags = abi::PINDMA_OUT_STARTED;
            record.bytes = progress.bytes;
            record.seq = self.totals.frames;
            record.overruns = core::mem::take(&mut self.lost);
            self.totals.frames += 1;
        }
        record
    }

    /// Decides whether the run can go on after a frame that has ended so. It cannot if the device
    /// is gone, or has not even begun: it would be the same again at once.
    pub(super) fn check(&mut self, progress: &Progress, end: &Result) {
        if let Err(error) = *end {
            let gone = error == ENODEV || error == ENOTRECOVERABLE;
            if gone || !progress.started {
                self.end.get_or_insert(error);
            }
        }
    }
}

/// What is told of a buffer that the device has not begun with.
pub(super) fn untouched(end: Result) -> pindma_pool_record {
    pindma_pool_record {
        status: end.map_or_else(Error::to_errno, |()| 0),
        time_ns: clock::now(),
        ..pindma_pool_record::default()
    }
}

#[kunit_tests(pindma_pool_run)]
mod tests {
    use super::super::pools::Pools;
    use super::*;
    use crate::{
        engine::Chan,
        kapi::pins::Direction, //
    };

    fn run() -> Result<Run> {
        let pools = Arc::pin_init(Pools::new(), GFP_KERNEL)?;
        let setup = Setup {
            route: Route {
                ch: Chan(0),
                direction: Direction::FromDevice,
                dev_addr: 0,
                dev_fixed: false,
            },
            frame_bytes: 10,
            stream: true,
        };
        Run::new(setup, KVec::new(), Pools::run_one(&pools)?)
    }

    fn progress(started: bool) -> Progress {
        Progress {
            started,
            bytes: 10,
            ..Progress::default()
        }
    }

    #[test]
    fn what_is_lost_stands_in_the_next_record() -> Result {
        let mut run = run()?;
        let begun = progress(true);
        assert_eq!(run.record(&begun, &Ok(())).seq, 0);
        run.lose(&begun);
        run.lose(&begun);
        let next = run.record(&begun, &Ok(()));
        assert_eq!((next.seq, next.overruns, next.bytes), (3, 2, 10));
        assert_eq!(run.record(&begun, &Ok(())).overruns, 0);
        run.lose(&begun);
        let (frames, overruns) = (6, 3);
        assert_eq!(run.totals(), Totals { frames, overruns });
        Ok(())
    }

    #[test]
    fn what_was_not_begun_is_no_frame() -> Result {
        let mut run = run()?;
        let none = progress(false);
        run.lose(&none);
        let record = run.record(&none, &Err(ECANCELED));
        assert_eq!(run.totals(), Totals::default());
        assert_eq!((record.status, record.bytes), (ECANCELED.to_errno(), 0));
        assert_eq!(record.flags, 0);
        Ok(())
    }

    #[test]
    fn an_error_of_one_frame_ends_no_run() -> Result {
        let mut run = run()?;
        run.check(&progress(true), &Err(EIO));
        assert_eq!(run.end, None);
        run.check(&progress(false), &Err(EIO));
        assert_eq!(run.end, Some(EIO));
        run.check(&progress(true), &Err(ENODEV));
        assert_eq!(run.end, Some(EIO));
        Ok(())
    }
}
