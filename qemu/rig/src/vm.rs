// SPDX-License-Identifier: GPL-2.0

//! One run of one virtual machine, from start to power-off or to the moment
//! when it is given up.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use pindma_selftests::leg::Leg;

use crate::ktap::{HEADER, SENTINEL};
use crate::machine::{arguments, Boot};
use crate::mode::Mode;
use crate::model::{self, Model};

/// How long a guest may take: for hangs only, no test depends on them.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Without a new byte in any log, before the KTAP header.
    pub boot: Duration,
    /// The same, after it.
    pub silence: Duration,
    /// In all; it is silence that shows a hang.
    pub total: Duration,
}

impl Patience {
    /// For a run that is expected to end. The guest kills a case that hangs after
    /// 300 s of its own time and goes on; this comes later.
    pub const NORMAL: Patience = Patience {
        boot: Duration::from_secs(420),
        silence: Duration::from_secs(420),
        total: Duration::from_secs(3600),
    };

    /// For a kernel that checks all it does.
    pub const LONG: Patience = Patience {
        boot: Duration::from_secs(900),
        silence: Duration::from_secs(900),
        total: Duration::from_secs(10_800),
    };

    /// The same, for a run that takes so much longer.
    pub fn and_minutes(self, minutes: u32) -> Patience {
        let longer = Duration::from_secs(60 * u64::from(minutes));
        Patience {
            total: self.total + longer,
            ..self
        }
    }
}

/// After the sentinel only the power-off is left.
const POWER_OFF: Duration = Duration::from_secs(180);
const POLL: Duration = Duration::from_millis(50);

/// How a machine ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// QEMU ended by itself; a panic looks the same.
    PoweredOff,
    /// It was killed, and why.
    Hung(String),
    /// QEMU could not run or ended with an error, with what it said.
    Failed(String),
}

/// The logs of a run.
#[derive(Debug, Default)]
pub struct Logs {
    /// The kernel's console.
    pub console: String,
    /// KTAP, or the demo's output.
    pub results: String,
    /// QEMU's own: guest errors.
    pub qemu: String,
    /// The model's of the card, where there is one.
    pub model: Option<String>,
}

impl Logs {
    /// Reads what a run left in its directory; what is not there is empty.
    pub fn read(directory: &Path) -> Logs {
        let read = |name: &str| -> Option<String> {
            let bytes = fs::read(directory.join(name)).ok()?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        };
        Logs {
            console: read("console.log").unwrap_or_default(),
            results: read("results.log").unwrap_or_default(),
            qemu: read("qemu.log").unwrap_or_default(),
            model: read(model::LOG),
        }
    }
}

/// A run to make.
pub struct Run<'a> {
    /// Which machine.
    pub leg: Leg,
    /// What its guest does.
    pub mode: Mode,
    /// Which cases, empty for all.
    pub filter: &'a str,
    /// Its files.
    pub boot: Boot<'a>,
    /// When to give up.
    pub patience: Patience,
}

impl Run<'_> {
    /// Boots the machine and waits for its end. `on_results` gets what the guest
    /// writes to its second port, as it comes.
    pub fn go(&self, mut on_results: impl FnMut(&[u8])) -> io::Result<(Ending, Logs)> {
        let directory = self.boot.logs;
        fs::create_dir_all(directory)?;
        for name in ["console.log", "results.log", "qemu.log"] {
            File::create(directory.join(name))?;
        }
        let model = Model::of_leg(self.leg, self.mode, &self.boot)?;
        let words = arguments(self.leg, self.mode, self.filter, &self.boot);
        let mut guest = Guest::start(&words, directory)?;
        let ending = guest.wait(self.patience, &mut on_results)?;
        drop(guest);
        model.map(Model::end).transpose()?;
        Ok((ending, Logs::read(directory)))
    }
}

/// A running QEMU and what is known of its progress. Dropping it ends it.
struct Guest<'a> {
    qemu: Child,
    directory: &'a Path,
    results: Tail,
    seen: u64,
    progress: Instant,
    sentinel: Option<Instant>,
}

