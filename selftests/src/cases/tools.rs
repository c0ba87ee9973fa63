// SPDX-License-Identifier: GPL-2.0

//! Programs that know nothing of pindma, on the node: dd, xxd, cat, cmp, sha256sum.

use std::fs;
use std::process::{Command, Output, Stdio};

use crate::check::{check, same, Fail, Outcome};
use crate::device::{Device, WINDOW};
use crate::leg::Leg;
use crate::pattern;
use crate::rw::{device_holds, fill_device};
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    case(
        "dd_makes_a_round_trip_in_blocks",
        "of 512 bytes, and cmp agrees",
        dd_blocks,
    ),
    case(
        "dd_writes_and_reads_at_odd_places",
        "seek and skip in blocks of 100 and 77 bytes; neighbours stay",
        dd_odd,
    ),
    case(
        "dd_reads_no_further_than_the_end",
        "a short block, or none, and success",
        dd_short_read,
    ),
    case(
        "dd_writes_no_further_than_the_end",
        "what fits is there, and dd says that there is no space left",
        dd_short_write,
    ),
    case(
        "xxd_reads_what_the_shell_has_opened",
        "from the start, and from where it seeks to",
        xxd,
    ),
    case(
        "cat_writes_and_reads_by_redirection",
        "into a part of it, and all of it back",
        cat,
    ),
    case(
        "cmp_and_sha256sum_read_the_node",
        "and see that one byte has changed",
        compared,
    ),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

/// How a script has ended, and what it has printed.
struct Ended {
    output: Output,
}

impl Ended {
    /// On its standard output.
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }

    /// On standard error.
    fn errors(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    #[track_caller]
    fn code(&self, want: i32) -> Outcome {
        let status = self.output.status;
        let what = format!("the script ended with {status}: {}", self.errors().trim());
        check(status.code() == Some(want), what)
    }

    #[track_caller]
    fn reports(&self, words: &str) -> Outcome {
        let errors = self.errors();
        let what = format!("no {words:?} in {errors:?}");
        check(errors.contains(words), what)
    }
}

/// Runs a script in /tmp, with $dev for the node.
fn shell(script: &str) -> Outcome<Ended> {
    let output = Command::new("/bin/sh")
        .args(["-c", script])
        .env("dev", crate::device::NODE)
        .current_dir("/tmp")
        .stdin(Stdio::null())
        .output()
        .map_err(|e| Fail::new(format!("/bin/sh: {e}")))?;
    Ok(Ended { output })
}

/// The same, and it must succeed.
#[track_caller]
fn succeeds(script: &str) -> Outcome<Ended> {
    let ended = shell(script)?;
    ended.code(0)?;
    Ok(ended)
}

fn dd_blocks(_: Leg) -> Outcome {
    let content = pattern::bytes(1, WINDOW);
    fs::write("/tmp/x", &content)?;
    let device = Device::open()?;
    fill_device(&device, 2)?;
    let written = succeeds("dd if=x of=$dev bs=512 conv=notrunc")?;
    written.reports("8+0 records out")?;
    device_holds(&device, &content)?;
    succeeds("dd if=$dev of=y bs=512 count=8 && cmp x y")?;
    pattern::expect(&fs::read("/tmp/y")?, &content)
}

fn dd_odd(_: Leg) -> Outcome {
    let content = pattern::bytes(4, 1000);
    fs::write("/tmp/x", &content)?;
    let device = Device::open()?;
    fill_device(&device, 3)?;
    let mut want = pattern::bytes(3, WINDOW);
    for (block, seek, count) in [(100, 7, 5), (77, 51, 2)] {
        succeeds(&format!(
            "dd if=x of=$dev bs={block} seek={seek} count={count} conv=notrunc"
        ))?;
        let (at, len) = (block * seek, block * count);
        want[at..at + len].copy_from_slice(&content[..len]);
        device_holds(&device, &want)?;
    }
    for (block, skip, count) in [(100, 11, 13), (77, 3, 50), (1, 4095, 1)] {
        succeeds(&format!(
            "dd if=$dev of=y bs={block} skip={skip} count={count}"
        ))?;
        let (at, len) = (block * skip, block * count);
        pattern::expect(&fs::read("/tmp/y")?, &want[at..at + len])?;
    }
    Ok(())
}

