// SPDX-License-Identifier: GPL-2.0

//! The command-line tool as a script uses it: exit statuses, JSON, pipes.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use rustix::pipe::{pipe_with, PipeFlags};
use serde_json::Value;

use crate::check::{check, same, Fail, Outcome};
use crate::device::{Device, NODE, WINDOW};
use crate::leg::Leg;
use crate::pattern;
use crate::table::{Case, Needs};
use crate::user;

pub(crate) const CASES: &[Case] = &[
    Case::new(
        "cli_lists_devices",
        "pindma list, and how each stands to who asks",
        list,
    ),
    Case::new(
        "cli_reader_that_has_enough_is_no_failure",
        "standard output is a pipe that nobody reads",
        unread,
    )
    .needs(Needs::Memory),
    Case::new(
        "cli_exit_status_and_json_tell_why",
        "absent, denied, in use, timed out, wrong usage, the end of the memory",
        failures,
    )
    .needs(Needs::Memory)
    .slow(),
    Case::new(
        "cli_takes_the_device_from_the_environment",
        "PINDMA_DEVICE, unless --device says otherwise",
        environment,
    ),
    Case::new(
        "cli_stat_tells_programs_when_and_how_fast",
        "pindma stat --interval --json, a line each",
        stat,
    ),
    Case::new(
        "cli_stream_tells_what_came_before_an_error",
        "the file for the frames is full",
        stream,
    )
    .needs(Needs::Memory),
    Case::new(
        "cli_moves_data_over_a_channel_within_a_time",
        "pindma read, write and copy with --channel and --timeout",
        channel,
    )
    .needs(Needs::Memory),
    Case::new(
        "cli_spares_a_terminal",
        "pindma read and stream print no data there",
        terminal,
    )
    .needs(Needs::Memory),
];

/// How a run of `pindma` has ended.
struct Ended {
    code: Option<i32>,
    output: String,
    errors: String,
}

