// SPDX-License-Identifier: GPL-2.0

//! The model of XDMA as the guest sees it without any driver, or beside it: through sysfs.

use std::fs::{self, File, OpenOptions};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use crate::check::{check, Fail, Outcome};
use crate::module::{self, pause};
use crate::pci;
use crate::sys::Mapping;
use crate::table::Pace;

const DEVICES: &str = "/sys/bus/pci/devices";
const VENDOR: &str = "0x10ee";
const IDS: &str = "10ee 9038";
const UIO: &str = "/sys/bus/pci/drivers/uio_pci_generic";

const COMMAND: u64 = 0x04;
const COMMAND_MEMORY: u16 = 1 << 1;
const COMMAND_MASTER: u16 = 1 << 2;
const COMMAND_NO_LINE: u16 = 1 << 10;
const CAPABILITIES: u64 = 0x34;
/// The BAR of the user's logic; the DMA engine's is where the table of MSI-X is.
const USER: u32 = 0;
const CAPABILITY_MSIX: u8 = 0x11;

/// The card has no driver for as long as this lives.
pub(crate) struct Bare(());

impl Bare {
    /// Takes the card from its driver, if that is loaded.
    pub(crate) fn begin() -> Outcome<Option<Bare>> {
        if !module::loaded() {
            return Ok(None);
        }
        pci::unbind()?;
        Ok(Some(Bare(())))
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // Without its driver no other case would pass.
        let _ = pci::bind();
    }
}

/// How long a descriptor takes on a card that is slow, in ns: as long as a job of edu.
const SLOW: u64 = 100_000_000;

/// Has requests of the card fail without bus mastering, or wait until it is back.
pub(crate) fn set_refusal(fails: bool) -> Outcome {
    let answer = if fails { "fail" } else { "hold-until-stopped" };
    let card = Card::find()?;
    card.command(&format!("switch bus-master-off={answer}"))?;
    Ok(())
}

/// Has the card work at this pace.
pub(crate) fn set_pace(pace: Pace) -> Outcome {
    let (slow, stubborn) = match pace {
        Pace::Fast => (0, 0),
        Pace::Slow => (1000, 0),
        Pace::Stubborn => (1000, 1000),
    };
    let card = Card::find()?;
    card.command(&format!("mode slow {slow} {SLOW}"))?;
    card.command(&format!("mode ignore-stop {stubborn} {SLOW}"))?;
    Ok(())
}

/// The card on its bus.
pub(crate) struct Card {
    path: PathBuf,
    config: File,
}

impl Card {
    /// Finds the card, and has it answer on its BARs.
    pub(crate) fn find() -> Outcome<Card> {
        for entry in fs::read_dir(DEVICES)?.flatten() {
            let path = entry.path();
            let vendor = fs::read_to_string(path.join("vendor")).unwrap_or_default();
            if vendor.trim() == VENDOR {
                let config = path.join("config");
                let config = OpenOptions::new().read(true).write(true).open(config)?;
                let card = Card { path, config };
                card.enable()?;
                return Ok(card);
            }
        }
        Err(Fail::new("no XDMA card on the bus"))
    }

    /// A driver has done so already, and then nobody else may.
    fn enable(&self) -> Outcome {
        if self.word(COMMAND)? & COMMAND_MEMORY == 0 {
            fs::write(self.path.join("enable"), "1")?;
        }
        Ok(())
    }

    /// Lets it read and write memory.
    pub(crate) fn master(&self) -> Outcome {
        let command = self.word(COMMAND)? | COMMAND_MASTER;
        Ok(self.config.write_all_at(&command.to_le_bytes(), COMMAND)?)
    }

    /// Lets it raise its line.
    pub(crate) fn unmask_line(&self) -> Outcome {
        let command = self.word(COMMAND)? & !COMMAND_NO_LINE;
        Ok(self.config.write_all_at(&command.to_le_bytes(), COMMAND)?)
    }

    /// Two bytes of configuration space.
    pub(crate) fn word(&self, offset: u64) -> Outcome<u16> {
        let mut bytes = [0; 2];
        self.config.read_exact_at(&mut bytes, offset)?;
        Ok(u16::from_le_bytes(bytes))
    }

    /// Four bytes of it.
    pub(crate) fn long(&self, offset: u64) -> Outcome<u32> {
        let low = u32::from(self.word(offset)?);
        Ok(low | (u32::from(self.word(offset + 2)?) << 16))
    }

    /// Offset of a capability.
    pub(crate) fn capability(&self, wanted: u8) -> Outcome<u64> {
        let mut offset = u64::from(self.word(CAPABILITIES)? & 0xfc);
        while offset != 0 {
            let [id, next] = self.word(offset)?.to_le_bytes();
            if id == wanted {
                return Ok(offset);
            }
            offset = u64::from(next & 0xfc);
        }
        Err(Fail::new(format!("no capability {wanted:#x}")))
    }

    /// Has uio drive the card, for its interrupts by line.
    pub(crate) fn uio(&self) -> Outcome<File> {
        module::load_extra()?;
        fs::write(format!("{UIO}/new_id"), IDS)?;
        for _ in 0..500 {
            if let Ok(file) = OpenOptions::new().read(true).write(true).open("/dev/uio0") {
                return Ok(file);
            }
            pause(10);
        }
        Err(Fail::new("no /dev/uio0"))
    }

