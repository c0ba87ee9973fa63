// SPDX-License-Identifier: GPL-2.0

//! The leak gate: what must hold after every case, whatever the case did.

use std::fs;

use crate::card::Watcher;
use crate::check::{Fail, Outcome};
use crate::counters;
use crate::debug;
use crate::device::{Device, PAGE};
use crate::kmsg::Log;
use crate::module::pause;

/// Where a case writes how many pages it made the driver leak for good.
const LEAKED: &str = "/tmp/leaked-pages";

/// Says that `pages` stay pinned on purpose, although the module that counted
/// them is gone.
pub(crate) fn declare_leak(pages: u64) -> Outcome {
    Ok(fs::write(LEAKED, pages.to_string())?)
}

/// What was there before the first case.
pub(crate) struct Gate {
    log: Log,
    pins: i64,
    slots: u64,
    charged: u64,
    /// Whether the kernel watches more than the stock one.
    debug: bool,
    /// The model of the card, which watches as well.
    card: Option<Watcher>,
}

impl Gate {
    pub(crate) fn new() -> Outcome<Gate> {
        Ok(Gate {
            debug: debug::offered(),
            card: Watcher::find().ok(),
            log: Log::open()?,
            pins: counters::pins_outstanding()?,
            slots: counters::bounce_slots(),
            charged: Device::open()?.info()?.out_memlock_used,
        })
    }

    /// What is wrong now; empty if nothing is.  Waits a little first: the
    /// kernel closes the files of a process that was killed with some delay.
    pub(crate) fn complaints(&mut self) -> Vec<String> {
        self.take_declared_leaks();
        let mut found = Vec::new();
        for _ in 0..250 {
            found = self.not_at_rest();
            if found.is_empty() {
                break;
            }
            pause(20);
        }
        found.extend(self.card.as_mut().and_then(Watcher::complaint));
        for line in self.log.complaints() {
            found.push(format!("kernel log: {line}"));
        }
        if self.debug {
            found.extend(debug::complaints());
        }
        found
    }

    /// The same, and what a debug kernel has to be asked for at length.
    pub(crate) fn deep_complaints(&mut self) -> Vec<String> {
        let mut found = self.complaints();
        if self.debug {
            found.extend(debug::complaints_at_rest());
        }
        found
    }

    /// The deliberate leaks of the case are part of what is there from now on.
    fn take_declared_leaks(&mut self) {
        let text = fs::read_to_string(LEAKED).unwrap_or_default();
        let pages: u32 = text.trim().parse().unwrap_or(0);
        self.pins += i64::from(pages);
        self.charged += u64::from(pages) * PAGE as u64;
        if pages > 0 {
            self.slots = counters::bounce_slots();
        }
        let _ = fs::remove_file(LEAKED);
    }

    fn not_at_rest(&self) -> Vec<String> {
        let mut found: Vec<String> = counters::AT_REST
            .iter()
            .filter_map(|name| unlike(name, counters::driver(name), 0))
            .collect();
        found.extend(unlike("leaked_pages", counters::driver("leaked_pages"), 0));
        found.extend(unlike(
            "pins outstanding",
            counters::pins_outstanding(),
            self.pins,
        ));
        found.extend(unlike(
            "bounce slots",
            Ok(counters::bounce_slots()),
            self.slots,
        ));
        found.extend(unlike("memlock charged to root", charged(), self.charged));
        found
    }
}

fn charged() -> Outcome<u64> {
    Ok(Device::open()?.info()?.out_memlock_used)
}

fn unlike<T: PartialEq + std::fmt::Display>(
    what: &str,
    got: Outcome<T>,
    want: T,
) -> Option<String> {
    match got {
        Ok(got) if got == want => None,
        Ok(got) => Some(format!("leak gate: {what} is {got}, not {want}")),
        Err(Fail(why)) => Some(format!("leak gate: {what}: {why}")),
    }
}
