// SPDX-License-Identifier: MIT OR GPL-2.0

//! A card that lies, stalls and misbehaves, from a seed.
//!
//! Each mode has its own row of occasions on each channel, and the fate of an occasion
//! depends on the seed and its number alone. So a seed tells the same story again even
//! when channels and accesses of the host interleave in another way.

use std::collections::BTreeMap;

use fastrand::Rng;

use crate::Channel;

mod mode;

pub use mode::{Mode, UnknownMode};

/// How often, how much, and on which channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// How many of 1000 occasions.
    pub odds: u16,
    /// A number whose meaning is in the mode's description.
    pub amount: u64,
    /// The one channel that misbehaves, or all.
    pub only: Option<Channel>,
}

/// Modes that are on, and counts of their deeds.
#[derive(Clone, Debug, Default)]
pub struct Adversary {
    seed: u64,
    settings: BTreeMap<Mode, Setting>,
    occasions: BTreeMap<(Mode, Option<Channel>), u64>,
    deeds: BTreeMap<Mode, u64>,
}

/// An occasion that is to be used.
pub(crate) struct Strike {
    /// The setting's amount.
    pub(crate) amount: u64,
    pub(crate) random: Rng,
}

impl Strike {
    /// A number from 1 to the amount.
    pub(crate) fn up_to_amount(&mut self) -> u64 {
        self.random.u64(1..=self.amount.max(1))
    }
}

impl Adversary {
    /// Starts again from a seed, with everything off and nothing done.
    pub fn seed(&mut self, seed: u64) {
        *self = Adversary {
            seed,
            ..Adversary::default()
        };
    }

    /// Turns a mode on, or off with odds of 0. Its occasions count from here.
    pub fn set(&mut self, mode: Mode, setting: Setting) {
        self.occasions.retain(|(of, _), _| *of != mode);
        self.settings.insert(mode, setting);
    }

    /// Turns everything off; what it did stays counted.
    pub fn calm(&mut self) {
        self.settings.clear();
    }

    /// How often a mode was acted out.
    pub fn deeds(&self, mode: Mode) -> u64 {
        self.deeds.get(&mode).copied().unwrap_or(0)
    }

    /// Asks whether this occasion is used; most never are.
    pub(crate) fn strike(&mut self, mode: Mode, channel: Option<Channel>) -> Option<Strike> {
        let setting = *self.settings.get(&mode)?;
        if setting.only.is_some() && setting.only != channel {
            return None;
        }
        let number = self.occasions.entry((mode, channel)).or_default();
        *number += 1;
        let mut random = Rng::with_seed(mix(self.seed, mode as u64, lane(channel), *number));
        if random.u16(0..1000) >= setting.odds {
            return None;
        }
        *self.deeds.entry(mode).or_default() += 1;
        Some(Strike {
            amount: setting.amount,
            random,
        })
    }

    /// As [`Adversary::strike`], for modes that begin with the `amount`th occasion.
    pub(crate) fn strike_late(&mut self, mode: Mode) -> bool {
        let Some(setting) = self.settings.get(&mode) else {
            return false;
        };
        let passed = self.occasions.get(&(mode, None)).copied().unwrap_or(0);
        if passed + 1 < setting.amount {
            self.occasions.insert((mode, None), passed + 1);
            return false;
        }
        self.strike(mode, None).is_some()
    }
}

fn lane(channel: Option<Channel>) -> u64 {
    match channel {
        None => 0,
        Some(Channel::H2c(n)) => 1 + u64::from(n),
        Some(Channel::C2h(n)) => 17 + u64::from(n),
    }
}

/// One seed out of four numbers: each step spreads what came before over all bits
/// (the finalizer of splitmix64).
fn mix(seed: u64, mode: u64, lane: u64, number: u64) -> u64 {
    [mode, lane, number].into_iter().fold(seed, |state, next| {
        let mut z = state.wrapping_add(next).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}
