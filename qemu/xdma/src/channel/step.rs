// SPDX-License-Identifier: MIT OR GPL-2.0

//! The next piece of a channel's work.

use std::time::Duration;

use crate::card::Progress;
use crate::channel::{ChannelState, Fetched, Phase};
use crate::descriptor::{Descriptor, DESCRIPTOR};
use crate::fetch::{Request, Watch};
use crate::host::Host;
use crate::parts::Parts;
use crate::switches::BusMasterOff;

impl ChannelState {
    /// Does one piece of work.
    pub(crate) fn step(&mut self, parts: &mut Parts, host: &mut dyn Host) -> Progress {
        let now = host.now();
        if self.stop_at.is_some_and(|at| at <= now) {
            self.obey_stop(parts);
        }
        if matches!(self.phase, Phase::Idle | Phase::Hung) {
            return Progress::Idle;
        }
        if parts.bus_is_held() {
            return self.hold(parts, now);
        }
        let wants = self.wants_descriptors(parts);
        if wants && self.fetch_at <= now {
            self.fetch(parts, host);
            return Progress::Worked;
        }
        let fetch = if wants { Some(self.fetch_at) } else { None };
        let progress = self.work_on(parts, host);
        progress.no_later(fetch).no_later(self.stop_at)
    }

    /// Waits for bus mastering.
    fn hold(&mut self, parts: &mut Parts, now: Duration) -> Progress {
        let flushes = parts.config.switches.bus_master_off == BusMasterOff::HoldUntilStopped;
        if self.phase == Phase::Stopping && flushes {
            self.rest(parts, now);
            return Progress::Worked;
        }
        Progress::Idle.no_later(self.stop_at)
    }

    fn wants_descriptors(&self, parts: &Parts) -> bool {
        self.phase == Phase::Running
            && self.fetcher.goes_on()
            && !parts.common.is_halted(self.id)
            && !self.is_starved(parts)
            && self.buffer.len() < parts.config.descriptor_room()
    }

    /// Makes one read request for descriptors.
    fn fetch(&mut self, parts: &mut Parts, host: &mut dyn Host) {
        let request = self.fetcher.request(self.most_descriptors(parts));
        if parts.common.has_credit_mode(self.id) {
            self.credits.take(request.count);
        }
        let mut bytes = vec![0; request.count as usize * DESCRIPTOR];
        parts.statistics.of(self.id).fetches += 1;
        match parts.fetch(request.address, &mut bytes, host) {
            Ok(()) => self.keep(&bytes, request, parts),
            Err(error) => {
                self.buffer.push_back(Fetched::Failed(error));
                self.fetcher.end();
            }
        }
        self.put_off_fetch(parts, host.now());
    }

    /// Descriptors in one request: the link, the buffer and credits limit it.
    fn most_descriptors(&self, parts: &Parts) -> u32 {
        let link = parts.settings.read_request_bytes(parts.link) / DESCRIPTOR as u32;
        let room = parts.config.descriptor_room() - self.buffer.len();
        let most = link.min(room as u32);
        if parts.common.has_credit_mode(self.id) {
            return most.min(self.credits.left());
        }
        most
    }

    fn keep(&mut self, bytes: &[u8], request: Request, parts: &mut Parts) {
        let single =
            parts.common.has_credit_mode(self.id) && !parts.config.switches.adjacent_with_credits;
        let addresses = (request.address..).step_by(DESCRIPTOR);
        for (chunk, address) in bytes.chunks_exact(DESCRIPTOR).zip(addresses) {
            let descriptor = Descriptor::parse(address, chunk);
            let mut watch = Watch {
                channel: self.id,
                faults: &mut parts.faults,
            };
            self.fetcher.pass(&descriptor, single, &mut watch);
            self.buffer.push_back(Fetched::Descriptor(descriptor));
            parts.statistics.of(self.id).fetched += 1;
            if !self.fetcher.goes_on() {
                return;
            }
        }
    }

    /// Goes on with the descriptor in work, or takes up the next one.
    fn work_on(&mut self, parts: &mut Parts, host: &mut dyn Host) -> Progress {
        let now = host.now();
        let Some(work) = self.work.take() else {
            return self.next_work(parts, host);
        };
        if work.not_before > now {
            self.work = Some(work);
            return Progress::Until(work.not_before);
        }
        self.advance(work, parts, host)
    }

    fn next_work(&mut self, parts: &mut Parts, host: &mut dyn Host) -> Progress {
        if let Some(fetched) = self.buffer.pop_front() {
            self.take_up(fetched, parts, host);
            return Progress::Worked;
        }
        if self.phase == Phase::Stopping {
            self.rest(parts, host.now());
            return Progress::Worked;
        }
        if self.is_starved(parts) {
            self.begin_dry(parts, host.now());
        }
        Progress::Idle
    }

    pub(super) fn begin_dry(&mut self, parts: &mut Parts, now: Duration) {
        if self.dry_since.is_none() {
            self.dry_since = Some(now);
            parts.statistics.of(self.id).dry += 1;
        }
    }

    pub(super) fn end_dry(&mut self, parts: &mut Parts, now: Duration) {
        if let Some(since) = self.dry_since.take() {
            let statistics = parts.statistics.of(self.id);
            let gap = now.saturating_sub(since);
            statistics.longest_dry = statistics.longest_dry.max(gap);
            statistics.total_dry += gap;
        }
    }
}