impl<'a> Guest<'a> {
    fn start(words: &[std::ffi::OsString], directory: &'a Path) -> io::Result<Guest<'a>> {
        let said = File::create(directory.join("qemu.err"))?;
        let qemu = Command::new("qemu-system-x86_64")
            .args(words)
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(said.try_clone()?)
            .stderr(said)
            .spawn()?;
        Ok(Guest {
            qemu,
            directory,
            results: Tail::open(&directory.join("results.log"))?,
            seen: 0,
            progress: Instant::now(),
            sentinel: None,
        })
    }

    fn wait(
        &mut self,
        patience: Patience,
        on_results: &mut impl FnMut(&[u8]),
    ) -> io::Result<Ending> {
        let begin = Instant::now();
        loop {
            let status = self.qemu.try_wait()?;
            self.look(on_results)?;
            if let Some(status) = status {
                return Ok(self.ended(status));
            }
            if let Some(why) = self.overdue(begin, patience) {
                return Ok(Ending::Hung(why));
            }
            sleep(POLL);
        }
    }

    /// Notes progress, of which every new byte in a log is a sign.
    fn look(&mut self, on_results: &mut impl FnMut(&[u8])) -> io::Result<()> {
        let new = self.results.read()?;
        if !new.is_empty() {
            on_results(&new);
        }
        let seen = fs::metadata(self.directory.join("console.log"))?.len() + self.results.position;
        if seen != self.seen {
            self.seen = seen;
            self.progress = Instant::now();
        }
        if self.sentinel.is_none() && self.results.last_line_is(SENTINEL) {
            self.sentinel = Some(Instant::now());
        }
        Ok(())
    }

    fn overdue(&self, begin: Instant, patience: Patience) -> Option<String> {
        if self
            .sentinel
            .is_some_and(|since| since.elapsed() > POWER_OFF)
        {
            return Some(format!(
                "no power-off {} s after its last line",
                POWER_OFF.as_secs()
            ));
        }
        let silence = if self.results.begun {
            patience.silence
        } else {
            patience.boot
        };
        if self.progress.elapsed() > silence {
            return Some(format!("no output for {} s", silence.as_secs()));
        }
        (begin.elapsed() > patience.total)
            .then(|| format!("not done after {} s", patience.total.as_secs()))
    }

    fn ended(&self, status: ExitStatus) -> Ending {
        if status.success() {
            return Ending::PoweredOff;
        }
        let said = fs::read_to_string(self.directory.join("qemu.err")).unwrap_or_default();
        Ending::Failed(format!("{status}: {}", said.trim()))
    }
}

impl Drop for Guest<'_> {
    fn drop(&mut self) {
        // Fails only if it has ended already.
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }
}

/// A file that somebody else appends to.
struct Tail {
    file: File,
    position: u64,
    /// The last bytes, enough to hold the sentinel or the header.
    end: Vec<u8>,
    /// The header has come.
    begun: bool,
}

impl Tail {
    fn open(path: &Path) -> io::Result<Tail> {
        Ok(Tail {
            file: File::open(path)?,
            position: 0,
            end: Vec::new(),
            begun: false,
        })
    }

    fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut new = Vec::new();
        self.file.seek(SeekFrom::Start(self.position))?;
        self.position += self.file.read_to_end(&mut new)? as u64;
        self.note(&new);
        Ok(new)
    }

    fn note(&mut self, new: &[u8]) {
        self.end.extend_from_slice(new);
        self.begun |= String::from_utf8_lossy(&self.end)
            .lines()
            .any(|line| line.starts_with(HEADER));
        let surplus = self.end.len().saturating_sub(256);
        self.end.drain(..surplus);
    }

    fn last_line_is(&self, wanted: &str) -> bool {
        let end = String::from_utf8_lossy(&self.end);
        end.ends_with('\n')
            && end
                .lines()
                .next_back()
                .is_some_and(|line| line.trim_end() == wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_seen_also_in_two_pieces() {
        let mut tail = Tail::open(Path::new("/dev/null")).expect("it can be read");
        for piece in ["# Linux version 7\r\n# leg direct\r\nKTAP ver", "sion"] {
            tail.note(piece.as_bytes());
            assert!(!tail.begun);
        }
        tail.note(b" 1\r\n");
        assert!(tail.begun);
        tail.note(&[b'\n'; 1000]);
        assert!(tail.begun);
    }
}
