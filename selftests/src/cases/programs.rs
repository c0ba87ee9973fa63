// SPDX-License-Identifier: GPL-2.0

//! The programs that users have: the command-line tool and the examples.

use std::fs;
use std::process::{Command, ExitStatus, Stdio};

use crate::boot;
use crate::check::{check, Fail, Outcome};
use crate::device::Device;
use crate::ktap;
use crate::leg::Leg;
use crate::pattern;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    Case::new("cli_info_prints_json", "pindma info --json", info),
    Case::new("cli_copies_a_file", "pindma copy --offset 1", copy).needs(Needs::Memory),
    Case::new(
        "cli_writes_and_reads_device_memory",
        "pindma write and read, in the manner of dd",
        write_and_read,
    )
    .needs(Needs::Memory),
    Case::new(
        "cli_write_counts_what_has_gone_before_the_end",
        "and a place that is not there is named",
        write_too_much,
    )
    .needs(Needs::Memory),
    Case::new("cli_streams_frames", "pindma stream, into a file", stream).needs(Needs::Memory),
    Case::new(
        "cli_streams_as_much_as_the_memory_has",
        "pindma stream, with nothing said of sizes",
        stream_by_default,
    )
    .needs(Needs::Memory),
    Case::new(
        "cli_registers_memory",
        "pindma register, and transfers three ways",
        register,
    )
    .needs(Needs::Memory),
    Case::new("cli_stat_shows_who_has_it_open", "pindma stat", stat),
    Case::new(
        "cli_stat_of_a_device_that_is_open_exclusively",
        "what can be seen from outside",
        stat_from_outside,
    ),
    Case::new(
        "cli_doctor_finds_this_machine_healthy",
        "pindma doctor, and without the device not",
        doctor,
    ),
    Case::new(
        "example_transfer",
        "of the crate: slices there and back",
        example_transfer,
    )
    .needs(Needs::Memory),
    Case::new(
        "example_region",
        "of the crate: registered once, used twelve times",
        example_region,
    )
    .needs(Needs::Memory),
    Case::new(
        "example_queue",
        "of the crate: four requests in flight",
        example_queue,
    )
    .needs(Needs::Memory),
    Case::new(
        "example_pool",
        "of the crate: frames for another thread",
        example_pool,
    )
    .needs(Needs::Memory),
    Case::new(
        "example_tasks",
        "of the crate: a queue and a pool with tokio",
        example_tasks,
    )
    .needs(Needs::Memory),
    Case::new(
        "c_program_makes_a_round_trip",
        "roundtrip, built from the header",
        roundtrip,
    )
    .needs(Needs::Race),
];

/// What `pindma` has printed, on both outputs, and how it ended.
fn run(args: &[&str]) -> Outcome<(String, ExitStatus)> {
    let output = Command::new("/bin/pindma")
        .args(args)
        .stdin(Stdio::null())
        .output()
        .map_err(|e| Fail::new(format!("/bin/pindma: {e}")))?;
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    text.lines().for_each(ktap::note);
    Ok((text.into_owned(), output.status))
}

/// What it has printed, if it ended well.
fn printed(args: &[&str]) -> Outcome<String> {
    let (text, status) = run(args)?;
    check(
        status.success(),
        format!("pindma {} ended with {status}", args.join(" ")),
    )?;
    Ok(text)
}

/// What it has printed when it failed.
fn complained(args: &[&str]) -> Outcome<String> {
    let (text, status) = run(args)?;
    check(
        status.code() == Some(1),
        format!("pindma {} ended with {status}", args.join(" ")),
    )?;
    Ok(text)
}

fn contains(text: &str, words: &str) -> Outcome {
    check(text.contains(words), format!("no {words:?} in it"))
}

fn write_and_read(_: Leg) -> Outcome {
    let content = pattern::bytes(4, 3000);
    fs::write("/tmp/in", &content)?;
    let text = printed(&["write", "if=/tmp/in", "offset=100", "bs=1K"])?;
    contains(&text, "3000 bytes (2.9 KiB) written at 0x64")?;
    let text = printed(&["read", "of=/tmp/out", "offset=0x64", "bs=1000", "count=3"])?;
    contains(&text, "3000 bytes (2.9 KiB) read at 0x64")?;
    pattern::expect(&fs::read("/tmp/out")?, &content)?;
    let text = printed(&["read", "of=/tmp/out", "--json"])?;
    contains(&text, "\"bytes\": 4096")
}

