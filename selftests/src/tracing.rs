// SPDX-License-Identifier: GPL-2.0

//! The driver's tracepoints, as tools see them.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::check::{check, Fail, Outcome};
use crate::os;

const TRACEFS: &str = "/sys/kernel/tracing";
/// Where the driver's events are, beneath that and beneath each instance of it.
const EVENTS: &str = "events/pindma";

/// One event: its name, without `pindma_` if it is the driver's, and its fields as text.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) name: String,
    fields: String,
}

impl Event {
    /// Whether its text begins so.
    pub(crate) fn begins(&self, text: &str) -> bool {
        self.fields.starts_with(text)
    }

    /// A field's value.
    pub(crate) fn field(&self, name: &str) -> Outcome<&str> {
        let prefix = format!("{name}=");
        self.fields
            .split_whitespace()
            .find_map(|field| field.strip_prefix(&prefix))
            .ok_or_else(|| Fail::new(format!("no field {name} in {self:?}")))
    }
}

/// Tracepoints of the driver, switched on for as long as it lives.
pub(crate) struct Tracing {
    folder: PathBuf,
    /// Another event that is traced as well, by its folder.
    other: Option<&'static str>,
}

impl Tracing {
    /// Switches all of them on, with nothing recorded so far.
    pub(crate) fn start() -> Outcome<Tracing> {
        mount()?;
        let tracing = Tracing {
            folder: PathBuf::from(TRACEFS),
            other: None,
        };
        // Perhaps left by a case that was killed.
        tracing.write("set_event_pid", "")?;
        tracing.write("trace", "")?;
        tracing.write(&format!("{EVENTS}/enable"), "1")?;
        Ok(tracing)
    }

    /// The same, and one of the kernel's, such as `intel_iommu/qi_submit`.
    pub(crate) fn start_with(other: &'static str) -> Outcome<Tracing> {
        let mut tracing = Tracing::start()?;
        tracing.other = Some(other);
        tracing.write(&format!("events/{other}/enable"), "1")?;
        Ok(tracing)
    }

    /// Switches only `names` on, for every process, whatever else is traced.
    pub(crate) fn beside(names: &[&str]) -> Outcome<Tracing> {
        mount()?;
        let folder = Path::new(TRACEFS).join("instances/pindma");
        if !folder.exists() {
            fs::create_dir(&folder)?;
        }
        let tracing = Tracing {
            folder,
            other: None,
        };
        tracing.write(&format!("{EVENTS}/enable"), "0")?;
        tracing.write("trace", "")?;
        for name in names {
            tracing.write(&format!("{EVENTS}/pindma_{name}/enable"), "1")?;
        }
        Ok(tracing)
    }

    /// What was recorded and not taken yet.
    ///
    /// # Errors
    ///
    /// If events were lost, because there was no room for them.
    pub(crate) fn take(&self) -> Outcome<Vec<Event>> {
        let path = self.folder.join("trace_pipe");
        let pipe = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(&path)
            .map_err(|e| Fail::new(format!("{}: {e}", path.display())))?;
        let text = read_all(&pipe)?;
        check(!text.contains(" EVENTS]"), "events were lost")?;
        Ok(text.lines().filter_map(event).collect())
    }

    /// What was recorded, in order.
    pub(crate) fn events(&self) -> Outcome<Vec<Event>> {
        let text = fs::read_to_string(self.folder.join("trace"))?;
        Ok(text.lines().filter_map(event).collect())
    }

    fn write(&self, file: &str, text: &str) -> Outcome {
        let path = self.folder.join(file);
        fs::write(&path, text).map_err(|e| Fail::new(format!("{}: {e}", path.display())))
    }
}

impl Drop for Tracing {
    fn drop(&mut self) {
        // A test that fails here has failed already, or leaves more in the log.
        let _ = self.write(&format!("{EVENTS}/enable"), "0");
        if let Some(other) = self.other {
            let _ = self.write(&format!("events/{other}/enable"), "0");
        }
        if self.folder != Path::new(TRACEFS) {
            let _ = fs::remove_dir(&self.folder);
        }
    }
}

/// Functions of the kernel that are watched for as long as it lives, in the thread that
/// has made it.
pub(crate) struct Probes {
    folder: PathBuf,
    names: Vec<String>,
}

impl Probes {
    pub(crate) fn of_this_thread(functions: &[&str]) -> Outcome<Probes> {
        mount()?;
        let folder = Path::new(TRACEFS).join("instances/probes");
        let mut probes = Probes {
            names: Vec::new(),
            folder,
        };
        // Perhaps left by a case that was killed.
        if !probes.folder.exists() {
            fs::create_dir(&probes.folder)?;
        }
        let only = format!("common_pid == {}", os::thread_id());
        for function in functions {
            let name = format!("pindma_{function}");
            append(&format!("p:probes/{name} {function}"))?;
            probes.names.push(name);
        }
        for name in &probes.names {
            let event = probes.folder.join("events/probes").join(name);
            fs::write(event.join("filter"), &only)?;
            fs::write(event.join("enable"), "1")?;
        }
        Ok(probes)
    }

