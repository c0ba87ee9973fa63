// SPDX-License-Identifier: GPL-2.0

//! `rig demo`: one round trip, shown as it happens.

use std::io::{self, Write};

use pindma_selftests::leg::Leg;

use crate::ktap::SENTINEL;
use crate::machine::Mode;
use crate::places::Places;
use crate::show;
use crate::verdict::machine_faults;
use crate::vm::Patience;

/// What a demo that went well says, each as a line of its own.
const WELL: [&str; 2] = [
    "# demo: pindma copy ended with exit status: 0",
    "# demo: the files are equal",
];

/// Boots the demo and passes on what it prints; true when it came to its end
/// and nothing complained.
pub fn demo(places: &Places) -> io::Result<bool> {
    let logs = places.logs_of("demo");
    let mut screen = io::stdout();
    println!("booting the {} kernel in QEMU ...", places.kernel().name());
    let run = places.run(Leg::Iommu, Mode::Demo, "", &logs, Patience::NORMAL);
    let (ending, read) = run.go(|bytes| {
        // Output that fails has nowhere to be reported.
        let _ = screen.write_all(bytes).and_then(|()| screen.flush());
    })?;
    let faults = machine_faults(&ending, &read);
    for fault in &faults {
        println!("{fault}");
    }
    let well = faults.is_empty() && went_well(&read.results);
    if !well {
        println!(
            "the demo FAILED; logs in {}; the console's last lines:",
            logs.display()
        );
        print!("{}", show::tail(&read.console));
    }
    Ok(well)
}

/// Whether the guest says so, and came to its end.
fn went_well(results: &str) -> bool {
    let lines: Vec<_> = results.lines().map(str::trim_end).collect();
    lines.last() == Some(&SENTINEL) && WELL.iter().all(|wanted| lines.contains(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_files_and_an_end_are_needed() {
        let good = format!("{}\r\n{}\r\n{SENTINEL}\r\n", WELL[0], WELL[1]);
        assert!(went_well(&good));
        assert!(!went_well(&good.replace("are equal", "are NOT equal")));
        assert!(!went_well(&good.replace(": 0", ": 1")));
        assert!(!went_well(&good.replace(SENTINEL, "")));
    }
}