fn dd_short_read(_: Leg) -> Outcome {
    fill_device(&Device::open()?, 5)?;
    let want = pattern::bytes(5, WINDOW);
    for (operands, from, records) in [
        ("bs=1000", 0, "4+1 records in"),
        ("bs=1000 count=9 skip=4", 4000, "0+1 records in"),
        ("bs=64k", 0, "0+1 records in"),
        ("bs=1024 skip=4", WINDOW, "0+0 records in"),
    ] {
        let ended = succeeds(&format!("dd if=$dev of=y {operands}"))?;
        ended.reports(records)?;
        pattern::expect(&fs::read("/tmp/y")?, &want[from..])?;
    }
    Ok(())
}

fn dd_short_write(_: Leg) -> Outcome {
    let content = pattern::bytes(6, 5000);
    fs::write("/tmp/x", &content)?;
    let device = Device::open()?;
    fill_device(&device, 7)?;
    let ended = shell("dd if=x of=$dev bs=1000 conv=notrunc")?;
    ended.code(1)?;
    ended.reports("No space left on device")?;
    device_holds(&device, &content[..WINDOW])
}

/// The bytes that lines of hexadecimal digits stand for.
fn bytes_of(hex: &str) -> Outcome<Vec<u8>> {
    let digits: String = hex.split_whitespace().collect();
    check(digits.is_ascii(), format!("not hexadecimal: {hex:?}"))?;
    (0..digits.len())
        .step_by(2)
        .map(|at| {
            let pair = digits.get(at..at + 2).unwrap_or_default();
            Ok(u8::from_str_radix(pair, 16)?)
        })
        .collect()
}

fn xxd(_: Leg) -> Outcome {
    fill_device(&Device::open()?, 8)?;
    let want = pattern::bytes(8, WINDOW);
    for (options, from, len) in [
        ("-p", 0, WINDOW),
        ("-p -l 64", 0, 64),
        ("-p -s 1001 -l 64", 1001, 64),
    ] {
        // The shell opens it, and becomes the program that reads it.
        let ended = succeeds(&format!("exec /bin/busybox xxd {options} <$dev"))?;
        pattern::expect(&bytes_of(&ended.text())?, &want[from..from + len])?;
    }
    let lines = succeeds("xxd <$dev")?.text();
    same("lines", lines.lines().count(), WINDOW / 16)
}

fn cat(_: Leg) -> Outcome {
    let content = pattern::bytes(9, 3000);
    fs::write("/tmp/x", &content)?;
    let device = Device::open()?;
    fill_device(&device, 10)?;
    succeeds("cat x >$dev")?;
    let mut want = pattern::bytes(10, WINDOW);
    want[..3000].copy_from_slice(&content);
    device_holds(&device, &want)?;
    succeeds("cat <$dev >y")?;
    pattern::expect(&fs::read("/tmp/y")?, &want)
}

fn compared(_: Leg) -> Outcome {
    let mut content = pattern::bytes(11, WINDOW);
    fill_device(&Device::open()?, 11)?;
    let equal = "test \"$(sha256sum <x)\" = \"$(sha256sum <$dev)\"";
    fs::write("/tmp/x", &content)?;
    succeeds(&format!("cmp x $dev && {equal}"))?;
    content[777] ^= 1;
    fs::write("/tmp/x", &content)?;
    shell(equal)?.code(1)?;
    let differs = shell("cmp x $dev")?;
    differs.code(1)?;
    let place = differs.text();
    check(place.contains("char 778"), format!("cmp says {place:?}"))
}