impl Ended {
    fn of(command: &mut Command) -> Outcome<Ended> {
        let output = command
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .and_then(|child| child.wait_with_output())
            .map_err(|e| Fail::new(format!("/bin/pindma: {e}")))?;
        Ok(Ended {
            code: output.status.code(),
            output: String::from_utf8_lossy(&output.stdout).into_owned(),
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    #[track_caller]
    fn code(self, want: i32) -> Outcome<Ended> {
        let says = format!("{}{}", self.output, self.errors);
        check(
            self.code == Some(want),
            format!("exit status {:?}, not {want}: {says}", self.code),
        )?;
        Ok(self)
    }

    /// The one JSON object on standard output, while standard error is empty.
    #[track_caller]
    fn json(&self) -> Outcome<Value> {
        same("standard error", self.errors.as_str(), "")?;
        parse(&self.output)
    }
}

#[track_caller]
fn parse(text: &str) -> Outcome<Value> {
    serde_json::from_str(text).map_err(|e| Fail::new(format!("{e}: {text}")))
}

/// The tool, with its standard output read.
fn pindma(args: &[&str]) -> Command {
    let mut command = Command::new("/bin/pindma");
    command.args(args).stdout(Stdio::piped());
    command
}

#[track_caller]
fn run(args: &[&str]) -> Outcome<Ended> {
    Ended::of(&mut pindma(args))
}

/// Checks a member of an object.
#[track_caller]
fn member(object: &Value, name: &str, want: impl Into<Value>) -> Outcome {
    let (is, want) = (&object[name], want.into());
    check(*is == want, format!("{name} is {is}, not {want}: {object}"))
}

fn list(leg: Leg) -> Outcome {
    let state = |command: &mut Command, want: &str| -> Outcome {
        let json = Ended::of(command)?.code(0)?.json()?;
        let device = &json["devices"][0];
        member(device, "device", NODE)?;
        member(device, "state", want)
    };
    let arguments = ["list", "--json"];
    state(&mut pindma(&arguments), "ready")?;
    state(pindma(&arguments).uid(user::UID), "denied")?;
    let alone = Device::open_with(libc::O_EXCL)?;
    state(&mut pindma(&arguments), "in-use")?;
    drop(alone);
    let text = run(&["list"])?.code(0)?.output;
    let row = text.lines().find(|line| line.starts_with(NODE));
    let row = row.ok_or_else(|| Fail::new(format!("no row: {text}")))?;
    let engine = format!(" {} ", leg.engine());
    check(row.contains(&engine) && row.ends_with("ready"), row)
}

/// A pipe that nobody reads.
fn closed() -> Outcome<Stdio> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    drop(reader);
    Ok(writer.into())
}

fn unread(_: Leg) -> Outcome {
    for arguments in [
        &["doctor"][..],
        &["info"],
        &["info", "--json"],
        &["list"],
        &["stat"],
        &["stat", "--interval", "0.01"],
        &["register", "4K", "--may-bounce"],
        &["read"],
        &["stream", "--lossless", "-o", "-"],
    ] {
        let ended = Ended::of(pindma(arguments).stdout(closed()?))?.code(0)?;
        let complains = ended.errors.contains("pindma:");
        check(!complains, format!("{arguments:?}: {}", ended.errors))?;
    }
    // Its verdict is its exit status.
    let arguments = ["doctor", "--device", "/dev/nowhere"];
    Ended::of(pindma(&arguments).stdout(closed()?))?
        .code(1)
        .map(drop)
}

/// It fails with this exit status, and says why in words and in JSON.
#[track_caller]
fn fails(change: impl Fn(&mut Command), args: &[&str], code: i32, kind: &str) -> Outcome<Value> {
    let mut command = pindma(args);
    change(&mut command);
    let words = Ended::of(&mut command)?.code(code)?.errors;
    check(words.contains("pindma: "), format!("no words: {words:?}"))?;
    let json = Ended::of(command.arg("--json"))?.code(code)?.json()?;
    member(&json["error"], "kind", kind)?;
    member(&json["error"], "exit_status", code)?;
    Ok(json)
}

fn failures(leg: Leg) -> Outcome {
    let none = |_: &mut Command| {};
    let nowhere = ["--device", "/dev/nowhere"];
    for command in ["info", "stat", "register"] {
        let json = fails(none, &[&[command][..], &nowhere].concat(), 3, "absent")?;
        member(&json["error"], "errno", libc::ENOENT)?;
    }
    let ordinary = |command: &mut Command| {
        command.uid(user::UID);
    };
    fails(ordinary, &["info"], 4, "denied")?;
    let alone = Device::open_with(libc::O_EXCL)?;
    fails(none, &["info"], 6, "in-use")?;
    drop(alone);
    // A job takes longer: the time is over before the second.
    let soon = ["read", "of=/tmp/out", "bs=2K", "--timeout", "0.05"];
    let json = fails(none, &soon, 5, "timed-out")?;
    if leg.counts_time() {
        member(&json, "bytes", 2048)?;
    }
    fails(none, &["read", "if=/tmp/out"], 2, "usage")?;
    fs::write("/tmp/in", pattern::bytes(6, WINDOW))?;
    let json = fails(none, &["write", "if=/tmp/in", "offset=96"], 1, "failed")?;
    member(&json, "bytes", WINDOW - 96)
}

fn environment(_: Leg) -> Outcome {
    let nowhere = |args: &[&str]| Ended::of(pindma(args).env("PINDMA_DEVICE", "/dev/nowhere"));
    nowhere(&["info"])?.code(3)?;
    nowhere(&["info", "--device", NODE])?.code(0).map(drop)
}

fn stat(_: Leg) -> Outcome {
    let arguments = ["stat", "--interval", "0.01", "--count", "2", "--json"];
    let text = run(&arguments)?.code(0)?.output;
    let lines = text.lines().map(parse).collect::<Outcome<Vec<Value>>>()?;
    let [first, second] = &lines[..] else {
        return Err(Fail::new(format!("not two lines: {text}")));
    };
    let time = |line: &Value| line["time"].as_f64().unwrap_or(0.0);
    check(
        time(first) > 0.0 && time(first) < time(second),
        format!("no time, or not later: {text}"),
    )?;
    member(first, "rates", Value::Null)?;
    check(second["seconds"].is_f64(), format!("of which time? {text}"))?;
    // Nothing happens meanwhile.
    member(&second["rates"], "jobs", 0.0)
}

fn stream(_: Leg) -> Outcome {
    let arguments = ["stream", "--lossless", "-n", "2", "-o", "/dev/full"];
    let words = run(&arguments)?.code(1)?.errors;
    for part in ["0 frames, 0 bytes", "cannot write a frame: No space left"] {
        check(words.contains(part), format!("no {part:?} in {words}"))?;
    }
    let json = Ended::of(pindma(&arguments).arg("--json"))?
        .code(1)?
        .json()?;
    member(&json, "frames", 0)?;
    check(
        json["device_frames"].as_u64().is_some_and(|made| made > 0),
        format!("the device has made none: {json}"),
    )
}

fn channel(_: Leg) -> Outcome {
    let content = pattern::bytes(12, 3000);
    fs::write("/tmp/in", &content)?;
    let options = ["--channel", "0", "--timeout", "3600"];
    let with = |args: &[&'static str]| [args, &options].concat();
    run(&with(&["write", "if=/tmp/in", "offset=96"]))?.code(0)?;
    run(&with(&[
        "read",
        "of=/tmp/out",
        "offset=96",
        "bs=3000",
        "count=1",
    ]))?
    .code(0)?;
    pattern::expect(&fs::read("/tmp/out")?, &content)?;
    run(&with(&["copy", "/tmp/in", "/tmp/out"]))?.code(0)?;
    for arguments in [&["read", "of=/tmp/out"][..], &["write", "if=/tmp/in"]] {
        let ended = run(&[arguments, &["--channel", "7"]].concat())?.code(1)?;
        let named = ended.errors.contains("there is no channel 7");
        check(named, ended.errors)?;
    }
    Ok(())
}

fn terminal(_: Leg) -> Outcome {
    // Harmless, should it be printed.
    fs::write("/tmp/in", [b'\n'; WINDOW])?;
    run(&["write", "if=/tmp/in"])?.code(0)?;
    for arguments in [&["read"][..], &["stream", "-n", "1", "-o", "-"]] {
        let console = File::options().write(true).open("/dev/console")?;
        let ended = Ended::of(pindma(arguments).stdout(console))?.code(2)?;
        check(ended.errors.contains("is a terminal"), ended.errors)?;
    }
    Ok(())
}
