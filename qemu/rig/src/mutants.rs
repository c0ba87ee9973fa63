// SPDX-License-Identifier: GPL-2.0

//! `rig mutants`: which mutants of the driver are noticed, many on one machine.

use std::fs;
use std::io;
use std::path::Path;

use pindma_selftests::leg::Leg;

use crate::initramfs::Extra;
use crate::mode::Mode;
use crate::places::Places;
use crate::verdict::{machine_faults, Fault};
use crate::vm::{Logs, Patience};

/// What the guest says of one begins so.
const SAID: &str = "# mutant ";

/// Tries the mutants that `folder/list` names, a `NAME FILTER` each, and prints what
/// became of each. A machine that does not survive one is followed by another.
pub fn mutants(places: &Places, leg: Leg, folder: &Path, patience: Patience) -> io::Result<bool> {
    let list = fs::read_to_string(folder.join("list"))?;
    let mut left: Vec<&str> = list.lines().collect();
    let mut boots = 0;
    while !left.is_empty() {
        boots += 1;
        let logs = places.logs_of(&format!("{}-{boots}", leg.name()));
        let mut extra = vec![mutant("list", left.join("\n").into_bytes())];
        for line in &left {
            let name = format!("{}.ko", name_of(line));
            extra.push(mutant(&name, fs::read(folder.join(&name))?));
        }
        places.make_initramfs_with(&extra)?;
        let run = places.run(leg, Mode::Mutants, "", &logs, patience);
        let (ending, read) = run.go(|_| ())?;
        let faults = machine_faults(&ending, &read);
        let told = fates(&read, faults.first(), name_of(left[0]));
        if told.is_empty() {
            println!(
                "{}\tnothing was learned, see {}",
                name_of(left[0]),
                logs.display()
            );
            left.remove(0);
        }
        for (name, fate) in told {
            println!("{name}\t{fate}");
            left.retain(|line| name_of(line) != name);
        }
    }
    Ok(true)
}

fn mutant(name: &str, content: Vec<u8>) -> Extra {
    Extra {
        path: format!("mutants/{name}"),
        permissions: 0o644,
        content,
    }
}

fn name_of(line: &str) -> &str {
    line.split(' ').next().unwrap_or(line)
}

/// What became of each mutant that this machine has tried. `first` is the one before
/// which nothing was tried: if the driver fails there, it is the driver's fault.
fn fates(read: &Logs, fault: Option<&Fault>, first: &str) -> Vec<(String, String)> {
    let mut fates = Vec::new();
    let mut begun = None;
    let said = read.results.lines().map(str::trim_end);
    for line in said.filter_map(|line| line.strip_prefix(SAID)) {
        let Some((name, what)) = line.split_once(' ') else {
            continue;
        };
        match what {
            "begins" => begun = Some(name.to_owned()),
            _ if what.starts_with("not tried") && name != first => {}
            _ => {
                begun = None;
                fates.push((name.to_owned(), what.to_owned()));
            }
        }
    }
    if let Some(name) = begun {
        let how = fault.map_or_else(|| "its end".to_owned(), ToString::to_string);
        fates.push((name, format!("killed by the run as a whole ({how})")));
    }
    fates
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(results: &str, first: &str) -> Vec<(String, String)> {
        let logs = Logs {
            results: results.to_owned(),
            ..Logs::default()
        };
        let fault = Fault::Panic("BUG: x".to_owned());
        fates(&logs, Some(&fault), first)
    }

    fn pair(name: &str, fate: &str) -> (String, String) {
        (name.to_owned(), fate.to_owned())
    }

    #[test]
    fn each_is_told_once() {
        let told = told(
            "# mutant a begins\r\nnot ok 1 x\r\n# mutant a killed by x\r\n# mutant b begins\n# mutant b survived\n",
            "a",
        );
        assert_eq!(told, [pair("a", "killed by x"), pair("b", "survived")]);
    }

    #[test]
    fn who_ends_the_machine_is_killed_by_that() {
        let told = told(
            "# mutant a begins\n# mutant a survived\n# mutant b begins\n",
            "a",
        );
        let killed = "killed by the run as a whole (panic: BUG: x)";
        assert_eq!(told, [pair("a", "survived"), pair("b", killed)]);
    }

    #[test]
    fn what_a_mutant_has_left_behind_is_not_the_fault_of_the_next() {
        let results = "# mutant a begins\n# mutant a killed by x\n# mutant b not tried: without it, x fails\n";
        assert_eq!(told(results, "a"), [pair("a", "killed by x")]);
        let first = "# mutant b not tried: without it, x fails\n";
        assert_eq!(told(first, "b").len(), 1);
        assert_eq!(told(first, "a"), []);
    }
}
