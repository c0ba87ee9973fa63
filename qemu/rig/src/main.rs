// SPDX-License-Identifier: GPL-2.0

//! The VM runner: boots the stock kernel or the debug kernel with our module in
//! QEMU, one machine per leg, and judges what the guest printed. It runs in the build root; see
//! `make help` for the way in.

#![forbid(unsafe_code)]

mod bench;
mod console;
mod cpio;
mod demo;
mod expect;
mod initramfs;
mod ktap;
mod lines;
mod machine;
mod mode;
mod model;
mod mutants;
mod places;
mod prove;
mod shell;
mod show;
mod suite;
mod verdict;
mod vm;
mod watch;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use pindma_selftests::kernel::Kernel;
use pindma_selftests::leg::Leg;

use mode::Mode;
use places::{Places, Target};

#[derive(Parser)]
#[command(about = "Boots pindma's selftests and demo in QEMU and judges what they print")]
struct Options {
    /// The stock kernel's module directory, with vmlinuz in it.
    #[arg(long, value_name = "DIR")]
    modules: PathBuf,
    /// Run this image, the debug kernel's, with pindma-debug.ko.
    #[arg(long, value_name = "IMAGE")]
    debug: Option<PathBuf>,
    /// Our builds: pindma.ko, pindma-debug.ko and the guest's programs.
    #[arg(long, value_name = "DIR")]
    bin: PathBuf,
    /// The program fio, for the stock kernel's machine.
    #[arg(long, value_name = "FILE")]
    fio: PathBuf,
    /// Where logs go.
    #[arg(long, value_name = "DIR")]
    logs: PathBuf,
    /// Machines at a time.
    #[arg(long, value_name = "N", default_value_t = default_jobs())]
    jobs: usize,
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run the selftests.
    Test {
        /// Only this leg; can be repeated.
        #[arg(long = "leg", value_name = "NAME", value_parser = parse_leg)]
        legs: Vec<Leg>,
        /// Only cases with this in their name.
        #[arg(long, value_name = "TEXT", default_value = "", value_parser = parse_filter)]
        filter: String,
    },
    /// Have processes come and go for long, on the leg with two CPUs.
    Soak {
        /// How long, in minutes.
        #[arg(value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..=10_000))]
        minutes: u32,
    },
    /// Have things befall the device at random moments, for long.
    Outages {
        /// Only this leg; can be repeated.
        #[arg(long = "leg", value_name = "NAME", value_parser = parse_leg)]
        legs: Vec<Leg>,
        /// How often, for each way of moving data.
        #[arg(value_name = "ROUNDS", value_parser = clap::value_parser!(u32).range(1..=100_000))]
        rounds: u32,
        /// Other moments for each number.
        #[arg(long, value_name = "NUMBER", default_value_t = 0)]
        seed: u32,
    },
    /// Show a round trip.
    Demo {
        /// Through this device.
        #[arg(long, value_enum, default_value_t = demo::Device::Xdma)]
        device: demo::Device,
    },
    /// Measure what the ways to move data cost.
    Bench,
    /// Try mutants of the driver, one after the other.
    Mutants {
        /// On this leg.
        #[arg(long, value_name = "NAME", value_parser = parse_leg)]
        leg: Leg,
        /// Where they are: `list`, with a NAME FILTER each, and NAME.ko.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Prove that a guest is noticed that panics, hangs, has no plan, stops, or misuses the card.
    Prove,
    /// A shell in a machine with the model of the card.
    Card {
        /// Files for the guest's /root.
        #[arg(long, value_name = "DIR")]
        files: Option<PathBuf>,
        /// How the card is built, see xdma --help.
        #[arg(value_name = "ARGUMENT", last = true)]
        model: Vec<String>,
    },
    /// Make the initramfs and print its path.
    Initramfs,
}

/// Two where there are two CPUs: more of them mostly wait for memory.
fn default_jobs() -> usize {
    std::thread::available_parallelism().map_or(1, |cpus| cpus.get().min(2))
}

fn parse_leg(name: &str) -> Result<Leg, String> {
    let names: Vec<_> = Leg::ALL.iter().map(|leg| leg.name()).collect();
    Leg::from_name(name).ok_or_else(|| format!("there are the legs {}", names.join(", ")))
}

/// It becomes one word of the kernel's command line.
fn parse_filter(text: &str) -> Result<String, String> {
    let plain = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "_,".contains(c));
    plain
        .then(|| text.to_owned())
        .ok_or_else(|| "names of cases have letters, digits and _, and a comma parts them".into())
}

fn main() -> ExitCode {
    match run(Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("rig: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What to boot.
fn target(options: &Options) -> Target {
    match &options.debug {
        Some(image) => Target {
            kernel: Kernel::Debug,
            image: image.clone(),
            modules: None,
            module: options.bin.join("pindma-debug.ko"),
            lines: Some(options.bin.join("pindma-debug.lines")),
            fio: None,
        },
        None => Target {
            kernel: Kernel::Stock,
            image: options.modules.join("vmlinuz"),
            modules: Some(options.modules.clone()),
            module: options.bin.join("pindma.ko"),
            lines: Some(options.bin.join("pindma.lines")),
            // The demo does without.
            fio: Some(options.fio.clone()).filter(|fio| fio.exists()),
        },
    }
}

fn run(options: Options) -> io::Result<bool> {
    let target = target(&options);
    let places = Places::new(target, options.bin, options.logs);
    let initramfs = places.make_initramfs()?;
    match options.command {
        Task::Test { legs, filter } => {
            print!("modinfo of the module that runs:\n{}", places.modinfo()?);
            let legs = suite::choose(places.kernel(), legs);
            suite::test(&places, &legs, (Mode::Test, &filter), options.jobs)
        }
        Task::Soak { minutes } => {
            let mode = Mode::Soak(minutes);
            suite::test(&places, &[Leg::Smp], (mode, suite::SOAK), options.jobs)
        }
        Task::Outages { legs, rounds, seed } => {
            let choice = (Mode::Outages { rounds, seed }, suite::OUTAGES);
            let legs = suite::choose(places.kernel(), legs);
            suite::test(&places, &legs, choice, options.jobs)
        }
        Task::Demo { device } => demo::demo(&places, device),
        Task::Bench => bench::bench(&places),
        Task::Mutants { leg, folder } => {
            let patience = suite::patience(places.kernel(), Mode::Mutants);
            mutants::mutants(&places, leg, &folder, patience)
        }
        Task::Prove => prove::prove(&places, options.jobs),
        Task::Card { files, model } => shell::shell(&places, files.as_deref(), &model),
        Task::Initramfs => {
            println!("{}", initramfs.display());
            Ok(true)
        }
    }
}
