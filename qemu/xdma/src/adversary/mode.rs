// SPDX-License-Identifier: MIT OR GPL-2.0

//! The ways to misbehave, and their names.

use std::fmt;
use std::str::FromStr;

/// One way to misbehave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    /// A descriptor takes `amount` ns.
    Slow,
    /// A descriptor starts up to `amount` ns late.
    DelayDescriptor,
    /// A fetch starts up to `amount` ns late.
    DelayFetch,
    /// Record, count, word and message of a descriptor come up to `amount` ns late.
    DelayWriteBack,
    /// A message comes up to `amount` ns late.
    DelayMessage,
    /// Channels go on in random order; never the descriptors of one.
    Reorder,
    /// Busy stays 1 for up to `amount` reads after the end.
    BusyLag,
    /// A message is lost.
    LostMessage,
    /// A message comes after the channel's next one.
    LateMessage,
    /// A message comes twice.
    DuplicateMessage,
    /// A message comes without cause, after a write to a register or a step.
    SpuriousMessage,
    /// A message comes with another vector.
    WrongVector,
    /// A message comes `amount` ns before record and word are in memory.
    EarlyMessage,
    /// The count register is wrong; `amount` as in [`Mode::WrongWord`].
    WrongCount,
    /// The word is wrong: 1 too low, 2 too high, 3 beyond any ring, 4 goes back, 5 noise,
    /// 0 one of these.
    WrongWord,
    /// The word is not written.
    MissingWord,
    /// Half of the word is written.
    TornWord,
    /// The word is nothing but the error bit.
    ErrorWord,
    /// A record tells less than came.
    ShortRecord,
    /// A record tells of 0 bytes.
    EmptyRecord,
    /// A record tells of more bytes than the buffer has.
    LongRecord,
    /// A record is not written.
    MissingRecord,
    /// A record has no magic.
    BlankRecord,
    /// A record tells of an end of packet that was none.
    ExtraEnd,
    /// A good descriptor is said to lack its magic.
    MagicClaim,
    /// A good fetch is said to have failed.
    FetchClaim,
    /// An error is told and the channel goes on.
    ErrorGoesOn,
    /// One more descriptor after Run 0.
    RunOn,
    /// Run 0 is ignored for `amount` ns.
    IgnoreStop,
    /// Busy never falls until a reset. A descriptor in work when Run goes to 0 is never
    /// done, and its memory stays in flight.
    NeverIdle,
    /// Credits read back wrong.
    WrongCredits,
    /// Credits stay after Run 0.
    StuckCredits,
    /// From the `amount`th access on all is ones, and the card is gone until a reset.
    AllOnes,
    /// Reads are ones now and then.
    SomeOnes,
    /// From the `amount`th access on all is zeros: switched off until a reset.
    AllZeros,
    /// Writes into a finished buffer `amount` ns later.
    WroteAfterDone,
    /// A descriptor done is followed by a write behind its range on the host, to the
    /// page `amount` pages further on.
    ForeignWrite,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, letter) in format!("{self:?}").char_indices() {
            if place > 0 && letter.is_ascii_uppercase() {
                f.write_str("-")?;
            }
            write!(f, "{}", letter.to_ascii_lowercase())?;
        }
        Ok(())
    }
}

/// A text that names no mode.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}: no such mode")]
pub struct UnknownMode(String);

impl FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(text: &str) -> Result<Self, UnknownMode> {
        let found = Mode::ALL.iter().find(|mode| mode.to_string() == text);
        found.copied().ok_or_else(|| UnknownMode(text.to_owned()))
    }
}

impl Mode {
    /// Every mode.
    pub const ALL: [Mode; 37] = [
        Mode::Slow,
        Mode::DelayDescriptor,
        Mode::DelayFetch,
        Mode::DelayWriteBack,
        Mode::DelayMessage,
        Mode::Reorder,
        Mode::BusyLag,
        Mode::LostMessage,
        Mode::LateMessage,
        Mode::DuplicateMessage,
        Mode::SpuriousMessage,
        Mode::WrongVector,
        Mode::EarlyMessage,
        Mode::WrongCount,
        Mode::WrongWord,
        Mode::MissingWord,
        Mode::TornWord,
        Mode::ErrorWord,
        Mode::ShortRecord,
        Mode::EmptyRecord,
        Mode::LongRecord,
        Mode::MissingRecord,
        Mode::BlankRecord,
        Mode::ExtraEnd,
        Mode::MagicClaim,
        Mode::FetchClaim,
        Mode::ErrorGoesOn,
        Mode::RunOn,
        Mode::IgnoreStop,
        Mode::NeverIdle,
        Mode::WrongCredits,
        Mode::StuckCredits,
        Mode::AllOnes,
        Mode::SomeOnes,
        Mode::AllZeros,
        Mode::WroteAfterDone,
        Mode::ForeignWrite,
    ];
}
