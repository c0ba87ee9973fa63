// SPDX-License-Identifier: GPL-2.0

//! The bpftrace scripts that are shipped: what they look at exists. There is no bpftrace in the
//! VM, so they are read, not run.

use crate::check::{check, Fail, Outcome};
use crate::leg::Leg;
use crate::table::Case;
use crate::tracing;

pub(crate) const CASES: &[Case] = &[Case::new(
    "bpftrace_scripts_name_what_exists",
    "each tracepoint, and each field of it",
    scripts,
)];

const SCRIPTS: [(&str, &str); 5] = [
    (
        "cancels.bt",
        include_str!("../../../docs/bpftrace/cancels.bt"),
    ),
    (
        "latency.bt",
        include_str!("../../../docs/bpftrace/latency.bt"),
    ),
    (
        "pinned.bt",
        include_str!("../../../docs/bpftrace/pinned.bt"),
    ),
    (
        "requests.bt",
        include_str!("../../../docs/bpftrace/requests.bt"),
    ),
    (
        "segments.bt",
        include_str!("../../../docs/bpftrace/segments.bt"),
    ),
];

/// What begins a probe on a tracepoint of the driver.
const PROBE: &str = "tracepoint:pindma:";

/// A probe: its tracepoint, and the fields that it looks at.
#[derive(Debug, PartialEq, Eq)]
struct Probe {
    event: String,
    fields: Vec<String>,
}

/// The name that `text` starts with.
fn word(text: &str) -> String {
    let part = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    text.chars().take_while(part).collect()
}

/// The fields that a line looks at.
fn fields(line: &str) -> impl Iterator<Item = String> + '_ {
    let field = |rest: &str| {
        let rest = rest.strip_prefix("->").or_else(|| rest.strip_prefix('.'));
        rest.map(word)
    };
    line.split("args").skip(1).filter_map(field)
}

/// The probes of a script on tracepoints of the driver. Each of them starts a line, as does
/// whatever else there is between two of them.
fn probes(script: &str) -> Outcome<Vec<Probe>> {
    let mut probes: Vec<Probe> = Vec::new();
    let mut inside = false;
    for line in script.lines() {
        let code = line.split("//").next().unwrap_or_default();
        if let Some(event) = code.strip_prefix(PROBE) {
            inside = true;
            probes.push(Probe {
                event: word(event),
                fields: Vec::new(),
            });
        } else if code.starts_with(|c: char| c.is_ascii_alphabetic()) {
            inside = false;
        }
        let mut found = fields(code).peekable();
        match probes.last_mut().filter(|_| inside) {
            Some(probe) => probe.fields.extend(found),
            None if found.peek().is_none() => {}
            None => return Err(Fail::new(format!("no probe of ours: {line}"))),
        }
    }
    Ok(probes)
}

fn scripts(_: Leg) -> Outcome {
    for (name, text) in SCRIPTS {
        let probes = probes(text)?;
        let looks = probes.iter().any(|probe| !probe.fields.is_empty());
        check(looks, format!("{name} looks at nothing"))?;
        for Probe { event, fields } in probes {
            let there = tracing::fields(&event)?;
            for field in fields {
                check(
                    there.contains(&field),
                    format!("{name}: {event} has no {field}, but {there:?}"),
                )?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_script_is_looked_at() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/bpftrace");
        let mut shipped: Vec<_> = std::fs::read_dir(folder)
            .expect("the scripts")
            .map(|entry| entry.expect("a file").file_name())
            .collect();
        shipped.sort();
        assert_eq!(shipped, SCRIPTS.map(|(name, _)| name));
    }

    #[test]
    fn probes_have_the_fields_of_their_filter_and_body() {
        let script = "#!/usr/bin/env bpftrace\n\
            // args->nothing\n\
            BEGIN { @a = 1; }\n\
            tracepoint:pindma:pindma_one\n\
            /args->first > 1 && @x[args.second]/\n\
            {\n\tprintf(\"%d\", str(args->third)); // args->not\n}\n\
            END\n{\n}\n\
            tracepoint:pindma:pindma_two {}\n";
        let probe = |event: &str, fields: &[&str]| Probe {
            event: event.to_string(),
            fields: fields.iter().map(ToString::to_string).collect(),
        };
        let want = [
            probe("pindma_one", &["first", "second", "third"]),
            probe("pindma_two", &[]),
        ];
        assert_eq!(probes(script).expect("probes"), want);
    }

    #[test]
    fn fields_of_no_probe_are_noticed() {
        assert!(probes("END\n{\n\tprint(args->pages);\n}\n").is_err());
        assert!(probes("tracepoint:sched:sched_switch { print(args->prev_pid); }").is_err());
    }
}
