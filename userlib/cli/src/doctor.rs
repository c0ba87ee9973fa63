// SPDX-License-Identifier: MIT OR GPL-2.0
//! `pindma doctor`: what is wrong on this machine, and what to do about it.

mod card;
mod device;
mod finding;
mod machine;
mod memory;
mod module;
mod node;
#[cfg(test)]
mod tree;

use anyhow::{ensure, Result};
use serde_json::json;

use crate::args::DoctorArgs;
use crate::failure;
use crate::report::{count, print, print_json, with_error};
use finding::{Finding, Grade};
use machine::Machine;

/// Looks at everything, and fails if something is wrong.
pub fn run(args: &DoctorArgs) -> Result<()> {
    let machine = Machine::new("/");
    let findings = examine(&machine, args);
    let is_wrong = |finding: &&Finding| finding.grade == Grade::Bad;
    let problems = findings.iter().filter(is_wrong).count() as u64;
    let found = found(problems);
    let printed = if args.common.json {
        let report = json!({ "problems": problems, "findings": findings });
        print_json(&with_error(report, &found))
    } else {
        print(&findings.iter().map(Finding::to_string).collect::<String>())
    };
    // Also who reads only the first line asks for the verdict.
    if printed.as_ref().is_ok_and(|()| args.common.json) {
        return found.map_err(failure::told);
    }
    found.and(printed)
}

fn found(problems: u64) -> Result<()> {
    ensure!(problems == 0, "{} found", count(problems, "problem"));
    Ok(())
}

/// From the ground up: what comes first is needed by what comes later.
fn examine(machine: &Machine, args: &DoctorArgs) -> Vec<Finding> {
    let mut findings = vec![module::kernel(machine)];
    findings.push(module::loaded(machine));
    findings.extend(module::signatures(machine));
    findings.extend(card::examine(machine));
    findings.extend(node::examine(machine, &args.common.device));
    let (device, info) = device::examine(&args.common.device);
    findings.extend(device);
    let memlock = info.map(|info| info.memlock);
    findings.push(memory::memlock(machine, memlock));
    findings.extend(memory::bouncing(machine));
    findings
}
