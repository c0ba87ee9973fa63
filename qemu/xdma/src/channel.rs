// SPDX-License-Identifier: MIT OR GPL-2.0

//! One channel: what it was told, where it is, and how it starts and stops.

use std::collections::VecDeque;
use std::time::Duration;

use crate::adversary::Mode;
use crate::checker::Rule;
use crate::control::{Control, Status};
use crate::credit::Credits;
use crate::descriptor::Descriptor;
use crate::fetch::{Fetcher, Watch};
use crate::host::BusError;
use crate::parts::Parts;
use crate::perf::Perf;
use crate::range::{HostRange, Purpose};
use crate::switches::{CreditsBeforeRun, RestartAfterError, UnstartedAtStop};
use crate::Channel;

mod failure;
mod finish;
mod mover;
mod registers;
mod step;
mod take_up;
#[cfg(test)]
mod tests;

/// The state of a channel's work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// Nothing, whatever Run says.
    #[default]
    Idle,
    /// It fetches and moves.
    Running,
    /// It ends what it began.
    Stopping,
    /// It is busy and stays so until a reset.
    Hung,
}

/// The result of a fetch, in the order of the list.
#[derive(Clone, Copy, Debug)]
enum Fetched {
    Descriptor(Descriptor),
    Failed(BusError),
}

/// The descriptor in work.
#[derive(Clone, Copy, Debug)]
struct Work {
    descriptor: Descriptor,
    /// Bytes that moved.
    done: u64,
    /// Nothing more is to move.
    moved: bool,
    /// A stream's packet ended with it.
    end_of_packet: bool,
    /// Nothing happens before.
    not_before: Duration,
    /// When bytes came last.
    last_data: Duration,
}

/// The state of one channel.
pub(crate) struct ChannelState {
    id: Channel,
    control: Control,
    status: Status,
    mask: Status,
    completed: u32,
    first: u64,
    adjacent: u32,
    credits: Credits,
    word_address: u64,
    perf: Perf,
    phase: Phase,
    fetcher: Fetcher,
    buffer: VecDeque<Fetched>,
    work: Option<Work>,
    /// No fetch before.
    fetch_at: Duration,
    /// When Run 0 is obeyed, if that was put off.
    stop_at: Option<Duration>,
    /// An error stopped it.
    failed: bool,
    /// How many more reads show busy.
    lag: u64,
    /// Since when there is nothing to do.
    dry_since: Option<Duration>,
    /// A vector whose message comes after the next one.
    late_message: Option<u32>,
    /// The record before told of an end of packet.
    ended_packet: bool,
}

impl ChannelState {
    pub(crate) fn new(id: Channel) -> Self {
        ChannelState {
            id,
            control: Control::default(),
            status: Status::default(),
            mask: Status::default(),
            completed: 0,
            first: 0,
            adjacent: 0,
            credits: Credits::default(),
            word_address: 0,
            perf: Perf::default(),
            phase: Phase::Idle,
            fetcher: Fetcher::default(),
            buffer: VecDeque::new(),
            work: None,
            fetch_at: Duration::ZERO,
            stop_at: None,
            failed: false,
            lag: 0,
            dry_since: None,
            late_message: None,
            ended_packet: false,
        }
    }

    pub(crate) fn id(&self) -> Channel {
        self.id
    }

    /// Whether its interrupt is asserted, before enables.
    pub(crate) fn level(&self) -> bool {
        self.status.intersects(self.mask)
    }

    /// Keeps a message for later and gives back the one that waited.
    pub(crate) fn swap_late_message(&mut self, vector: Option<u32>) -> Option<u32> {
        std::mem::replace(&mut self.late_message, vector)
    }

    fn is_to_card(&self) -> bool {
        matches!(self.id, Channel::H2c(_))
    }

    /// Credit mode is on and nothing may be fetched.
    fn is_starved(&self, parts: &Parts) -> bool {
        parts.common.has_credit_mode(self.id) && self.credits.left() == 0
    }

    fn is_busy(&self, parts: &Parts) -> bool {
        match self.phase {
            Phase::Idle => false,
            Phase::Stopping | Phase::Hung => true,
            Phase::Running => {
                self.work.is_some()
                    || !self.buffer.is_empty()
                    || !self.is_starved(parts)
                    || parts.config.switches.busy_without_credits
            }
        }
    }

    /// Run went from 0 to 1: every bit of Status resets ("H2C Channel Status").
    fn start(&mut self, parts: &mut Parts, now: Duration) {
        self.status = Status::empty();
        self.completed = 0;
        self.lag = 0;
        self.perf.start(now);
        if parts.config.switches.credits_before_run == CreditsBeforeRun::Lost {
            self.credits.clear();
        }
        if self.failed && parts.config.switches.restart_after_error == RestartAfterError::NeedsReset
        {
            return;
        }
        if self.phase != Phase::Idle {
            // It starts when it has come to rest.
            parts.fault(
                Rule::RunWhileBusy,
                self.id,
                "Run was set before busy fell".into(),
            );
            return;
        }
        self.begin(parts, now);
    }

