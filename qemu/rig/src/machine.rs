// SPDX-License-Identifier: GPL-2.0

//! The machines: one line per leg, and the QEMU command made of it.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use pindma_selftests::kernel::Kernel;
use pindma_selftests::leg::Leg;

use crate::mode::Mode;

/// What differs between the legs.
struct Machine {
    /// Guest memory, in QEMU's notation.
    memory: &'static str,
    /// Virtual CPUs.
    cpus: u32,
    /// Whether there is an IOMMU.
    iommu: bool,
    /// The device.
    device: Device,
    /// Whether guest time counts instructions: waiting is then free and figures
    /// repeat, but there is one thread.
    icount: bool,
    /// The leg's part of the kernel's command line.
    kernel: &'static str,
}

/// The device of a machine.
#[derive(Clone, Copy)]
enum Device {
    /// QEMU's own, by its name and properties.
    Own(&'static str),
    /// The model of XDMA, a program beside QEMU, with these arguments.
    Model(&'static str),
}

/// With 256 MiB all memory lies within the 28 address bits that edu has by
/// default; with more and no IOMMU, most lies beyond.
const fn machine(leg: Leg) -> Machine {
    const STRICT: &str = "intel_iommu=on iommu.strict=1";
    const EDU: Device = Device::Own("edu");
    match leg {
        Leg::Iommu | Leg::Sweep => Machine {
            memory: "1G",
            cpus: 1,
            iommu: true,
            device: EDU,
            icount: true,
            kernel: STRICT,
        },
        Leg::Lazy => Machine {
            memory: "1G",
            cpus: 1,
            iommu: true,
            device: EDU,
            icount: true,
            // Half of its memory is for what can be moved: files in memory and processes get that first.
            kernel: "intel_iommu=on iommu.strict=0 movablecore=512M",
        },
        Leg::Wide => Machine {
            memory: "4G",
            cpus: 1,
            iommu: true,
            device: Device::Own("edu,dma_mask=0xffffffffffff"),
            icount: true,
            kernel: "intel_iommu=on iommu.strict=1 hugepagesz=1G hugepages=1",
        },
        Leg::Direct => Machine {
            memory: "256M",
            cpus: 1,
            iommu: false,
            device: EDU,
            icount: true,
            kernel: "intel_iommu=off",
        },
        Leg::Reach => Machine {
            memory: "1G",
            cpus: 1,
            iommu: false,
            device: EDU,
            icount: true,
            kernel: "intel_iommu=off swiotlb=noforce",
        },
        Leg::Bounce => Machine {
            memory: "256M",
            cpus: 1,
            iommu: false,
            device: EDU,
            icount: true,
            kernel: "intel_iommu=off swiotlb=force",
        },
        Leg::Smp => Machine {
            memory: "1G",
            cpus: 2,
            iommu: true,
            device: EDU,
            icount: false,
            kernel: STRICT,
        },
        Leg::Xdma => Machine {
            memory: "1G",
            cpus: 1,
            iommu: true,
            // With so few address bits it has as much memory as edu, which the cases know.
            device: Device::Model(
                "--h2c 2 --c2h 2 --bypass --alignments 1,1,12 --bus-device 0x100",
            ),
            // The model works in real time, and a guest that counts instructions is ahead of it,
            // with sleep=on as with sleep=off: while a fetch was 0.8 s late, 5 s of polling
            // passed in the guest. Its boot also took twice the processor time, 9 s for 5.
            icount: false,
            kernel: STRICT,
        },
        Leg::XdmaSmp => Machine {
            memory: "1G",
            cpus: 2,
            iommu: true,
            device: Device::Model(LARGE),
            icount: false,
            kernel: STRICT,
        },
        Leg::Streams => Machine {
            memory: "512M",
            cpus: 1,
            iommu: true,
            device: Device::Model(
                "--h2c 2 --c2h 2 --stream --device 0xbeef --switch starved-stream=gives-up",
            ),
            icount: false,
            kernel: STRICT,
        },
    }
}

/// A card with all the channels that there can be, and 64 MiB of memory.
const LARGE: &str = "--h2c 4 --c2h 4 --bus-device 0x100";

/// Arguments of the model of the card on a leg, if it has one.
pub fn model(leg: Leg, mode: Mode) -> Option<&'static str> {
    match (machine(leg).device, mode) {
        (Device::Own(_), _) => None,
        (Device::Model(_), Mode::Demo) => Some(LARGE),
        (Device::Model(arguments), _) => Some(arguments),
    }
}

/// Guest memory of a leg. The debug kernel keeps books about every page, which it makes
/// while booting and reads in every search for lost memory: less of it takes less time.
fn memory(leg: Leg, kernel: Kernel) -> &'static str {
    match (kernel, machine(leg).memory) {
        (Kernel::Debug, "1G") => "512M",
        (_, memory) => memory,
    }
}

