// SPDX-License-Identifier: MIT OR GPL-2.0

//! The commands, one a line, that change what the card does while it runs. Each has one
//! line for an answer, which begins with `ok` or `error`.

use std::fmt::Display;
use std::ops::Range;
use std::str::FromStr;

use pindma_xdma::{AxiError, BadWindow, Channel, Mode, Setting, Sink};

use crate::options::{switch, Answer};

use super::channel::named;
use super::machine::Machine;

/// All of them, for `help`.
pub const HELP: &str = "seed N | mode NAME ODDS [AMOUNT [CHANNEL]] | calm | modes | deeds NAME | \
    line N up|down | packet CHANNEL LENGTH [FIRST] | packets CHANNEL | \
    sink CHANNEL keep|discard|loopback | bad START LENGTH decode|slave | good | \
    switch NAME=VALUE | pardon on|off | faults | statistics [CHANNEL] | help";

/// One command.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Command {
    Seed(u64),
    Mode(Mode, Setting),
    Calm,
    Modes,
    Deeds(Mode),
    Line(u8, bool),
    Packet(u8, Vec<u8>),
    Packets(u8),
    Sink(u8, Sink),
    Bad(BadWindow),
    Good,
    Switch(Answer),
    Pardon(bool),
    Faults,
    Statistics(Option<Channel>),
    Help,
}

/// Carries out a line, and answers.
pub fn answer(line: &str, machine: &mut Machine) -> String {
    match parse(line) {
        Ok(command) => match carry_out(command, machine) {
            text if text.is_empty() => "ok".to_owned(),
            text => format!("ok {text}"),
        },
        Err(why) => format!("error: {why}"),
    }
}

fn parse(line: &str) -> Result<Command, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    Ok(match words[..] {
        ["seed", seed] => Command::Seed(number(seed)?),
        ["mode", name, odds] => Command::Mode(mode(name)?, setting(odds, "0", None)?),
        ["mode", name, odds, amount] => Command::Mode(mode(name)?, setting(odds, amount, None)?),
        ["mode", name, odds, amount, channel] => {
            Command::Mode(mode(name)?, setting(odds, amount, Some(channel))?)
        }
        ["calm"] => Command::Calm,
        ["modes"] => Command::Modes,
        ["deeds", name] => Command::Deeds(mode(name)?),
        ["line", line, state] => Command::Line(below(line, 16)?, choice(state, UP_OR_DOWN)?),
        ["packet", channel, length] => packet(channel, length, "0")?,
        ["packet", channel, length, first] => packet(channel, length, first)?,
        ["packets", channel] => Command::Packets(below(channel, 4)?),
        ["sink", channel, sink] => Command::Sink(below(channel, 4)?, choice(sink, SINKS)?),
        ["bad", start, length, error] => Command::Bad(BadWindow {
            addresses: range(start, length)?,
            error: choice(error, ERRORS)?,
        }),
        ["good"] => Command::Good,
        ["switch", answer] => Command::Switch(switch(answer)?),
        ["pardon", state] => Command::Pardon(choice(state, ON_OR_OFF)?),
        ["faults"] => Command::Faults,
        ["statistics"] => Command::Statistics(None),
        ["statistics", channel] => Command::Statistics(Some(named(channel)?)),
        ["help"] => Command::Help,
        _ => return Err(format!("'{line}' is none of: {HELP}")),
    })
}

fn carry_out(command: Command, machine: &mut Machine) -> String {
    let (card, bus) = machine.card();
    match command {
        Command::Seed(seed) => card.adversary().seed(seed),
        Command::Mode(mode, setting) => card.adversary().set(mode, setting),
        Command::Calm => card.adversary().calm(),
        Command::Modes => return joined(Mode::ALL),
        Command::Deeds(mode) => return card.adversary().deeds(mode).to_string(),
        Command::Line(line, high) => card.set_user_line(line, high, bus),
        Command::Packet(channel, packet) => card.push_packet(channel, &packet),
        Command::Packets(channel) => return packets(&card.take_packets(channel)),
        Command::Sink(channel, sink) => card.set_sink(channel, sink),
        Command::Bad(window) => machine.add_bad_window(window),
        Command::Good => machine.clear_bad_windows(),
        Command::Switch(answer) => answer.give(card.switches()),
        Command::Pardon(on) => machine.journal().pardon(on),
        Command::Faults => return faults(machine),
        Command::Statistics(None) => return machine.statistics(),
        Command::Statistics(Some(channel)) => return machine.channel_statistics(channel),
        Command::Help => return HELP.to_owned(),
    }
    String::new()
}

/// Rules with how often each was broken.
fn faults(machine: &mut Machine) -> String {
    let counts = machine.card().0.faults().counts();
    joined(counts.map(|(rule, count)| format!("{rule:?}={count}")))
}

/// Lengths of packets, each with what [`digest`] makes of its bytes.
fn packets(packets: &[Vec<u8>]) -> String {
    let one = |packet: &Vec<u8>| format!("{}:{:016x}", packet.len(), digest(packet));
    joined(packets.iter().map(one))
}

/// FNV-1a of 64 bits: a test can compute it in three lines.
fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    })
}

fn joined(items: impl IntoIterator<Item = impl Display>) -> String {
    let words: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    words.join(" ")
}

/// A packet whose bytes count up from `first`, modulo 251: no power of two, so that what
/// is moved by a page shows.
fn packet(channel: &str, length: &str, first: &str) -> Result<Command, String> {
    const LONGEST: u64 = 16 << 20;
    let (length, first): (u64, u64) = (below(length, LONGEST + 1)?, below(first, 251)?);
    let bytes = first..first + length;
    let packet = bytes.map(|byte| (byte % 251) as u8).collect();
    Ok(Command::Packet(below(channel, 4)?, packet))
}