    /// Takes the card from uio.
    pub(crate) fn leave_uio(&self) -> Outcome {
        fs::write(format!("{UIO}/remove_id"), IDS)?;
        let name = self.path.file_name().unwrap_or_default();
        Ok(fs::write(format!("{UIO}/unbind"), name.as_encoded_bytes())?)
    }

    /// The registers of the DMA engine.
    pub(crate) fn engine(&self) -> Outcome<Registers> {
        let table = self.long(self.capability(CAPABILITY_MSIX)? + 4)?;
        self.bar(table & 7)
    }

    /// The registers of the user's logic.
    pub(crate) fn user(&self) -> Outcome<Registers> {
        self.bar(USER)
    }

    /// Some of the numbers that the card counts, of one moment.
    pub(crate) fn counts<const N: usize>(&self, names: [&str; N]) -> Outcome<[u64; N]> {
        let all = self.command("statistics")?;
        let mut counts = [0; N];
        for (count, name) in counts.iter_mut().zip(names) {
            let words = all.split_whitespace();
            let value = words
                .filter_map(|word| word.split_once('='))
                .find_map(|(key, value)| (key == name).then_some(value));
            let number = value.and_then(|value| value.parse().ok());
            *count = number.ok_or_else(|| Fail::new(format!("no {name} in '{all}'")))?;
        }
        Ok(counts)
    }

    fn bar(&self, number: u32) -> Outcome<Registers> {
        let path = self.path.join(format!("resource{number}"));
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let len = file.metadata()?.len() as usize;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let memory = Mapping::new(len, protection, libc::MAP_SHARED, Some(file.as_fd()))?;
        Ok(Registers(memory))
    }

    /// Has the card carry out a command of its control socket, see docs/card.md; returns
    /// its answer.
    pub(crate) fn command(&self, text: &str) -> Outcome<String> {
        const PAGE: usize = 4096;
        let user = self.user()?;
        let mailbox = user.0.len() - PAGE;
        for (index, part) in text.as_bytes().chunks(4).enumerate() {
            let mut bytes = [0; 4];
            bytes[..part.len()].copy_from_slice(part);
            user.write(mailbox + 0x100 + 4 * index, u32::from_le_bytes(bytes));
        }
        user.write(mailbox + 4, text.len() as u32);
        let len = user.read(mailbox + 4) as usize;
        let words = (0..len.div_ceil(4)).map(|index| user.read(mailbox + 0x800 + 4 * index));
        let mut answer: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
        answer.truncate(len);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        check(
            answer.starts_with("ok"),
            format!("the card answers '{text}' with '{answer}'"),
        )?;
        Ok(answer.trim_start_matches("ok").trim().to_owned())
    }
}

/// What the card has seen that must not be, and is told of once.
pub(crate) struct Watcher([u64; 2]);

impl Watcher {
    /// From now on.
    pub(crate) fn find() -> Outcome<Watcher> {
        Watcher::look().map(Watcher)
    }

    /// What is new. A card that does not answer has other cases that tell.
    pub(crate) fn complaint(&mut self) -> Option<String> {
        let now = Watcher::look().ok()?;
        let [violations, faults] = [0, 1].map(|kind| now[kind].saturating_sub(self.0[kind]));
        self.0 = now;
        (violations + faults > 0).then(|| {
            format!("the card: {violations} accesses outside of maps, {faults} broken rules")
        })
    }

    /// Accesses outside of what is mapped, and rules that the driver broke.
    fn look() -> Outcome<[u64; 2]> {
        Card::find()?.counts(["violations", "faults"])
    }
}

/// Registers behind a BAR, of four bytes each.
pub(crate) struct Registers(Mapping);

impl Registers {
    pub(crate) fn read(&self, offset: usize) -> u32 {
        self.0.read_word(offset)
    }

    pub(crate) fn write(&self, offset: usize, value: u32) {
        self.0.write_word(offset, value);
    }
}

/// Starts a channel at a descriptor where nothing is mapped, by hand. The engine says so in its
/// status; that the card noticed as well is for the runner to see.
pub(crate) fn stray() -> Outcome {
    const CONTROL: usize = 0x04;
    const STATUS: usize = 0x40;
    const FIRST_DESCRIPTOR: usize = 0x4080;
    /// Run, and all errors are noted.
    const RUN: u32 = 0x00f8_3e1f;
    const UNSUPPORTED: u32 = 1 << 19;
    let card = Card::find()?;
    card.master()?;
    let engine = card.engine()?;
    for (register, value) in [(0, 0x1000), (4, 0), (8, 0)] {
        engine.write(FIRST_DESCRIPTOR + register, value);
    }
    engine.write(CONTROL, RUN);
    for _ in 0..500 {
        if engine.read(STATUS) & UNSUPPORTED != 0 {
            return Ok(());
        }
        pause(10);
    }
    let status = engine.read(STATUS);
    Err(Fail::new(format!("the engine's status is {status:#x}")))
}