/// Whether a leg keeps one host CPU busy and hardly more.
pub fn is_single_threaded(leg: Leg) -> bool {
    machine(leg).cpus == 1
}

/// Files of one run.
pub struct Boot<'a> {
    /// Which kernel it is.
    pub kernel: Kernel,
    /// The kernel's image.
    pub image: &'a Path,
    /// The initramfs.
    pub initramfs: &'a Path,
    /// The program that is the model of the card.
    pub model: &'a Path,
    /// Where the logs go: `console.log`, `results.log`, `qemu.log`, `xdma.log`.
    pub logs: &'a Path,
}

/// What only the debug kernel is told: to stop at the first complaint and say where
/// it was (not all do so by themselves); to keep no arrays of objects per CPU, in
/// which kmemleak would still find the addresses of what is lost; to watch pages that
/// are freed while the IOMMU maps them; to keep as many records of mappings as a few
/// windows need; and to run a module's unit tests. Page tables have four levels: by their
/// number KASAN tells where its shadow begins, and of five an interrupt early while
/// booting makes it report a wild access.
const DEBUG: &str = "panic_on_warn=1 panic_sys_info=all_bt slab_debug=F \
    iommu.debug_pagealloc=1 page_owner=on dma_debug_entries=16384 \
    kunit.enable=1 kunit.autorun=1 no5lvl";

/// 16 MiB in slots of 2 KiB: with the usual 64 MiB the debug kernel does not come
/// up in the memory that the device reaches.
const SMALL_POOL: &str = " swiotlb=8192";

/// The kernel's command line.
fn command_line(leg: Leg, kernel: Kernel, mode: Mode, filter: &str) -> String {
    // A panic ends QEMU (-no-reboot); an oops is one, or the rest of the run
    // would only hang. The timer check measures real time: without icount a busy
    // host fails it, and the kernel panics. Debian's kernel zeroes all memory by
    // itself, which would hide that somebody forgets to.
    let mut line = format!(
        "console=ttyS0 panic=-1 oops=panic no_timer_check init_on_alloc=0 {} rig.leg={} rig.kernel={} rig.mode={}",
        machine(leg).kernel,
        leg.name(),
        kernel.name(),
        mode.name()
    );
    if kernel == Kernel::Debug {
        line.push(' ');
        line.push_str(DEBUG);
        if leg.bounces() {
            line.push_str(SMALL_POOL);
        }
        if machine(leg).icount {
            // So slow a kernel cannot tell its frequency by the other clocks, and would
            // find that out after seconds.
            line.push_str(" nolapic_timer");
        }
    }
    match mode {
        Mode::Soak(minutes) => line.push_str(&format!(" rig.soak={minutes}")),
        Mode::Outages { rounds, seed } => {
            line.push_str(&format!(" rig.outages={rounds} rig.seed={seed}"));
        }
        // Messages in between what is typed.
        Mode::Shell => line.push_str(" quiet"),
        _ => (),
    }
    if !filter.is_empty() {
        line.push_str(" rig.filter=");
        line.push_str(filter);
    }
    line
}

/// Arguments of `qemu-system-x86_64` for a leg.
pub fn arguments(leg: Leg, mode: Mode, filter: &str, boot: &Boot<'_>) -> Vec<OsString> {
    let Machine {
        cpus,
        iommu,
        device,
        icount,
        ..
    } = machine(leg);
    // With it, copying a byte takes as long as any instruction, which it does nowhere else.
    let icount = icount && mode != Mode::Bench;
    let mut words = Words(Vec::new());
    words.add("-nodefaults -no-user-config -display none -no-reboot");
    let memory = memory(leg, boot.kernel);
    words.add(&format!("-m {memory} -smp {cpus} -machine"));
    words.add(&board(device, memory));
    if !icount && has_virtualisation() {
        words.add("-accel kvm -cpu host");
    } else if icount {
        words.add("-accel tcg -cpu max -icount shift=3,sleep=off");
    } else {
        words.add("-accel tcg,thread=multi -cpu max");
    }
    if iommu {
        // Before the device that it translates for.
        words.add(&format!("-device {}", iommu_for(device)));
    }
    // Behind a port of its own it can be reset. ACPI for plugging devices in would keep the port
    // from saying that its link is up, without which the kernel takes a reset for failed.
    words.add("-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off");
    words.add("-device pcie-root-port,id=rp,chassis=1,slot=1");
    words.add(&format!("-device {} -d guest_errors", behind_port(device)));
    words.path("-D", "", &boot.logs.join("qemu.log"));
    if mode == Mode::Shell {
        words.add("-serial mon:stdio");
    } else {
        words.path("-serial", "file:", &boot.logs.join("console.log"));
    }
    words.path("-serial", "file:", &boot.logs.join("results.log"));
    words.path("-kernel", "", boot.image);
    words.path("-initrd", "", boot.initramfs);
    words.0.push("-append".into());
    words
        .0
        .push(command_line(leg, boot.kernel, mode, filter).into());
    words.0
}

