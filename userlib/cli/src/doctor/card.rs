// SPDX-License-Identifier: MIT OR GPL-2.0
//! The cards, and who owns them.

use super::finding::Finding;
use super::machine::Machine;

const DEVICES: &str = "sys/bus/pci/devices";

/// What the driver knows if nobody asks the module: QEMU's edu.
const KNOWN: (&str, &str) = ("1234", "11e8");

/// A PCI device that pindma drives, or could.
struct Card<'m> {
    machine: &'m Machine,
    bus: String,
}

/// All cards, with their drivers, interrupts, links and IOMMU.
pub fn examine(machine: &Machine) -> Vec<Finding> {
    let cards = cards(machine);
    if cards.is_empty() {
        return vec![none(machine)];
    }
    cards.iter().flat_map(Card::examine).collect()
}

fn cards(machine: &Machine) -> Vec<Card<'_>> {
    let known = known(machine);
    let cards = machine
        .names(DEVICES)
        .into_iter()
        .map(|bus| Card { machine, bus });
    let ours = |card: &Card<'_>| {
        card.driver().as_deref() == Some("pindma")
            || card.id().is_some_and(|id| known.contains(&id))
    };
    cards.filter(ours).collect()
}

/// Vendors and devices that the module claims.
fn known(machine: &Machine) -> Vec<(String, String)> {
    let path = format!("lib/modules/{}/modules.alias", machine.release());
    let aliases = machine.text(&path).unwrap_or_default();
    let ours = aliases.lines().filter(|line| line.ends_with(" pindma"));
    let mut known: Vec<_> = ours.filter_map(claim).collect();
    known.push((KNOWN.0.to_owned(), KNOWN.1.to_owned()));
    known
}

/// The pair in "alias pci:v00001234d000011E8sv*sd*bc*sc*i* pindma".
fn claim(line: &str) -> Option<(String, String)> {
    let (vendor, rest) = line.strip_prefix("alias pci:v0000")?.split_at_checked(4)?;
    let device = rest.strip_prefix("d0000")?.get(..4)?;
    Some((vendor.to_lowercase(), device.to_lowercase()))
}

fn none(machine: &Machine) -> Finding {
    if machine.names(DEVICES).is_empty() {
        return Finding::bad("card", "this machine has no PCI bus that can be seen")
            .advise("in a container, /sys has to be that of the host");
    }
    Finding::bad("card", "no PCI device is one that pindma knows")
        .advise("`lspci -nn` lists what there is")
        .advise("a card that has just been programmed: echo 1 > /sys/bus/pci/rescan")
        .advise("a card of another kind needs an engine in the driver: see driver/engine.rs")
}

