// SPDX-License-Identifier: MIT OR GPL-2.0

//! Questions that neither the guide nor a driver answers for sure. Each is a switch, so
//! that a driver can be tried with every answer; the default is the one that a driver on
//! real cards relies on, or that its author saw.

/// One answer to each open question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switches {
    /// Bus mastering goes off in mid-run.
    pub bus_master_off: BusMasterOff,
    /// Run goes to 0 while descriptors are fetched but not started.
    pub unstarted_at_stop: UnstartedAtStop,
    /// Whether a stream's descriptor without data keeps its channel busy after Run 0.
    pub starved_stream: StarvedStream,
    /// A descriptor of no bytes.
    pub zero_length: ZeroLength,
    /// A descriptor without magic while `ie_magic` is 0.
    pub wrong_magic: WrongMagic,
    /// The addresses that set and clear bits are read.
    pub alias_reads: AliasReads,
    /// Credits that were given before Run was set.
    pub credits_before_run: CreditsBeforeRun,
    /// Run set again after an error stopped the channel.
    pub restart_after_error: RestartAfterError,
    /// Whether `nxt_adj` counts in credit mode; if not, each descriptor is a block.
    pub adjacent_with_credits: bool,
    /// Whether the word of poll mode is also written while the channel may interrupt.
    pub word_with_interrupts: bool,
    /// Whether a channel that waits for credits shows busy.
    pub busy_without_credits: bool,
    /// Whether the flush timeout also closes a stream's descriptor that got no data.
    pub flush_empty: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Switches {
            bus_master_off: BusMasterOff::default(),
            unstarted_at_stop: UnstartedAtStop::default(),
            starved_stream: StarvedStream::default(),
            zero_length: ZeroLength::default(),
            wrong_magic: WrongMagic::default(),
            alias_reads: AliasReads::default(),
            credits_before_run: CreditsBeforeRun::default(),
            restart_after_error: RestartAfterError::default(),
            adjacent_with_credits: true,
            word_with_interrupts: true,
            busy_without_credits: false,
            flush_empty: false,
        }
    }
}

/// Requests while bus mastering is off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BusMasterOff {
    /// They wait until it is on again, or until Run 0 drops them.
    #[default]
    HoldUntilStopped,
    /// They wait until it is on again; busy stays 1.
    Hold,
    /// They fail as unsupported.
    Fail,
}

/// Fetched descriptors when Run goes to 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnstartedAtStop {
    /// Only the one in work ends.
    #[default]
    Dropped,
    /// All that were fetched are done.
    Done,
}

/// A stream's descriptor that waits for data when Run goes to 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StarvedStream {
    /// Busy stays 1 until data comes or the card is reset.
    #[default]
    StaysBusy,
    /// The descriptor is given up and busy falls.
    GivesUp,
}

/// A descriptor of length 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ZeroLength {
    /// It moves nothing and is done.
    #[default]
    Done,
    /// The channel stops with `invalid_length`.
    Stops,
    /// It is never done.
    Hangs,
}

/// A wrong magic without `ie_magic`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WrongMagic {
    /// The channel stops and says nothing.
    #[default]
    StopsSilently,
    /// The channel stays busy.
    Hangs,
}

/// Reads of W1S and W1C addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AliasReads {
    /// The register's value.
    #[default]
    Value,
    /// 0.
    Zero,
}

/// Credits that came before Run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CreditsBeforeRun {
    /// They count.
    #[default]
    Kept,
    /// The rising edge of Run clears them.
    Lost,
}

/// Run after an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RestartAfterError {
    /// Starts anew, from whatever descriptor the registers name.
    #[default]
    Works,
    /// Is ignored until the card is reset.
    NeedsReset,
}