/// The board. Memory that the model is to reach has to be a file that QEMU shares.
fn board(device: Device, memory: &str) -> String {
    const BOARD: &str = "q35,kernel-irqchip=split";
    match device {
        Device::Own(_) => BOARD.into(),
        Device::Model(_) => format!(
            "{BOARD},memory-backend=ram -object memory-backend-memfd,id=ram,size={memory},share=on"
        ),
    }
}

/// The IOMMU. The model learns of what is mapped only if QEMU does, for which the guest
/// has to tell of new mappings too.
fn iommu_for(device: Device) -> &'static str {
    match device {
        Device::Own(_) => "intel-iommu",
        Device::Model(_) => "intel-iommu,caching-mode=on",
    }
}

/// The device in its slot. An answer of the model may take long on a busy host, and without it
/// an access is lost. Where the model listens is a place in the machine's folder, in
/// which both programs run: the name of a socket has to be short.
fn behind_port(device: Device) -> String {
    match device {
        Device::Own(device) => format!("{device},bus=rp"),
        Device::Model(_) => format!(
            r#"{{"driver":"vfio-user-pci","bus":"rp","rombar":0,"x-msg-timeout":60000,"socket":{{"type":"unix","path":"{SOCKET}"}}}}"#
        ),
    }
}

/// Where the model listens, in the machine's folder.
pub const SOCKET: &str = "xdma.socket";

struct Words(Vec<OsString>);

impl Words {
    fn add(&mut self, words: &str) {
        self.0.extend(words.split(' ').map(OsString::from));
    }

    fn path(&mut self, option: &str, prefix: &str, path: &Path) {
        let mut word = OsString::from(prefix);
        word.push(path);
        self.0.extend([OsString::from(option), word]);
    }
}

/// Whether the processor has what KVM needs. `/dev/kvm` alone proves nothing:
/// there are machines where it exists and a guest then hangs for good.
fn has_virtualisation() -> bool {
    let flags = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let usable = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/kvm")
        .is_ok();
    usable && lists_virtualisation(&flags)
}

fn lists_virtualisation(cpuinfo: &str) -> bool {
    cpuinfo
        .lines()
        .filter(|line| line.starts_with("flags"))
        .any(|line| {
            line.split_whitespace()
                .any(|flag| flag == "vmx" || flag == "svm")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(leg: Leg) -> Vec<String> {
        let boot = Boot {
            kernel: Kernel::Stock,
            image: Path::new("/k"),
            initramfs: Path::new("/i"),
            model: Path::new("/x"),
            logs: Path::new("/l"),
        };
        arguments(leg, Mode::Test, "pin", &boot)
            .into_iter()
            .map(|word| word.into_string().expect("plain words"))
            .collect()
    }

    #[test]
    fn console_is_the_first_port_and_results_the_second() {
        let words = words(Leg::Direct);
        let serial: Vec<_> = words
            .iter()
            .filter(|word| word.starts_with("file:"))
            .collect();
        assert_eq!(serial, ["file:/l/console.log", "file:/l/results.log"]);
    }

    #[test]
    fn guest_learns_its_leg() {
        let words = words(Leg::Bounce);
        let line = words.last().expect("there are words");
        assert!(
            line.contains("swiotlb=force")
                && line.contains("rig.leg=bounce rig.kernel=stock rig.mode=test rig.filter=pin")
        );
    }

    #[test]
    fn legs_that_count_instructions_agree_with_the_table() {
        for leg in Leg::ALL {
            assert!(
                is_single_threaded(leg) || !leg.counts_time(),
                "{}",
                leg.name()
            );
            assert_eq!(
                words(leg).iter().any(|word| word == "-icount"),
                leg.counts_time()
            );
            assert_eq!(
                words(leg)
                    .iter()
                    .any(|word| word.starts_with("intel-iommu")),
                leg.has_iommu()
            );
        }
    }

    #[test]
    fn memory_is_shared_with_the_model_and_mappings_are_told() {
        let words = words(Leg::Xdma);
        let has = |wanted: &str| words.iter().any(|word| word.contains(wanted));
        assert!(has("size=1G,share=on") && has("caching-mode=on") && has(SOCKET));
        let with = |leg| model(leg, Mode::Test).is_some();
        assert!(with(Leg::Xdma) && !with(Leg::Iommu));
    }

    #[test]
    fn kvm_needs_the_processors_flag() {
        assert!(lists_virtualisation("flags\t\t: fpu vmx sse\n"));
        assert!(lists_virtualisation("flags\t\t: fpu svm\n"));
        assert!(!lists_virtualisation("flags\t\t: fpu sse\nbugs: vmx\n"));
    }
}
