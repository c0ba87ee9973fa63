// SPDX-License-Identifier: GPL-2.0

//! A run that is shown as it happens.

use std::io::{self, Write};

use pindma_selftests::leg::Leg;

use crate::ktap::SENTINEL;
use crate::mode::Mode;
use crate::places::Places;
use crate::show;
use crate::verdict::machine_faults;
use crate::vm::Patience;

/// Boots `leg`, passes on what it prints, and wants these lines among that; true when
/// it came to its end and nothing complained.
pub fn watch(places: &Places, leg: Leg, mode: Mode, wanted: &[&str]) -> io::Result<bool> {
    let logs = places.logs_of(mode.name());
    let mut screen = io::stdout();
    println!("booting the {} kernel in QEMU ...", places.kernel().name());
    let run = places.run(leg, mode, "", &logs, Patience::NORMAL);
    let (ending, read) = run.go(|bytes| {
        // Output that fails has nowhere to be reported.
        let _ = screen.write_all(bytes).and_then(|()| screen.flush());
    })?;
    let faults = machine_faults(&ending, &read);
    for fault in &faults {
        println!("{fault}");
    }
    let well = faults.is_empty() && went_well(&read.results, wanted);
    if !well {
        println!(
            "the {} FAILED; logs in {}; the console's last lines:",
            mode.name(),
            logs.display()
        );
        print!("{}", show::tail(&read.console));
    }
    Ok(well)
}

/// Whether the guest says what is wanted, and came to its end.
fn went_well(results: &str, wanted: &[&str]) -> bool {
    let lines: Vec<_> = results.lines().map(str::trim_end).collect();
    lines.last() == Some(&SENTINEL) && wanted.iter().all(|line| lines.contains(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_and_an_end_are_needed() {
        let wanted = ["# the files are equal", "# it ended with 0"];
        let good = format!("{}\r\n{}\r\n{SENTINEL}\r\n", wanted[0], wanted[1]);
        assert!(went_well(&good, &wanted));
        assert!(!went_well(
            &good.replace("are equal", "are NOT equal"),
            &wanted
        ));
        assert!(!went_well(&good.replace("with 0", "with 1"), &wanted));
        assert!(!went_well(&good.replace(SENTINEL, ""), &wanted));
        assert!(!went_well("", &[]));
    }
}