    /// How often they were called.
    pub(crate) fn hits(&self) -> Outcome<usize> {
        let text = fs::read_to_string(self.folder.join("trace"))?;
        let calls = text.lines().filter(|line| line.contains(": pindma_"));
        Ok(calls.count())
    }
}

impl Drop for Probes {
    fn drop(&mut self) {
        for name in &self.names {
            let enable = self.folder.join("events/probes").join(name).join("enable");
            // What is left is taken by the next.
            let _ = fs::write(enable, "0");
        }
        let _ = fs::remove_dir(&self.folder);
        for name in &self.names {
            let _ = append(&format!("-:probes/{name}"));
        }
    }
}

/// Adds a line to the list of probes.
fn append(line: &str) -> Outcome {
    let path = Path::new(TRACEFS).join("kprobe_events");
    let mut list = OpenOptions::new().append(true).open(&path)?;
    std::io::Write::write_all(&mut list, line.as_bytes())
        .map_err(|e| Fail::new(format!("{line}: {e}")))
}

/// The fields of an event, which is called as its folder is, in their order.
pub(crate) fn fields(event: &str) -> Outcome<Vec<String>> {
    mount()?;
    let path = format!("{TRACEFS}/{EVENTS}/{event}/format");
    let text = fs::read_to_string(&path).map_err(|e| Fail::new(format!("{path}: {e}")))?;
    Ok(text.lines().filter_map(field).collect())
}

fn mount() -> Outcome {
    if Path::new(TRACEFS).join("events").exists() {
        return Ok(());
    }
    os::mount("tracefs", TRACEFS).map_err(|e| Fail::new(format!("{TRACEFS}: {e}")))
}

/// Reads until there is nothing at the moment.
fn read_all(mut pipe: &File) -> Outcome<String> {
    let mut text = Vec::new();
    match pipe.read_to_end(&mut text) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::WouldBlock => {}
        Err(error) => return Err(error.into()),
    }
    String::from_utf8(text).map_err(|_| Fail::new("a trace that is no text"))
}

fn event(line: &str) -> Option<Event> {
    let (_, rest) = line.split_once(": ")?;
    let (name, fields) = rest.split_once(": ")?;
    Some(Event {
        name: name.strip_prefix("pindma_").unwrap_or(name).to_string(),
        fields: fields.to_string(),
    })
}

/// The name in a line such as `field:u64 pages; offset:24; size:8; signed:0;`.
fn field(line: &str) -> Option<String> {
    let (declaration, _) = line.trim().strip_prefix("field:")?.split_once(';')?;
    let name = declaration.split_whitespace().next_back()?;
    Some(name.split('[').next().unwrap_or_default().to_string())
}

/// Events of the kernel's allocators that one process causes.
pub(crate) struct Allocations;

/// What allocates: of the slab allocator and of pages.
const ALLOCATORS: [&str; 3] = ["kmalloc", "kmem_cache_alloc", "mm_page_alloc"];

impl Allocations {
    /// Begins to count those of process `pid`.
    pub(crate) fn watch(pid: i32) -> Outcome<Allocations> {
        let tracefs = Path::new("/sys/kernel/tracing");
        if !tracefs.join("events").exists() {
            os::mount("tracefs", "/sys/kernel/tracing")?;
        }
        fs::write(tracefs.join("trace"), "")?;
        fs::write(tracefs.join("set_event_pid"), pid.to_string())?;
        Allocations::switch("1")?;
        Ok(Allocations)
    }

    fn switch(to: &str) -> Outcome {
        for event in ALLOCATORS {
            fs::write(
                format!("/sys/kernel/tracing/events/kmem/{event}/enable"),
                to,
            )?;
        }
        Ok(())
    }

    /// How many there were, and one of them.
    pub(crate) fn count(&self) -> Outcome<(usize, String)> {
        let text = fs::read_to_string("/sys/kernel/tracing/trace")?;
        let mut lines = text.lines().filter(|line| !line.starts_with('#'));
        let first = lines.next().unwrap_or_default().to_string();
        Ok((lines.count() + usize::from(!first.is_empty()), first))
    }
}

impl Drop for Allocations {
    fn drop(&mut self) {
        let _ = Allocations::switch("0");
        let _ = fs::write("/sys/kernel/tracing/set_event_pid", "");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_named_last() {
        let name = |line| field(line).expect("a field");
        assert_eq!(name("\tfield:u64 pages;\toffset:24;\tsize:8;"), "pages");
        assert_eq!(name("\tfield:__data_loc char[] dev;\toffset:8;"), "dev");
        assert_eq!(name("\tfield:char comm[16];\toffset:8;\tsize:16;"), "comm");
        assert_eq!(field("print fmt: \"pages=%llu\", REC->pages"), None);
        assert_eq!(field(""), None);
    }
}
