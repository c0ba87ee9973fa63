// SPDX-License-Identifier: MIT OR GPL-2.0
//! `pindma list`: which devices there are.

use std::io::{self, Write};
use std::path::Path;

use anyhow::Result;
use pindma::{Device, Error, ErrorKind, Info, State};
use serde::Serialize;
use serde_json::json;

use crate::args::ListArgs;
use crate::host::bus_of;
use crate::report::{print, print_json};

/// Prints a row for each device.
pub fn run(args: &ListArgs) -> Result<()> {
    let devices: Vec<Listed> = Device::list()?
        .iter()
        .map(|node| Listed::of(node))
        .collect();
    if args.json {
        return print_json(&json!({ "devices": devices }));
    }
    if devices.is_empty() {
        let _ = writeln!(io::stderr(), "no pindma device; `pindma doctor` says why");
        return Ok(());
    }
    print(&table(&devices))
}

/// A device as far as it can be seen.  The names of the fields are those of the
/// JSON keys.
#[derive(Debug, Serialize)]
struct Listed {
    device: String,
    engine: Option<String>,
    bus: Option<String>,
    channels: Option<u32>,
    state: &'static str,
    error: Option<String>,
}

impl Listed {
    fn of(node: &Path) -> Self {
        // Not held open: nobody else could open it exclusively then.
        let asked = Device::open(node).and_then(|device| device.info());
        Self::told(node, bus_of(Path::new("/"), node), &asked)
    }

    fn told(node: &Path, bus: Option<String>, asked: &pindma::Result<Info>) -> Self {
        let info = asked.as_ref().ok();
        Self {
            device: node.display().to_string(),
            engine: info.map(|info| info.engine.clone()),
            bus: bus.or_else(|| info.map(|info| info.bus.clone())),
            channels: info.map(|info| info.channels),
            state: state(asked),
            error: asked.as_ref().err().map(Error::to_string),
        }
    }

    fn row(&self) -> String {
        let known = |text: &Option<String>| text.clone().unwrap_or("-".to_owned());
        let channels = self.channels.map(|channels| channels.to_string());
        let (engine, bus) = (known(&self.engine), known(&self.bus));
        row([&self.device, &engine, &bus, &known(&channels), self.state])
    }
}

fn state(asked: &pindma::Result<Info>) -> &'static str {
    match asked.as_ref().map_err(Error::kind) {
        Ok(info) if info.state.contains(State::FAILED) => "failed",
        Ok(_) => "ready",
        Err(ErrorKind::InUse { .. }) => "in-use",
        Err(ErrorKind::PermissionDenied { .. }) => "denied",
        Err(_) => "unknown",
    }
}

fn row([device, engine, bus, channels, state]: [&str; 5]) -> String {
    format!("{device:16} {engine:10} {bus:14} {channels:>8}  {state}\n")
}

fn table(devices: &[Listed]) -> String {
    let heads = row(["DEVICE", "ENGINE", "BUS", "CHANNELS", "STATE"]);
    let rows = devices.iter().map(Listed::row);
    std::iter::once(heads).chain(rows).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(state: u32) -> Info {
        let mut raw = pindma::sys::pindma_info {
            out_state: state,
            out_channels: 1,
            ..Default::default()
        };
        raw.out_engine[..3].copy_from_slice(b"edu");
        Info::from(&raw)
    }

    #[test]
    fn rows_say_what_can_be_seen() {
        let bus = || Some("0000:00:03.0".to_owned());
        let node = Path::new("/dev/pindma0");
        let failed = info(pindma::sys::PINDMA_STATE_FAILED);
        let devices = [
            Listed::told(node, bus(), &Ok(info(0))),
            Listed::told(node, bus(), &Ok(failed)),
            Listed::told(node, None, &Device::open("/nowhere").map(|_| info(0))),
        ];
        assert_eq!(
            table(&devices),
            "DEVICE           ENGINE     BUS            CHANNELS  STATE\n\
             /dev/pindma0     edu        0000:00:03.0          1  ready\n\
             /dev/pindma0     edu        0000:00:03.0          1  failed\n\
             /dev/pindma0     -          -                     -  unknown\n"
        );
        assert!(devices[2].error.is_some());
    }
}
