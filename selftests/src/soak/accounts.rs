// SPDX-License-Identifier: GPL-2.0

//! Which requests were taken and which have ended, by the driver's tracepoints:
//! also those of processes that are killed, of which nobody else knows.

use std::collections::HashMap;

use crate::check::{check, Fail, Outcome};
use crate::module::pause;
use crate::tracing::{Event, Tracing};

/// What the tracepoints have told so far.
pub(super) struct Accounts {
    tracing: Tracing,
    /// How often each request was taken, less how often it has ended; those for
    /// which that is 0 are left out.
    open: HashMap<u64, i32>,
    /// Requests that were taken.
    pub(super) taken: u64,
    /// Ends.
    pub(super) ended: u64,
}

impl Accounts {
    /// Counts from now on.
    pub(super) fn begin() -> Outcome<Accounts> {
        Ok(Accounts {
            tracing: Tracing::beside(&["submit", "end"])?,
            open: HashMap::new(),
            taken: 0,
            ended: 0,
        })
    }

    /// Reads what is new.
    pub(super) fn read(&mut self) -> Outcome {
        for event in self.tracing.take()? {
            self.enter(&event)?;
        }
        Ok(())
    }

    fn enter(&mut self, event: &Event) -> Outcome {
        let by = if event.name == "submit" {
            self.taken += 1;
            1
        } else {
            self.ended += 1;
            -1
        };
        let number = event.field("request")?;
        let number = number
            .parse()
            .map_err(|_| Fail::new(format!("request {number}")))?;
        let balance = self.open.entry(number).or_default();
        *balance += by;
        if *balance == 0 {
            self.open.remove(&number);
        }
        Ok(())
    }

    /// Each request that was taken has ended, exactly once.
    pub(super) fn balance(&mut self) -> Outcome {
        // The files of whoever was killed last may still be on their way.
        for _ in 0..500 {
            self.read()?;
            if self.open.is_empty() {
                break;
            }
            pause(20);
        }
        let mut wrong: Vec<_> = self.open.iter().collect();
        wrong.sort_unstable();
        wrong.truncate(10);
        check(
            wrong.is_empty(),
            format!("requests, and how many ends they lack: {wrong:?}"),
        )
    }
}
