// SPDX-License-Identifier: GPL-2.0

//! The registers of one of the card's channels.

use kernel::{
    io::{
        register::Array,
        Io, //
    },
    pci,
    prelude::*,
    sync::Arc, //
};

use super::{
    channels::Nature,
    regs::{
        self,
        Slot, //
    }, //
};

/// How often a register is read that cannot have the value that it seems to have. Some versions of the
/// card answer every other read with all ones.
const TRIES: usize = 3;

/// The BAR with the registers.
pub(super) type Bar<'b> = pci::Bar<'b, { regs::END }>;

/// What a channel has noted.
#[derive(Clone, Copy)]
pub(super) struct Status(u32);

impl Status {
    /// It works, or is about to.
    pub(super) fn busy(self) -> bool {
        regs::STATUS::from(self.0).busy()
    }

    /// It has stopped with an error.
    pub(super) fn failed(self) -> bool {
        self.0 & regs::ERRORS != 0
    }
}

/// A channel of the card.
pub(super) struct Port<'b> {
    bar: Arc<Bar<'b>>,
    slot: Slot,
    nature: Nature,
    /// What its identifier was when it was found.
    id: u32,
    /// It takes credits.
    credits: bool,
}

impl<'b> Port<'b> {
    /// A channel that was found, by its number and its identifier.
    pub(super) fn new(bar: Arc<Bar<'b>>, slot: Slot, number: u8, id: u32) -> Self {
        let alignment = bar.read(regs::ALIGNMENT::at(slot.index()));
        let nature = Nature {
            number,
            from_card: slot.is_from_card(),
            stream: regs::ID::from(id).stream(),
            address: alignment.address().get(),
            length: alignment.length().get(),
            address_bits: alignment.address_bits().get(),
        };
        Self {
            bar,
            slot,
            nature,
            id,
            credits: false,
        }
    }

    /// What it is.
    pub(super) fn nature(&self) -> Nature {
        self.nature
    }

    /// Whether it takes credits.
    pub(super) fn credits(&self) -> bool {
        self.credits
    }

    /// Whether it is there: the card answers as it did when it was found.
    pub(super) fn is_present(&self) -> bool {
        let read = || self.bar.read(regs::ID::at(self.slot.id())).into_raw();
        (0..TRIES).any(|_| read() == self.id)
    }

    /// What it has noted, unless it is gone.
    pub(super) fn status(&self) -> Option<Status> {
        self.steady(|| {
            self.bar
                .read(regs::STATUS::at(self.slot.index()))
                .into_raw()
        })
        .map(Status)
    }

    /// How many descriptors it has done since it was started, unless it is gone.
    pub(super) fn completed(&self) -> Option<u32> {
        self.steady(|| {
            self.bar
                .read(regs::COMPLETED::at(self.slot.index()))
                .into_raw()
        })
    }

    /// Reads a register that is hardly ever all ones, unless the card is gone.
    fn steady(&self, read: impl Fn() -> u32) -> Option<u32> {
        let value = (0..TRIES).map(|_| read()).find(|value| *value != u32::MAX);
        self.is_present().then_some(value.unwrap_or(u32::MAX))
    }

    /// Whatever the card has written so far has reached memory when this returns.
    pub(super) fn flush(&self) {
        self.bar.read(regs::STATUS::at(self.slot.index()));
    }

    /// Finds out whether it takes credits; from then on it does.
    pub(super) fn find_credits(&mut self) {
        self.set_credit_mode();
        let modes = self.bar.read(regs::CREDIT_MODE).into_raw();
        self.credits = modes & self.slot.bit() != 0;
    }

    /// Tells it where to count, and what is a reason for an interrupt. It must have stopped.
    pub(super) fn prepare(&self, word: u64) {
        let at = self.slot.index();
        let (low, high) = halves(word);
        self.bar.write(regs::WORD_LOW::at(at), low.into());
        self.bar.write(regs::WORD_HIGH::at(at), high.into());
        let reasons = regs::ERRORS | regs::COMPLETED_OR_IDLE;
        self.bar.write(regs::REASONS::at(at), reasons.into());
        if self.credits {
            self.set_credit_mode();
        }
    }

    fn set_credit_mode(&self) {
        self.bar
            .write_reg(regs::CREDIT_MODE_SET::from(self.slot.bit()));
    }

    /// Starts it, with a descriptor. It must have stopped.
    pub(super) fn start(&self, descriptor: u64) {
        let at = self.slot.index();
        let (low, high) = halves(descriptor);
        self.bar.write(regs::FIRST_LOW::at(at), low.into());
        self.bar.write(regs::FIRST_HIGH::at(at), high.into());
        self.bar
            .write(regs::ADJACENT::at(at), regs::ADJACENT::zeroed());
        self.bar.write(regs::CONTROL::at(at), self.running());
    }

    /// The control word of a channel that runs: errors and what else is of interest is noted, and the
    /// descriptors that are done are counted in memory. A packet that is sent may have any length.
    fn running(&self) -> regs::CONTROL {
        let errors = match self.nature.stream && !self.nature.from_card {
            true => regs::ERRORS & !regs::LENGTH,
            false => regs::ERRORS,
        };
        regs::CONTROL::from(errors | regs::COMPLETED_OR_IDLE)
            .with_write_back(true)
            .with_run(true)
    }

    /// Lets it begin with so many more descriptors.
    pub(super) fn add_credits(&self, count: u32) {
        self.bar
            .write(regs::CREDITS::at(self.slot.index()), count.into());
    }

    /// Takes back all credits. It must have stopped, which should have done that.
    ///
    /// # Errors
    ///
    /// `EIO` if it does not give them back.
    pub(super) fn drop_credits(&self) -> Result {
        if !self.credits {
            return Ok(());
        }
        let none_left = || {
            let left = || self.bar.read(regs::CREDITS::at(self.slot.index()));
            (0..TRIES).any(|_| left().into_raw() == 0)
        };
        if none_left() {
            return Ok(());
        }
        self.bar
            .write_reg(regs::CREDIT_MODE_CLEAR::from(self.slot.bit()));
        self.set_credit_mode();
        none_left().then_some(()).ok_or(EIO)
    }

    /// Tells it to begin with no more descriptors.
    pub(super) fn halt(&self) {
        let run = regs::CONTROL_CLEAR::zeroed()
            .with_run(true)
            .with_fixed(true);
        self.bar
            .write(regs::CONTROL_CLEAR::at(self.slot.index()), run);
    }

    /// Lets it send the next message: one comes only when the first reason for it does.
    pub(super) fn ack(&self) {
        self.clear_status(regs::COMPLETED_OR_IDLE);
    }

    /// The same for an error, once it was seen.
    pub(super) fn ack_error(&self) {
        self.clear_status(regs::ERRORS);
    }

    fn clear_status(&self, bits: u32) {
        self.bar
            .write(regs::STATUS::at(self.slot.index()), bits.into());
    }
}

/// The lower and the upper half of an address.
fn halves(address: u64) -> (u32, u32) {
    (address as u32, (address >> 32) as u32)
}
