// SPDX-License-Identifier: MIT OR GPL-2.0

//! Numbers that take a channel hours to reach.

use std::time::Duration;

use crate::channel::ChannelState;
use crate::config::Config;
use crate::host::{BusError, Host};
use crate::parts::Parts;
use crate::{Channel, Progress};

/// A ring of one descriptor of one byte with COMPLETED, and the word.
struct Ring {
    word: u32,
}

const LIST: u64 = 0x1000;
const WORD: u64 = 0x2000;

impl Host for Ring {
    fn read(&mut self, address: u64, data: &mut [u8]) -> Result<(), BusError> {
        data.fill(0);
        if address == LIST {
            let words = [0xad4b_0002u32, 1, 0x3000, 0, 0, 0, LIST as u32, 0];
            for (bytes, word) in data.chunks_mut(4).zip(words) {
                bytes.copy_from_slice(&word.to_le_bytes());
            }
        }
        Ok(())
    }

    fn write(&mut self, address: u64, data: &[u8]) -> Result<(), BusError> {
        assert_eq!((address, data.len()), (WORD, 4));
        self.word = u32::from_le_bytes([data[0], data[1], data[2], data[3]]);
        Ok(())
    }

    fn message(&mut self, _vector: u32) {}
    fn line(&mut self, _pin: u8, _asserted: bool) {}
    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

/// A channel that counted so many and is given two more credits.
fn after(completed: u32) -> (ChannelState, Ring) {
    let mut parts = Parts::new(Config::default());
    parts.bus_master = true;
    parts.common.write(0x24, 1, 1, true);
    let mut state = ChannelState::new(Channel::H2c(0));
    let mut ring = Ring { word: 0 };
    state.write(0x88, WORD as u32, &mut parts, Duration::ZERO);
    state.write_sgdma(0x80, LIST as u32, &mut parts);
    state.write(0x04, (1 << 26) | 1, &mut parts, Duration::ZERO);
    state.completed = completed;
    state.write_sgdma(0x8c, 2, &mut parts);
    while state.step(&mut parts, &mut ring) == Progress::Worked {}
    (state, ring)
}

#[test]
fn b16_the_word_wraps_at_24_bits_and_the_count_does_not() {
    let (state, ring) = after((1 << 24) - 1);
    assert_eq!(ring.word, 1);
    assert_eq!(state.completed, (1 << 24) + 1);
}

#[test]
fn b22_a_ring_goes_on_beyond_the_count_of_32_bits() {
    let (state, ring) = after(u32::MAX);
    assert_eq!(ring.word, 1);
    assert_eq!(state.completed, 1);
}
