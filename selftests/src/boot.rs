// SPDX-License-Identifier: GPL-2.0

//! `/init`: makes the VM habitable, does what the command line asks for, and
//! switches the machine off.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::process::{Command, Stdio};

use crate::abi;
use crate::bench;
use crate::card;
use crate::cases::regions::owners::after_exec;
use crate::check::{Fail, Outcome};
use crate::compare::{flat, Bench};
use crate::debug::{self, kunit};
use crate::demo;
use crate::device::{seg, Device, PAGE};
use crate::flight;
use crate::gate::Gate;
use crate::harness;
use crate::kernel::Kernel;
use crate::ktap;
use crate::leg::{self, Leg};
use crate::module;
use crate::mutants;
use crate::os;
use crate::pci;
use crate::process;
use crate::queue::{entry, Queue};
use crate::shell;
use crate::sys::{self, signals, Mapping};
use crate::table::{cases, chooses, Case, Pace};

/// The last line of every run that came to its end.
const DONE: &str = "# rig: done";

/// What the kernel's command line says, as `rig.*=` words.
#[derive(Debug)]
struct Orders {
    leg: Leg,
    kernel: Kernel,
    mode: String,
    filter: String,
}

impl Orders {
    fn read() -> Outcome<Orders> {
        let word = |key, usual: &str| os::order(key).unwrap_or_else(|| usual.to_owned());
        let leg = word("rig.leg=", "iommu");
        let kernel = word("rig.kernel=", "stock");
        Ok(Orders {
            leg: Leg::from_name(&leg).ok_or_else(|| Fail::new(format!("no leg {leg}")))?,
            kernel: Kernel::from_name(&kernel)
                .ok_or_else(|| Fail::new(format!("no kernel {kernel}")))?,
            mode: word("rig.mode=", "test"),
            filter: word("rig.filter=", ""),
        })
    }

    fn chosen(&self) -> Vec<&'static Case> {
        cases()
            .filter(|case| case.is_chosen(&self.filter))
            .collect()
    }
}

/// The whole life of the VM.
pub fn init() -> i32 {
    if std::process::id() != 1 {
        eprintln!("selftests: this is /init of the test VM");
        return 2;
    }
    let outcome = prepare()
        .and_then(|()| Orders::read())
        .and_then(|orders| obey(&orders));
    if let Err(Fail(why)) = outcome {
        ktap::note(&format!("rig: {why}"));
    }
    os::drain_output();
    os::power_off()
}

fn obey(orders: &Orders) -> Outcome {
    describe(orders)?;
    if orders.kernel == Kernel::Debug {
        leg::needs_many_instructions();
    }
    match orders.mode.as_str() {
        "test" => test(orders),
        "demo" => demo::run(orders.leg).map(|()| done()),
        "mutants" => mutants::run((orders.leg, orders.kernel)).map(|()| done()),
        "bench" => bench::run(orders.leg).map(|()| done()),
        "panic" => panic_kernel(),
        "hang" => hang(),
        "noplan" => no_plan(),
        "halfway" => half_way(),
        "card" => {
            bare_card(orders);
            Ok(())
        }
        "stray" => stray(),
        "off" => switched_off(orders.leg),
        "shell" => shell::run(),
        other => Err(Fail::new(format!("no mode {other}"))),
    }
}

fn prepare() -> Outcome {
    signals::block_ends_of_children()?;
    // The kernel starts init in group 0, which is the number of none.
    process::own_group()?;
    let mounts = [
        ("proc", "/proc"),
        ("sysfs", "/sys"),
        ("devtmpfs", "/dev"),
        ("tmpfs", "/tmp"),
        ("debugfs", "/sys/kernel/debug"),
    ];
    for (kind, target) in mounts {
        fs::create_dir_all(target).or_else(already)?;
        os::mount(kind, target).map_err(|e| Fail::new(format!("{target}: {e}")))?;
    }
    let port = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/ttyS1")?;
    Ok(os::redirect_output(port.as_fd())?)
}

fn already(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::AlreadyExists => Ok(()),
        _ => Err(error),
    }
}

fn describe(orders: &Orders) -> Outcome {
    let version = fs::read_to_string("/proc/version")?;
    ktap::note(version.trim());
    match module::vermagic() {
        Ok(magic) => ktap::note(&format!("pindma.ko vermagic {}", magic.trim())),
        Err(Fail(why)) => ktap::note(&why),
    }
    ktap::note(&format!("leg {}, mode {}", orders.leg.name(), orders.mode));
    Ok(())
}

fn test(orders: &Orders) -> Outcome {
    let chosen = orders.chosen();
    if orders.leg.is_overridden() {
        pci::overrule()?;
    }
    if let Err(Fail(why)) = module::load(&module::parameters(orders.leg)) {
        ktap::note(&why);
    }
    let more = match orders.kernel {
        Kernel::Stock => More::default(),
        Kernel::Debug => More::begin(orders),
    };
    ktap::plan(chosen.len() + more.count());
    let mut gate = Gate::new();
    let first = chosen.len() + 1;
    for (index, case) in chosen.into_iter().enumerate() {
        if harness::run(index + 1, case, (orders.leg, orders.kernel), &mut gate).is_err() {
            ktap::line("Bail out! A case cannot be killed");
            return Ok(());
        }
    }
    more.report(first);
    done();
    Ok(())
}