impl Card<'_> {
    fn examine(&self) -> Vec<Finding> {
        let mut findings = vec![self.owner()];
        if self.driver().as_deref() == Some("pindma") {
            findings.push(self.interrupts());
            findings.extend(self.link());
        }
        findings.push(self.iommu());
        findings
    }

    fn path(&self, name: &str) -> String {
        format!("{DEVICES}/{}/{name}", self.bus)
    }

    fn text(&self, name: &str) -> Option<String> {
        self.machine.text(&self.path(name))
    }

    fn driver(&self) -> Option<String> {
        self.machine.link(&self.path("driver"))
    }

    fn id(&self) -> Option<(String, String)> {
        let hex = |name| Some(self.text(name)?.strip_prefix("0x")?.to_owned());
        Some((hex("vendor")?, hex("device")?))
    }

    /// "0000:00:03.0 (1234:11e8)".
    fn name(&self) -> String {
        let (vendor, device) = self.id().unwrap_or_default();
        format!("{} ({vendor}:{device})", self.bus)
    }

    fn owner(&self) -> Finding {
        let (name, bus) = (self.name(), &self.bus);
        match self.driver().as_deref() {
            Some("pindma") => Finding::good("card", format!("{name} belongs to pindma")),
            Some(other) => Finding::bad("card", format!("{name} belongs to the driver {other}"))
                .advise(format!("echo pindma > /{}", self.path("driver_override")))
                .advise(format!("echo {bus} > /{}", self.path("driver/unbind")))
                .advise(format!("echo {bus} > /sys/bus/pci/drivers_probe")),
            None => Finding::bad("card", format!("{name} has no driver"))
                .advise(
                    "load the module; if it is loaded, `dmesg | grep pindma` says why it refused",
                )
                .advise(format!(
                    "to try again: echo {bus} > /sys/bus/pci/drivers_probe"
                )),
        }
    }

    fn interrupts(&self) -> Finding {
        let vectors = self.machine.names(&self.path("msi_irqs")).len();
        let line = self.text("irq").filter(|irq| irq != "0");
        match (vectors, line) {
            (0, None) => Finding::bad("interrupt", format!("{} has no interrupt", self.bus))
                .advise("transfers end only when polling sees it, which is slow")
                .advise("look for pci=nomsi on the kernel's command line, and at the card's MSI capability"),
            (0, Some(line)) => Finding::note(
                "interrupt",
                format!("{} uses the legacy line {line}, not MSI", self.bus),
            )
            .advise("a line may be shared with other devices; give the card an MSI capability"),
            (1, _) => Finding::good("interrupt", "MSI, 1 vector"),
            (vectors, _) => Finding::good("interrupt", format!("MSI, {vectors} vectors")),
        }
    }

    /// Whether the link is as fast as card and slot allow.
    fn link(&self) -> Option<Finding> {
        let (speed, most) = (
            self.text("current_link_speed")?,
            self.text("max_link_speed")?,
        );
        let (width, widest) = (
            self.text("current_link_width")?,
            self.text("max_link_width")?,
        );
        let found = format!("{speed} x{width}");
        if speed.starts_with("Unknown") || width == "0" {
            return None;
        }
        if speed == most && width == widest {
            return Some(Finding::good("link", found));
        }
        let slow = Finding::note(
            "link",
            format!("{found}, but the card can do {most} x{widest}"),
        );
        Some(slow.advise("the slot may be slower; else reseat the card, or look at link training"))
    }

    fn iommu(&self) -> Finding {
        match self.text("iommu_group/type").as_deref() {
            Some("identity") => Finding::note("IOMMU", format!("lets {} through untranslated", self.bus))
                .advise("the device can reach all of memory; iommu.passthrough=0 changes that"),
            Some(kind) => Finding::good("IOMMU", format!("translates for {} ({kind})", self.bus)),
            None => Finding::note("IOMMU", format!("there is none for {}", self.bus))
                .advise("the device can reach all of memory, and memory beyond its address bits is bounced or refused")
                .advise("turn VT-d or AMD-Vi on in the firmware, and boot with intel_iommu=on on Intel"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Grade;
    use super::super::tree::Tree;
    use super::*;

    const VENDOR: (&str, &str) = ("sys/bus/pci/devices/0000:00:03.0/vendor", "0x1234\n");
    const DEVICE: (&str, &str) = ("sys/bus/pci/devices/0000:00:03.0/device", "0x11e8\n");
    const DRIVER: &str = "sys/bus/pci/devices/0000:00:03.0/driver";

    fn grades(findings: &[Finding]) -> Vec<(&str, Grade)> {
        let grades = findings
            .iter()
            .map(|finding| (finding.subject, finding.grade));
        grades.collect()
    }

    #[test]
    fn a_bound_card_is_looked_at_closely() {
        let tree = Tree::new(&[
            VENDOR,
            DEVICE,
            ("sys/bus/pci/devices/0000:00:03.0/msi_irqs/24", "msi"),
            (
                "sys/bus/pci/devices/0000:00:03.0/iommu_group/type",
                "DMA-FQ\n",
            ),
            (
                "sys/bus/pci/devices/0000:00:03.0/current_link_speed",
                "5.0 GT/s PCIe",
            ),
            (
                "sys/bus/pci/devices/0000:00:03.0/max_link_speed",
                "8.0 GT/s PCIe",
            ),
            ("sys/bus/pci/devices/0000:00:03.0/current_link_width", "4"),
            ("sys/bus/pci/devices/0000:00:03.0/max_link_width", "8"),
        ])
        .link(DRIVER, "../../../bus/pci/drivers/pindma");
        let findings = examine(&tree.machine());
        let expected = [
            ("card", Grade::Good),
            ("interrupt", Grade::Good),
            ("link", Grade::Note),
            ("IOMMU", Grade::Good),
        ];
        assert_eq!(grades(&findings), expected);
        assert_eq!(
            findings[2].says,
            "5.0 GT/s PCIe x4, but the card can do 8.0 GT/s PCIe x8"
        );
    }

    #[test]
    fn the_driver_that_has_it_is_named() {
        let tree = Tree::new(&[VENDOR, DEVICE]).link(DRIVER, "/sys/bus/pci/drivers/xdma");
        let findings = examine(&tree.machine());
        assert_eq!(
            findings[0].says,
            "0000:00:03.0 (1234:11e8) belongs to the driver xdma"
        );
        assert!(findings[0].advice[0].ends_with("0000:00:03.0/driver_override"));
        assert_eq!(
            grades(&findings),
            [("card", Grade::Bad), ("IOMMU", Grade::Note)]
        );
    }

    #[test]
    fn without_interrupts_it_is_slow() {
        let tree = Tree::new(&[VENDOR, DEVICE]).link(DRIVER, "/pindma");
        assert_eq!(examine(&tree.machine())[1].grade, Grade::Bad);
        let line = ("sys/bus/pci/devices/0000:00:03.0/irq", "11\n");
        let tree = Tree::new(&[VENDOR, DEVICE, line]).link(DRIVER, "/pindma");
        let finding = &examine(&tree.machine())[1];
        assert_eq!(
            finding.says,
            "0000:00:03.0 uses the legacy line 11, not MSI"
        );
    }

    #[test]
    fn other_cards_are_not_ours() {
        let vendor = ("sys/bus/pci/devices/0000:00:04.0/vendor", "0x8086");
        let device = ("sys/bus/pci/devices/0000:00:04.0/device", "0x10d3");
        let tree = Tree::new(&[vendor, device]);
        let finding = &examine(&tree.machine())[0];
        assert!(finding.says.starts_with("no PCI device"));
        // It would have a card taken for another kind.
        assert!(!finding
            .advice
            .iter()
            .any(|advice| advice.contains("new_id")));
        assert!(examine(&Tree::new(&[]).machine())[0]
            .says
            .contains("no PCI bus"));
    }

    #[test]
    fn what_the_module_claims_is_ours() {
        let line = "alias pci:v000010EEd00009038sv*sd*bc*sc*i* pindma";
        assert_eq!(claim(line), Some(("10ee".to_owned(), "9038".to_owned())));
        assert_eq!(claim("alias pci:v*d*sv*sd*bc*sc*i* pindma"), None);
        let alias = ("lib/modules/7/modules.alias", line);
        let tree = Tree::new(&[
            ("proc/sys/kernel/osrelease", "7"),
            alias,
            ("sys/bus/pci/devices/0000:01:00.0/vendor", "0x10ee"),
            ("sys/bus/pci/devices/0000:01:00.0/device", "0x9038"),
        ]);
        assert_eq!(
            examine(&tree.machine())[0].says,
            "0000:01:00.0 (10ee:9038) has no driver"
        );
    }
}
