// SPDX-License-Identifier: GPL-2.0

//! The device on its bus, through sysfs: bind, unbind, configuration space.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use crate::check::{Fail, Outcome};

const DEVICES: &str = "/sys/bus/pci/devices";
const DRIVER: &str = "/sys/bus/pci/drivers/pindma";

/// Vendor and device of edu, of the model of XDMA, and of that with an id that somebody made up.
const CARDS: [(&str, &str); 3] = [
    ("0x1234", "0x11e8"),
    ("0x10ee", "0x9038"),
    ("0x10ee", "0xbeef"),
];

const COMMAND: u64 = 0x04;
const COMMAND_MEMORY: u16 = 1 << 1;
const COMMAND_MASTER: u16 = 1 << 2;
const CAPABILITIES: u64 = 0x34;
const CAPABILITY_MSI: u8 = 0x05;
const MSI_CONTROL: u64 = 2;
const MSI_ENABLE: u16 = 1;

/// The device's address, such as `0000:00:03.0`.
pub(crate) fn address() -> Outcome<String> {
    for entry in fs::read_dir(DEVICES)?.flatten() {
        let id = |name| fs::read_to_string(entry.path().join(name)).unwrap_or_default();
        let id = (id("vendor"), id("device"));
        if CARDS.contains(&(id.0.trim(), id.1.trim())) {
            return Ok(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Err(Fail::new("no card on the bus"))
}

/// Takes the device from the driver.
pub(crate) fn unbind() -> Outcome {
    drive("unbind")
}

/// Has the driver, once it is there, take the device whatever its id is.
pub(crate) fn overrule() -> Outcome {
    let path = format!("{DEVICES}/{}/driver_override", address()?);
    fs::write(&path, "pindma").map_err(|e| Fail::new(format!("{path}: {e}")))
}

/// Gives the device back to the driver.
pub(crate) fn bind() -> Outcome {
    drive("bind")
}

fn drive(what: &str) -> Outcome {
    let path = format!("{DRIVER}/{what}");
    fs::write(&path, address()?).map_err(|e| Fail::new(format!("{path}: {e}")))
}

/// Has the port above the device report a fatal error, after which the PCI core resets what is
/// below it. Returns before that has ended.
pub(crate) fn report_error() -> Outcome {
    const DATA_LINK_PROTOCOL: u32 = 1 << 4;
    inject(DATA_LINK_PROTOCOL)
}

/// Has the port above the device report an error that is not fatal, after which nothing needs to be
/// reset. Returns before the driver has been told.
pub(crate) fn report_nonfatal_error() -> Outcome {
    const COMPLETION_TIMEOUT: u32 = 1 << 14;
    inject(COMPLETION_TIMEOUT)
}

/// Needs the module `aer_inject`; the struct is that of `drivers/pci/pcie/aer_inject.c`.
fn inject(uncorrectable: u32) -> Outcome {
    const NODE: &str = "/dev/aer_inject";
    let device = fs::canonicalize(PathBuf::from(DEVICES).join(address()?))?;
    let port = device.parent().and_then(|port| port.file_name());
    // Such as 0000:00:02.0.
    let port = port.unwrap_or_default().to_string_lossy().into_owned();
    let slot = port.split([':', '.']).nth(2).unwrap_or_default();
    let slot = u8::from_str_radix(slot, 16).map_err(|e| Fail::new(format!("{port}: {e}")))?;
    let mut error = vec![0, slot, 0, 0];
    error.extend(uncorrectable.to_ne_bytes());
    // Correctable errors, the header of the packet, the domain: none.
    error.extend([0; 24]);
    fs::write(NODE, error).map_err(|e| Fail::new(format!("{NODE}: {e}")))
}

/// The device, which is found nowhere on its bus while this lives: the port above it says that its bus
/// has another number. What a reset clears meanwhile is put back, as nobody else can.
pub(crate) struct Lost {
    port: File,
    number: [u8; 1],
    saved: [u8; CONFIG],
}

/// Bytes of configuration space, of a conventional device.
const CONFIG: usize = 256;

impl Lost {
    const SECONDARY_BUS: u64 = 0x19;
    /// Beyond all that the port hands on.
    const NOWHERE: [u8; 1] = [0xff];

    pub(crate) fn now() -> Outcome<Lost> {
        let (mut number, mut saved) = ([0], [0; CONFIG]);
        config()?.read_exact_at(&mut saved, 0)?;
        let device = fs::canonicalize(PathBuf::from(DEVICES).join(address()?))?;
        let port = device.parent().unwrap_or(&device).join("config");
        let port = OpenOptions::new().read(true).write(true).open(port)?;
        port.read_exact_at(&mut number, Lost::SECONDARY_BUS)?;
        port.write_all_at(&Lost::NOWHERE, Lost::SECONDARY_BUS)?;
        Ok(Lost {
            port,
            number,
            saved,
        })
    }
}

impl Drop for Lost {
    fn drop(&mut self) {
        // The next call of the case notices if this did not work.
        let _ = self.port.write_all_at(&self.number, Lost::SECONDARY_BUS);
        let _ = config().map(|config| config.write_all_at(&self.saved, 0));
    }
}

/// Resets the device, as the PCI core does it.
pub(crate) fn reset() -> Outcome {
    let path = format!("{DEVICES}/{}/reset", address()?);
    fs::write(&path, "1").map_err(|e| Fail::new(format!("{path}: {e}")))
}

/// Takes the device off its bus.
pub(crate) fn remove() -> Outcome {
    Ok(fs::write(format!("{DEVICES}/{}/remove", address()?), "1")?)
}

/// Has the bus look for devices, and the driver take what is found.
pub(crate) fn rescan() -> Outcome {
    Ok(fs::write("/sys/bus/pci/rescan", "1")?)
}

/// Has the device's interrupts go to one CPU.
pub(crate) fn interrupts_to_cpu(cpu: u32) -> Outcome {
    for irq in fs::read_dir(format!("{DEVICES}/{}/msi_irqs", address()?))?.flatten() {
        let irq = irq.file_name().to_string_lossy().into_owned();
        fs::write(
            format!("/proc/irq/{irq}/smp_affinity_list"),
            cpu.to_string(),
        )?;
    }
    Ok(())
}

/// Whether the driver has the device.
pub(crate) fn bound() -> bool {
    address().is_ok_and(|address| PathBuf::from(DRIVER).join(address).exists())
}

/// A bit of configuration space that is put back when this is dropped.
pub(crate) struct Cleared {
    config: File,
    offset: u64,
    bit: u16,
}

impl Cleared {
    /// Switches bus mastering off: the device can neither reach memory nor
    /// send interrupts, and does not notice.
    pub(crate) fn bus_mastering() -> Outcome<Cleared> {
        Cleared::at(config()?, COMMAND, COMMAND_MASTER)
    }

    /// Switches the registers off: they read as nothing sensible, as those of a device
    /// that has left the bus do; but this one goes on with its work.
    pub(crate) fn registers() -> Outcome<Cleared> {
        Cleared::at(config()?, COMMAND, COMMAND_MEMORY)
    }

    /// Switches MSI off: every interrupt is lost.
    pub(crate) fn msi() -> Outcome<Cleared> {
        let config = config()?;
        let offset = capability(&config, CAPABILITY_MSI)?;
        Cleared::at(config, offset + MSI_CONTROL, MSI_ENABLE)
    }

    fn at(config: File, offset: u64, bit: u16) -> Outcome<Cleared> {
        let value = word(&config, offset)?;
        if value & bit == 0 {
            return Err(Fail::new(format!(
                "bit {bit:#x} at {offset:#x} is clear already"
            )));
        }
        config.write_all_at(&(value & !bit).to_le_bytes(), offset)?;
        Ok(Cleared {
            config,
            offset,
            bit,
        })
    }
}

impl Drop for Cleared {
    fn drop(&mut self) {
        if let Ok(value) = word(&self.config, self.offset) {
            let back = (value | self.bit).to_le_bytes();
            // The gate's next case notices if this did not work.
            let _ = self.config.write_all_at(&back, self.offset);
        }
    }
}

fn config() -> Outcome<File> {
    let path = format!("{DEVICES}/{}/config", address()?);
    Ok(OpenOptions::new().read(true).write(true).open(path)?)
}

fn word(config: &File, offset: u64) -> Outcome<u16> {
    let mut bytes = [0; 2];
    config.read_exact_at(&mut bytes, offset)?;
    Ok(u16::from_le_bytes(bytes))
}

/// Offset of a capability in configuration space.
fn capability(config: &File, wanted: u8) -> Outcome<u64> {
    let mut offset = u64::from(word(config, CAPABILITIES)? & 0xfc);
    for _ in 0..48 {
        let [id, next] = word(config, offset)?.to_le_bytes();
        if id == wanted {
            return Ok(offset);
        }
        offset = u64::from(next & 0xfc);
    }
    Err(Fail::new(format!("no capability {wanted:#x}")))
}