fn setting(odds: &str, amount: &str, only: Option<&str>) -> Result<Setting, String> {
    Ok(Setting {
        odds: below(odds, 1001)?,
        amount: number(amount)?,
        only: only.map(named).transpose()?,
    })
}

fn mode(name: &str) -> Result<Mode, String> {
    Mode::from_str(name).map_err(|error| format!("{error}; see modes"))
}

fn range(start: &str, length: &str) -> Result<Range<u64>, String> {
    let start = number(start)?;
    let end = start.checked_add(number(length)?);
    Ok(start..end.ok_or("the window goes past the end of the addresses")?)
}

type Choices<T> = &'static [(&'static str, T)];

const UP_OR_DOWN: Choices<bool> = &[("up", true), ("down", false)];
const ON_OR_OFF: Choices<bool> = &[("on", true), ("off", false)];
const ERRORS: Choices<AxiError> = &[("decode", AxiError::Decode), ("slave", AxiError::Slave)];
const SINKS: Choices<Sink> = &[
    ("keep", Sink::Keep),
    ("discard", Sink::Discard),
    ("loopback", Sink::Loopback),
];

fn choice<T: Copy>(word: &str, choices: Choices<T>) -> Result<T, String> {
    let found = choices.iter().find(|(name, _)| *name == word);
    found.map(|(_, value)| *value).ok_or_else(|| {
        format!(
            "'{word}' is none of {}",
            joined(choices.iter().map(|(name, _)| name))
        )
    })
}

/// Decimal, or hexadecimal after `0x`.
pub fn number(word: &str) -> Result<u64, String> {
    match word.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => word.parse(),
    }
    .map_err(|_| format!("'{word}' is no number"))
}

fn below<T: TryFrom<u64>>(word: &str, limit: u64) -> Result<T, String> {
    let value = number(word)?;
    T::try_from(value)
        .ok()
        .filter(|_| value < limit)
        .ok_or_else(|| format!("{word} is not below {limit}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pindma_xdma::{BusMasterOff, Config};

    fn machine() -> Machine {
        Machine::new(Config::default()).expect("the default can be built")
    }

    #[test]
    fn numbers_are_decimal_or_hexadecimal() {
        assert_eq!(parse("seed 17"), Ok(Command::Seed(17)));
        assert_eq!(parse("  seed   0x1F "), Ok(Command::Seed(31)));
        assert_eq!(parse("seed x"), Err("'x' is no number".into()));
    }

    #[test]
    fn every_mode_can_be_named() {
        for mode in Mode::ALL {
            let setting = Setting {
                odds: 10,
                amount: 500,
                only: Some(Channel::C2h(1)),
            };
            let line = format!("mode {mode} 10 500 c2h1");
            assert_eq!(parse(&line), Ok(Command::Mode(mode, setting)));
        }
        assert!(parse("mode no-such 1").is_err());
        assert!(parse("mode busy-lag 1001").is_err());
    }

    #[test]
    fn bytes_of_a_packet_count_up() {
        let Ok(Command::Packet(2, bytes)) = parse("packet 2 4 249") else {
            panic!("it is a packet");
        };
        assert_eq!(bytes, [249, 250, 0, 1]);
        assert!(parse("packet 4 1").is_err());
        assert!(parse("packet 0 0x1000001").is_err());
    }

    #[test]
    fn windows_lines_and_sinks() {
        let window = BadWindow {
            addresses: 0x1000..0x1010,
            error: AxiError::Slave,
        };
        assert_eq!(parse("bad 0x1000 16 slave"), Ok(Command::Bad(window)));
        assert!(parse("bad 1 0xffffffffffffffff slave").is_err());
        assert_eq!(parse("line 15 up"), Ok(Command::Line(15, true)));
        assert!(parse("line 16 up").is_err());
        let error = parse("sink 0 bin").expect_err("there is no such");
        assert_eq!(error, "'bin' is none of keep discard loopback");
    }

    #[test]
    fn answers_say_whether_it_went_well() {
        let mut machine = machine();
        assert_eq!(answer("calm", &mut machine), "ok");
        assert_eq!(answer("deeds lost-message", &mut machine), "ok 0");
        assert!(answer("statistics", &mut machine).starts_with("ok violations=0 faults=0 "));
        let one = answer("statistics c2h0", &mut machine);
        assert!(one.starts_with("ok reads=0 writes=0 "), "{one}");
        assert_eq!(answer("switch bus-master-off=fail", &mut machine), "ok");
        let switches = machine.card().0.switches();
        assert_eq!(switches.bus_master_off, BusMasterOff::Fail);
        for line in [
            "",
            "explode",
            "switch x=y",
            "statistics x",
            "seed",
            "line 1",
        ] {
            assert!(answer(line, &mut machine).starts_with("error: "), "{line}");
        }
    }

    #[test]
    fn digests_are_those_of_fnv() {
        assert_eq!(digest(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(digest(b"a"), 0xaf63_dc4c_8601_ec8c);
    }

    #[test]
    fn help_names_every_command() {
        for part in HELP.split(" | ") {
            let name = part.split(' ').next().unwrap_or_default();
            let error = parse(&format!("{name} ? ? ? ? ?")).expect_err("too many words");
            assert!(error.contains("is none of"), "{error}");
        }
    }
}
