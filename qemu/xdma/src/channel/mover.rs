// SPDX-License-Identifier: MIT OR GPL-2.0

//! Data from one side to the other, a piece at a time.

use crate::card::Progress;
use crate::channel::{ChannelState, Phase, Work};
use crate::control::{Control, Status};
use crate::descriptor::Flags;
use crate::host::Host;
use crate::parts::Parts;
use crate::switches::StarvedStream;
use crate::Channel;

/// The most that one step moves.
const PIECE: u64 = 64 << 10;

/// How a piece went.
enum Moved {
    /// So many bytes moved.
    Bytes(u64),
    /// A stream has no data, or no room for it.
    Nothing,
    /// One of the sides refused.
    Refused(Status),
}

impl ChannelState {
    /// Moves a piece of the descriptor in work, and ends it if that was the last.
    pub(super) fn advance(
        &mut self,
        mut work: Work,
        parts: &mut Parts,
        host: &mut dyn Host,
    ) -> Progress {
        if work.moved {
            self.finish(&work, parts, host);
            return Progress::Worked;
        }
        let piece = (u64::from(work.descriptor.length) - work.done).min(PIECE);
        match self.move_piece(&mut work, piece, parts, host) {
            Moved::Bytes(bytes) => self.note_moved(&mut work, bytes, parts, host),
            Moved::Nothing => return self.wait_for_stream(work, parts, host),
            Moved::Refused(bits) if self.control.logs().intersects(bits) => {
                self.fail(bits, parts, host);
                return Progress::Worked;
            }
            // An error that is not logged stops nothing.
            Moved::Refused(_) => self.note_moved(&mut work, piece, parts, host),
        }
        if work.moved {
            self.put_off_end(&mut work, parts, host.now());
        }
        self.work = Some(work);
        Progress::Worked
    }

    fn move_piece(
        &mut self,
        work: &mut Work,
        piece: u64,
        parts: &mut Parts,
        host: &mut dyn Host,
    ) -> Moved {
        match (self.id, parts.is_stream()) {
            (Channel::H2c(_), false) => self.send_to_memory(work, piece, parts, host),
            (Channel::C2h(_), false) => self.take_from_memory(work, piece, parts, host),
            (Channel::H2c(n), true) => send_to_stream(n, work, piece, parts, host),
            (Channel::C2h(n), true) => self.take_from_stream(n, work, piece, parts, host),
        }
    }

    fn note_moved(&mut self, work: &mut Work, bytes: u64, parts: &mut Parts, host: &dyn Host) {
        work.done += bytes;
        work.last_data = host.now();
        work.moved |= work.done == u64::from(work.descriptor.length);
        parts.statistics.of(self.id).bytes += bytes;
        self.perf
            .add_beats(bytes.div_ceil(parts.config.data_width.bytes()));
    }

    fn send_to_memory(
        &self,
        work: &Work,
        piece: u64,
        parts: &mut Parts,
        host: &mut dyn Host,
    ) -> Moved {
        let mut data = vec![0; piece as usize];
        let source = work.descriptor.source.wrapping_add(work.done);
        if let Err(error) = parts.fetch(source, &mut data, host) {
            return Moved::Refused(Status::of_read(error));
        }
        let destination = work.descriptor.destination;
        let written = if self.control.contains(Control::FIXED_ADDRESS) {
            let beat = parts.config.data_width.bytes() as usize;
            parts.memory.write_fixed(destination, &data, beat)
        } else {
            let destination = destination.wrapping_add(work.done);
            parts.memory.write(destination, &data)
        };
        match written {
            Ok(()) => Moved::Bytes(piece),
            Err(error) => Moved::Refused(Status::of_axi_write(error)),
        }
    }

    fn take_from_memory(
        &self,
        work: &Work,
        piece: u64,
        parts: &mut Parts,
        host: &mut dyn Host,
    ) -> Moved {
        let mut data = vec![0; piece as usize];
        let source = work.descriptor.source;
        let read = if self.control.contains(Control::FIXED_ADDRESS) {
            let beat = parts.config.data_width.bytes() as usize;
            parts.memory.read_fixed(source, &mut data, beat)
        } else {
            parts.memory.read(source.wrapping_add(work.done), &mut data)
        };
        if let Err(error) = read {
            return Moved::Refused(Status::of_axi_read(error));
        }
        let destination = work.descriptor.destination.wrapping_add(work.done);
        parts.post(self.id, destination, &data, host);
        Moved::Bytes(piece)
    }

    fn take_from_stream(
        &self,
        channel: u8,
        work: &mut Work,
        piece: u64,
        parts: &mut Parts,
        host: &mut dyn Host,
    ) -> Moved {
        let Some(piece) = parts.streams.pull(channel, piece as usize) else {
            return Moved::Nothing;
        };
        let destination = work.descriptor.destination.wrapping_add(work.done);
        parts.post(self.id, destination, &piece.data, host);
        work.end_of_packet = piece.last;
        work.moved |= piece.last;
        Moved::Bytes(piece.data.len() as u64)
    }

    /// A stream's descriptor waits for data, for room, or for the flush timeout.
    fn wait_for_stream(
        &mut self,
        mut work: Work,
        parts: &mut Parts,
        host: &mut dyn Host,
    ) -> Progress {
        let now = host.now();
        let starved = self.phase == Phase::Stopping && !self.is_to_card();
        if starved && parts.config.switches.starved_stream == StarvedStream::GivesUp {
            self.rest(parts, now);
            return Progress::Worked;
        }
        let flush = match parts.settings.flush_after() {
            Some(after) if self.may_flush(&work, parts) => Some(work.last_data + after),
            _ => None,
        };
        if flush.is_some_and(|at| at <= now) {
            work.moved = true;
            self.put_off_end(&mut work, parts, now);
            self.work = Some(work);
            return Progress::Worked;
        }
        self.work = Some(work);
        Progress::Idle.no_later(flush)
    }

    fn may_flush(&self, work: &Work, parts: &Parts) -> bool {
        !self.is_to_card() && (work.done > 0 || parts.config.switches.flush_empty)
    }
}

fn send_to_stream(
    channel: u8,
    work: &Work,
    piece: u64,
    parts: &mut Parts,
    host: &mut dyn Host,
) -> Moved {
    let piece = piece.min(parts.streams.room(channel));
    if piece == 0 {
        return Moved::Nothing;
    }
    let mut data = vec![0; piece as usize];
    let source = work.descriptor.source.wrapping_add(work.done);
    if let Err(error) = parts.fetch(source, &mut data, host) {
        return Moved::Refused(Status::of_read(error));
    }
    let is_end = work.done + piece == u64::from(work.descriptor.length);
    let last = is_end && work.descriptor.flags.contains(Flags::EOP);
    parts.streams.send(channel, data, last);
    Moved::Bytes(piece)
}