fn write_too_much(_: Leg) -> Outcome {
    fs::write("/tmp/in", pattern::bytes(6, 5000))?;
    let text = complained(&["write", "if=/tmp/in", "offset=96"])?;
    contains(&text, "the end of the device's memory is reached")?;
    contains(&text, "4000 bytes (3.9 KiB) written at 0x60")?;
    let text = complained(&["write", "if=/tmp/in", "offset=64K"])?;
    contains(&text, "offset=0x10000 is beyond the end")
}

fn stream_by_default(_: Leg) -> Outcome {
    let text = printed(&["stream", "--lossless", "-n", "2", "--dev-addr", "96"])?;
    contains(&text, "2 frames, 8000 bytes")
}

fn stream(_: Leg) -> Outcome {
    let content = pattern::bytes(5, 3000);
    fs::write("/tmp/in", &content)?;
    printed(&["write", "if=/tmp/in"])?;
    let text = printed(&[
        "stream",
        "--lossless",
        "--buffer-bytes",
        "4K",
        "--frame-bytes",
        "3000",
        "--frames",
        "5",
        "--buffers",
        "3",
        "--output",
        "/tmp/out",
    ])?;
    contains(&text, "5 frames, 15000 bytes")?;
    contains(&text, ", 0 lost")?;
    pattern::expect(&fs::read("/tmp/out")?, &content.repeat(5))
}

fn register(_: Leg) -> Outcome {
    let text = printed(&["register", "256K", "--may-bounce", "-n", "2"])?;
    contains(&text, "registered    262144 bytes (256.0 KiB)")?;
    contains(&text, "pinned        64 pages")?;
    contains(&text, "  by handle ")?;
    contains(&text, " longest")
}

fn stat(_: Leg) -> Outcome {
    let device = Device::open()?;
    let text = printed(&["stat"])?;
    contains(&text, "\njobs  ")?;
    contains(&text, "1 open file besides this one")?;
    drop(device);
    contains(&printed(&["stat", "--json"])?, "\"totals\": {")
}

fn stat_from_outside(leg: Leg) -> Outcome {
    let alone = Device::open_with(libc::O_EXCL)?;
    let text = printed(&["stat"])?;
    contains(&text, "open exclusively")?;
    contains(&text, "\njobs  ")?;
    drop(alone);
    contains(&printed(&["stat"])?, &format!("{} at ", leg.engine()))
}

fn doctor(_: Leg) -> Outcome {
    let text = printed(&["doctor"])?;
    contains(&text, "belongs to pindma")?;
    contains(&text, "/dev/pindma0 can be opened")?;
    check(!text.contains("BAD"), "it has found something")?;
    let nowhere = printed(&["doctor", "--device", "/dev/nowhere"]);
    check(
        nowhere.is_err(),
        "a node that is not there is good enough for it",
    )
}

fn info(leg: Leg) -> Outcome {
    let text = printed(&["info", "--json"])?;
    let json: serde_json::Value =
        serde_json::from_str(&text).map_err(|e| Fail::new(format!("{e}: {text}")))?;
    check(json["engine"] == leg.engine(), format!("it says {text}"))
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

/// What an example of the crate has printed.
fn example(name: &str) -> Outcome<String> {
    let output = Command::new(format!("/bin/examples/{name}")).output();
    let output = output.map_err(|e| Fail::new(format!("{name}: {e}")))?;
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    text.lines().for_each(ktap::note);
    let status = output.status;
    check(status.success(), format!("{name} ended with {status}"))?;
    Ok(text.into_owned())
}

fn example_transfer(_: Leg) -> Outcome {
    contains(&example("transfer")?, "3000 bytes there and back")
}

fn example_region(_: Leg) -> Outcome {
    contains(&example("region")?, "segments, used 12 times")
}

fn example_queue(_: Leg) -> Outcome {
    contains(&example("queue")?, "100 requests of 512 bytes")
}

fn example_pool(_: Leg) -> Outcome {
    contains(&example("pool")?, "50 frames of 1000 bytes")
}

fn example_tasks(_: Leg) -> Outcome {
    contains(&example("tasks")?, "4 requests, 20 frames")
}
