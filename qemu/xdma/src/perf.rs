// SPDX-License-Identifier: MIT OR GPL-2.0

//! A channel's performance counters ("H2C Channel Performance Monitor Control").

use std::time::Duration;

use bitflags::bitflags;

bitflags! {
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    struct PerfControl: u32 {
        const AUTO = 1;
        const CLEAR = 1 << 1;
        const RUN = 1 << 2;
    }
}

/// Nanoseconds of one clock of the card, 250 MHz.
pub(crate) const CLOCK_NS: u64 = 4;

const COUNTER_BITS: u32 = 42;
const SATURATED: u32 = 1 << 16;

/// Cycles and beats of one channel.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Perf {
    control: PerfControl,
    cycles: u64,
    beats: u64,
    /// Since when cycles count.
    since: Option<Duration>,
    /// The channel has Run, and no STOP ended an automatic count.
    may_count: bool,
}

impl Perf {
    /// The control register's value; Clear never shows.
    pub(crate) fn control(&self) -> u32 {
        self.control.bits()
    }

    /// Takes a write to the control register.
    pub(crate) fn set_control(&mut self, value: u32, now: Duration) {
        let value = PerfControl::from_bits_truncate(value);
        self.control = value - PerfControl::CLEAR;
        if value.contains(PerfControl::CLEAR) {
            self.clear(now);
        }
        self.count(now);
    }

    /// Run went up.
    pub(crate) fn start(&mut self, now: Duration) {
        if self.control.contains(PerfControl::AUTO) {
            self.clear(now);
        }
        self.may_count = true;
        self.count(now);
    }

    /// Run went down.
    pub(crate) fn stop(&mut self, now: Duration) {
        self.may_count = false;
        self.count(now);
    }

    /// A descriptor with STOP is done.
    pub(crate) fn stop_descriptor(&mut self, now: Duration) {
        if self.control.contains(PerfControl::AUTO) {
            self.stop(now);
        }
    }

    /// Data moved.
    pub(crate) fn add_beats(&mut self, beats: u64) {
        if self.since.is_some() {
            self.beats += beats;
        }
    }

    /// Cycles: low word, high word.
    pub(crate) fn cycles(&self, now: Duration) -> (u32, u32) {
        let running = self
            .since
            .map_or(0, |since| clocks(now.saturating_sub(since)));
        halves(self.cycles + running)
    }

    /// Beats: low word, high word.
    pub(crate) fn beats(&self) -> (u32, u32) {
        halves(self.beats)
    }

    fn clear(&mut self, now: Duration) {
        self.cycles = 0;
        self.beats = 0;
        self.since = self.since.map(|_| now);
    }

    /// Begins or ends counting.
    fn count(&mut self, now: Duration) {
        let counts = self.may_count && self.control.contains(PerfControl::RUN);
        match (self.since, counts) {
            (None, true) => self.since = Some(now),
            (Some(since), false) => {
                self.cycles += clocks(now.saturating_sub(since));
                self.since = None;
            }
            _ => {}
        }
    }
}

fn clocks(time: Duration) -> u64 {
    time.as_nanos() as u64 / CLOCK_NS
}

fn halves(value: u64) -> (u32, u32) {
    if value >> COUNTER_BITS != 0 {
        return (u32::MAX, 0x3ff | SATURATED);
    }
    (value as u32, (value >> 32) as u32)
}
