// SPDX-License-Identifier: GPL-2.0

//! What the device does with a pool from start to stop, and how far it has got.

use kernel::prelude::*;

use super::pools::Place;
use crate::{
    base::progress::Progress,
    kapi::{
        abi::{
            self,
            pindma_pool_record, //
        },
        clock, //
    },
    request::mover::Route, //
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
    /// A frame is in work.
    pub(super) working: bool,
    /// Why no more frames are begun.
    pub(super) end: Option<Error>,
    _place: Place,
}

impl Run {
    /// A run that begins.
    pub(super) fn new(setup: Setup, place: Place) -> Self {
        Self {
            setup,
            totals: Totals::default(),
            lost: 0,
            working: false,
            end: None,
            _place: place,
        }
    }

    /// How far it has got.
    pub(super) fn totals(&self) -> Totals {
        self.totals
    }

    /// Whether frames will still be begun if there is a buffer.
    pub(super) fn goes_on(&self) -> bool {
        self.end.is_none()
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
    use kernel::sync::Arc;

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
        Ok(Run::new(setup, Pools::run_one(&pools)?))
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
        assert!(run.goes_on());
        run.check(&progress(false), &Err(EIO));
        assert_eq!(run.end, Some(EIO));
        run.check(&progress(true), &Err(ENODEV));
        assert_eq!(run.end, Some(EIO));
        Ok(())
    }
}
