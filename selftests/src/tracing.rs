// SPDX-License-Identifier: GPL-2.0

//! The driver's tracepoints, as tools see them.

use std::fs;
use std::path::Path;

use crate::check::{Fail, Outcome};
use crate::os;

const TRACEFS: &str = "/sys/kernel/tracing";

/// One event: its name without `pindma_`, and its fields as text.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) name: String,
    fields: String,
}

impl Event {
    /// A field's value.
    pub(crate) fn field(&self, name: &str) -> Outcome<&str> {
        let prefix = format!("{name}=");
        self.fields
            .split_whitespace()
            .find_map(|field| field.strip_prefix(&prefix))
            .ok_or_else(|| Fail::new(format!("no field {name} in {self:?}")))
    }
}

/// All tracepoints of the driver, switched on for as long as it lives.
pub(crate) struct Tracing;

impl Tracing {
    /// Switches them on, with nothing recorded so far.
    pub(crate) fn start() -> Outcome<Tracing> {
        if !Path::new(TRACEFS).join("events").exists() {
            os::mount("tracefs", TRACEFS).map_err(|e| Fail::new(format!("{TRACEFS}: {e}")))?;
        }
        // Perhaps left by a case that was killed.
        write("set_event_pid", "")?;
        write("trace", "")?;
        write("events/pindma/enable", "1")?;
        Ok(Tracing)
    }

    /// What was recorded, in order.
    pub(crate) fn events(&self) -> Outcome<Vec<Event>> {
        let text = fs::read_to_string(Path::new(TRACEFS).join("trace"))?;
        Ok(text.lines().filter_map(event).collect())
    }
}

impl Drop for Tracing {
    fn drop(&mut self) {
        // A test that fails here has failed already, or leaves more in the log.
        let _ = write("events/pindma/enable", "0");
    }
}

fn write(file: &str, text: &str) -> Outcome {
    let path = Path::new(TRACEFS).join(file);
    fs::write(&path, text).map_err(|e| Fail::new(format!("{}: {e}", path.display())))
}

fn event(line: &str) -> Option<Event> {
    let (_, rest) = line.split_once(": pindma_")?;
    let (name, fields) = rest.split_once(": ")?;
    Some(Event {
        name: name.to_string(),
        fields: fields.to_string(),
    })
}
