// SPDX-License-Identifier: MIT OR GPL-2.0

//! User logic behind the channels of a streaming build.

use std::collections::VecDeque;

/// The target of an H2C channel's packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sink {
    /// They are kept until somebody takes them.
    #[default]
    Keep,
    /// They are dropped.
    Discard,
    /// They come back through the C2H channel of the same number.
    Loopback,
}

/// Bytes of one packet that are next to each other in time.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) data: Vec<u8>,
    /// The packet ends with them (tlast).
    pub(crate) last: bool,
}

/// Pieces on their way, and how many bytes fit.
#[derive(Clone, Debug)]
struct Port {
    pieces: VecDeque<Piece>,
    bytes: u64,
    room: u64,
}

impl Port {
    fn new(room: u64) -> Self {
        Port {
            pieces: VecDeque::new(),
            bytes: 0,
            room,
        }
    }

    fn push(&mut self, data: Vec<u8>, last: bool) {
        self.bytes += data.len() as u64;
        self.pieces.push_back(Piece { data, last });
    }

    /// Takes at most `most` bytes of one packet.
    fn pull(&mut self, most: usize) -> Option<Piece> {
        let front = self.pieces.front_mut()?;
        let piece = if front.data.len() > most {
            let rest = front.data.split_off(most);
            let data = std::mem::replace(&mut front.data, rest);
            Piece { data, last: false }
        } else {
            self.pieces.pop_front()?
        };
        self.bytes -= piece.data.len() as u64;
        Some(piece)
    }

    /// Takes the first packet if its end is there.
    fn packet(&mut self) -> Option<Vec<u8>> {
        let end = self.pieces.iter().position(|piece| piece.last)?;
        let mut packet = Vec::new();
        for piece in self.pieces.drain(..=end) {
            packet.extend(piece.data);
        }
        self.bytes -= packet.len() as u64;
        Some(packet)
    }
}

/// The user logic behind all streams.
#[derive(Clone, Debug)]
pub(crate) struct Streams {
    to_card: Vec<(Port, Sink)>,
    from_card: Vec<Port>,
}

impl Streams {
    pub(crate) fn new(h2c: u8, c2h: u8, room: u64) -> Self {
        Streams {
            to_card: (0..h2c).map(|_| (Port::new(room), Sink::Keep)).collect(),
            from_card: (0..c2h).map(|_| Port::new(room)).collect(),
        }
    }

    pub(crate) fn set_sink(&mut self, channel: u8, sink: Sink) {
        if let Some((_, old)) = self.to_card.get_mut(usize::from(channel)) {
            *old = sink;
        }
    }

    /// How many more bytes an H2C channel's side takes.
    pub(crate) fn room(&mut self, channel: u8) -> u64 {
        let taker = self.taker(channel);
        taker.map_or(u64::MAX, |port| port.room.saturating_sub(port.bytes))
    }

    /// Takes what an H2C channel sends.
    pub(crate) fn send(&mut self, channel: u8, data: Vec<u8>, last: bool) {
        if let Some(port) = self.taker(channel) {
            port.push(data, last);
        }
    }

    /// Gives a C2H channel a whole packet, however full its side is.
    pub(crate) fn push_packet(&mut self, channel: u8, packet: &[u8]) {
        if let Some(port) = self.from_card.get_mut(usize::from(channel)) {
            port.push(packet.to_vec(), true);
        }
    }

    /// Takes at most `most` bytes of a packet for a C2H channel.
    pub(crate) fn pull(&mut self, channel: u8, most: usize) -> Option<Piece> {
        self.from_card.get_mut(usize::from(channel))?.pull(most)
    }

    /// Bytes that wait for a C2H channel.
    pub(crate) fn waiting(&self, channel: u8) -> u64 {
        let port = self.from_card.get(usize::from(channel));
        port.map_or(0, |port| port.bytes)
    }

    /// Takes the whole packets that an H2C channel sent.
    pub(crate) fn take_packets(&mut self, channel: u8) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        if let Some((port, _)) = self.to_card.get_mut(usize::from(channel)) {
            while let Some(packet) = port.packet() {
                packets.push(packet);
            }
        }
        packets
    }

    /// Drops what is under way.
    pub(crate) fn clear(&mut self) {
        let ports = self.to_card.iter_mut().map(|(port, _)| port);
        for port in ports.chain(&mut self.from_card) {
            port.pieces.clear();
            port.bytes = 0;
        }
    }

    /// The port that an H2C channel fills; none takes all and keeps nothing.
    fn taker(&mut self, channel: u8) -> Option<&mut Port> {
        let (port, sink) = self.to_card.get_mut(usize::from(channel))?;
        match sink {
            Sink::Keep => Some(port),
            Sink::Discard => None,
            Sink::Loopback => self.from_card.get_mut(usize::from(channel)),
        }
    }
}
