// SPDX-License-Identifier: GPL-2.0

//! The programs that users have: the command-line tool and the C example.

use std::fs;
use std::process::Command;

use crate::boot;
use crate::check::{check, Fail, Outcome};
use crate::leg::Leg;
use crate::pattern;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    Case::new("cli_info_prints_json", "pindma info --json", info),
    Case::new("cli_copies_a_file", "pindma copy --offset 1", copy).needs(Needs::Memory),
    Case::new(
        "c_program_makes_a_round_trip",
        "roundtrip, built from the header",
        roundtrip,
    )
    .needs(Needs::Race),
];

fn info(_: Leg) -> Outcome {
    let output = Command::new("/bin/pindma")
        .args(["info", "--json"])
        .output()
        .map_err(|e| Fail::new(format!("/bin/pindma: {e}")))?;
    let text = String::from_utf8_lossy(&output.stdout);
    check(
        output.status.success(),
        format!("ended with {}", output.status),
    )?;
    let json = text.trim_start().starts_with('{') && text.trim_end().ends_with('}');
    check(json && text.contains("\"edu\""), format!("it says {text}"))
}

fn copy(_: Leg) -> Outcome {
    let content = pattern::bytes(3, 70_001);
    fs::write("/tmp/in", &content)?;
    let status = boot::program(
        "/bin/pindma",
        &["copy", "--offset", "1", "/tmp/in", "/tmp/out"],
    )?;
    check(status.success(), format!("pindma copy ended with {status}"))?;
    pattern::expect(&fs::read("/tmp/out")?, &content)
}

fn roundtrip(_: Leg) -> Outcome {
    let status = boot::program("/bin/roundtrip", &[])?;
    check(status.success(), format!("roundtrip ended with {status}"))
}