    /// Goes to the first block.
    fn begin(&mut self, parts: &mut Parts, now: Duration) {
        self.failed = false;
        self.phase = Phase::Running;
        self.ended_packet = false;
        parts.statistics.of(self.id).starts += 1;
        // Later somebody else may have taken it away.
        if !parts.was_master {
            let sentence = "Run was set before bus mastering was switched on".into();
            parts.fault(Rule::RunWithoutBusMaster, self.id, sentence);
        }
        let mut watch = Watch {
            channel: self.id,
            faults: &mut parts.faults,
        };
        self.fetcher.begin(self.first, self.adjacent, &mut watch);
        self.put_off_fetch(parts, now);
    }

    fn put_off_fetch(&mut self, parts: &mut Parts, now: Duration) {
        let strike = parts.adversary.strike(Mode::DelayFetch, Some(self.id));
        let delay = strike.map_or(0, |mut strike| strike.up_to_amount());
        self.fetch_at = now + Duration::from_nanos(delay);
    }

    /// Run went from 1 to 0.
    fn stop(&mut self, parts: &mut Parts, now: Duration) {
        self.perf.stop(now);
        let stuck = parts.adversary.strike(Mode::StuckCredits, Some(self.id));
        if stuck.is_none() {
            self.credits.clear();
        }
        if self.phase != Phase::Running {
            return;
        }
        match parts.adversary.strike(Mode::IgnoreStop, Some(self.id)) {
            Some(strike) => self.stop_at = Some(now + Duration::from_nanos(strike.amount)),
            None => self.obey_stop(parts),
        }
    }

    /// Drops descriptors that were fetched and not started.
    fn obey_stop(&mut self, parts: &mut Parts) {
        self.stop_at = None;
        if self.strikes(parts, Mode::NeverIdle) {
            self.phase = Phase::Hung;
            return;
        }
        self.phase = Phase::Stopping;
        if parts.config.switches.unstarted_at_stop == UnstartedAtStop::Dropped {
            let more = !self.buffer.is_empty();
            let runs_on = more && self.strikes(parts, Mode::RunOn);
            self.buffer.truncate(usize::from(runs_on));
        }
    }

    /// Comes to rest after Run 0.
    fn rest(&mut self, parts: &mut Parts, now: Duration) {
        self.log(Status::IDLE_STOPPED);
        self.become_idle(parts);
        if self.control.contains(Control::RUN) && self.phase == Phase::Idle {
            self.begin(parts, now);
        }
    }

    /// Nothing is in work any more.
    fn become_idle(&mut self, parts: &mut Parts) {
        self.work = None;
        self.buffer.clear();
        self.stop_at = None;
        let lag = parts.adversary.strike(Mode::BusyLag, Some(self.id));
        self.lag = lag.map_or(0, |mut strike| strike.up_to_amount());
        self.phase = if self.strikes(parts, Mode::NeverIdle) {
            Phase::Hung
        } else {
            Phase::Idle
        };
    }

    /// Notes bits in Status, if Control lets them be noted.
    fn log(&mut self, bits: Status) {
        self.status |= bits & self.control.logs();
    }

    fn strikes(&self, parts: &mut Parts, mode: Mode) -> bool {
        parts.adversary.strike(mode, Some(self.id)).is_some()
    }

    /// Ranges of the host's memory that it may still touch.
    pub(crate) fn ranges(&self, parts: &Parts) -> Vec<HostRange> {
        let mut ranges = Vec::new();
        let fetched = self.buffer.iter().filter_map(|fetched| match fetched {
            Fetched::Descriptor(descriptor) => Some(descriptor),
            Fetched::Failed(_) => None,
        });
        let in_work = self.work.as_ref().map(|work| &work.descriptor);
        for descriptor in in_work.into_iter().chain(fetched) {
            self.add_descriptor(descriptor, parts, &mut ranges);
        }
        if self.phase == Phase::Running && self.fetcher.goes_on() && !self.is_starved(parts) {
            let block = self.fetcher.block();
            self.add(block, Purpose::Descriptors, &mut ranges);
        }
        if self.is_busy(parts) && self.control.contains(Control::WORD) {
            self.add((self.word_address, 4), Purpose::WriteBack, &mut ranges);
        }
        ranges
    }

    fn add_descriptor(&self, descriptor: &Descriptor, parts: &Parts, ranges: &mut Vec<HostRange>) {
        let length = descriptor.length.into();
        if self.is_to_card() {
            self.add((descriptor.source, length), Purpose::Source, ranges);
            return;
        }
        self.add(
            (descriptor.destination, length),
            Purpose::Destination,
            ranges,
        );
        if self.leaves_records(parts) {
            self.add((descriptor.source, 8), Purpose::Record, ranges);
        }
    }

    fn add(&self, range: (u64, u64), purpose: Purpose, ranges: &mut Vec<HostRange>) {
        ranges.push(HostRange {
            channel: self.id,
            address: range.0,
            length: range.1,
            purpose,
        });
    }

    /// Whether each descriptor is told of by a record ("C2H Stream").
    fn leaves_records(&self, parts: &Parts) -> bool {
        !self.is_to_card() && parts.is_stream() && !self.control.contains(Control::NO_RECORD)
    }
}