/// Results that the debug kernel has beside those of the cases.
#[derive(Default)]
struct More {
    units: Vec<kunit::UnitTest>,
    watched: bool,
}

impl More {
    fn begin(orders: &Orders) -> More {
        let mut units = kunit::results().unwrap_or_else(|Fail(why)| {
            ktap::note(&why);
            Vec::new()
        });
        units.retain(|test| chooses(&orders.filter, &test.name));
        if let Err(Fail(why)) = kunit::no_more().and_then(|()| debug::start()) {
            ktap::note(&why);
        }
        More {
            units,
            watched: true,
        }
    }

    fn count(&self) -> usize {
        self.units.len() + usize::from(self.watched) * debug::AT_THE_END.len()
    }

    fn report(self, mut number: usize) {
        for test in self.units {
            test.notes.iter().for_each(|note| ktap::note(note));
            ktap::result(number, &test.name, test.passed);
            number += 1;
        }
        if !self.watched {
            return;
        }
        for (name, found) in debug::last_words() {
            found.iter().for_each(|line| ktap::note(line));
            ktap::result(number, name, found.is_empty());
            number += 1;
        }
    }
}

fn done() {
    ktap::line(DONE);
}

/// Runs a program with our output, and says how it ended.
pub(crate) fn program(path: &str, args: &[&str]) -> Outcome<std::process::ExitStatus> {
    Command::new(path)
        .args(args)
        .stdin(Stdio::null())
        .status()
        .map_err(|e| Fail::new(format!("{path}: {e}")))
}

// ---- the four ways to fail that the runner must notice ----

/// Starts as a run that passes, and then the kernel panics.
fn panic_kernel() -> Outcome {
    ktap::plan(2);
    ktap::result(1, "before_the_panic", true);
    os::drain_output();
    fs::write("/proc/sys/kernel/sysrq", "1")?;
    Ok(fs::write("/proc/sysrq-trigger", "c")?)
}

/// Starts as a run that passes, and then nothing happens any more.
fn hang() -> Outcome {
    ktap::plan(2);
    ktap::result(1, "before_the_hang", true);
    loop {
        module::pause(1_000_000);
    }
}

/// Everything is well but for the plan.
fn no_plan() -> Outcome {
    ktap::header();
    ktap::result(1, "without_a_plan", true);
    done();
    Ok(())
}

/// Switches off in the middle.
fn half_way() -> Outcome {
    ktap::plan(2);
    ktap::result(1, "before_the_end", true);
    Ok(())
}

// ---- the model of XDMA, without the module ----

/// Runs the cases that need no driver.
fn bare_card(orders: &Orders) {
    let chosen = orders.chosen();
    ktap::plan(chosen.len());
    for (index, case) in chosen.into_iter().enumerate() {
        if harness::run_bare(index + 1, case, orders.leg).is_err() {
            return;
        }
    }
    done();
}

/// Everything is well but for what the card did, which it tells the runner.
fn stray() -> Outcome {
    ktap::plan(1);
    card::stray()?;
    ktap::result(1, "a_stray_read", true);
    done();
    Ok(())
}

/// Switches off while the card works for us and more waits for it: it must have stopped by then, or
/// it would go on with memory that is another's.
fn switched_off(leg: Leg) -> Outcome {
    const REQUESTS: u64 = 8;
    ktap::plan(0);
    module::load(&module::parameters(leg))?;
    card::set_pace(Pace::Slow)?;
    let (device, memory) = (Device::open()?, Mapping::anonymous(PAGE)?);
    let queue = Queue::create(&device, REQUESTS as u32)?;
    let of = |name| entry(name, abi::FROM_DEVICE, 0, seg(&memory, 0, PAGE));
    let requests: Vec<_> = (0..REQUESTS).map(of).collect();
    queue.submit(&device, &requests).all(REQUESTS as usize)?;
    flight::wait_for_job(&device)?;
    // Nobody closes or unmaps anything.
    std::mem::forget((device, memory, queue));
    done();
    Ok(())
}

// ---- the other half of a case ----

/// A file that was inherited, and a region of it that was made with other
/// memory; the exit code.
pub fn use_region(number: &str, region: &str) -> i32 {
    let outcome = number.parse().map_err(Fail::from).and_then(|number| {
        let device = Device::from(sys::inherited_fd(number)?);
        after_exec(&device, region.parse()?)
    });
    exit_code("--region-of-fd", outcome)
}

/// A round trip on a file that was inherited; the exit code.
pub fn use_fd(number: &str) -> i32 {
    let outcome = number.parse().map_err(Fail::from).and_then(|number| {
        let device = Device::from(sys::inherited_fd(number)?);
        let (src, dst) = (Mapping::anonymous(PAGE)?, Mapping::anonymous(PAGE)?);
        Bench::on(device, src, dst).round_trip(flat(PAGE))
    });
    exit_code("--use-fd", outcome)
}

fn exit_code(what: &str, outcome: Outcome) -> i32 {
    match outcome {
        Ok(()) => 0,
        Err(Fail(why)) => {
            ktap::note(&format!("{what}: {why}"));
            1
        }
    }
}
