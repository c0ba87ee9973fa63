// SPDX-License-Identifier: MIT OR GPL-2.0
//! The kernel and its module.

use super::finding::Finding;
use super::machine::Machine;

/// The firmware's word on Secure Boot: four bytes of attributes, then 0 or 1.
const SECURE_BOOT: &str =
    "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";

/// What a signed module ends with.
const SIGNED: &[u8] = b"~Module signature appended~\n";

/// Which kernel it is.
pub fn kernel(machine: &Machine) -> Finding {
    Finding::good("kernel", machine.release())
}

/// Whether the module is loaded.
pub fn loaded(machine: &Machine) -> Finding {
    if machine.has("sys/module/pindma") {
        return Finding::good("module", "pindma is loaded");
    }
    let release = machine.release();
    if file(machine, &release).is_some() {
        return Finding::bad("module", "pindma is installed, but not loaded")
            .advise("modprobe pindma")
            .advise("if that fails, `dmesg` says why");
    }
    Finding::bad("module", format!("there is no pindma module for {release}"))
        .advise("build it (`make module`) and load it: insmod pindma.ko")
        .advise(
            "a module fits one kernel release only; after an update of the kernel build it again",
        )
}

/// The module that modprobe would load.
fn file(machine: &Machine, release: &str) -> Option<String> {
    let modules = machine.text(&format!("lib/modules/{release}/modules.dep"))?;
    let mut names = modules.lines().filter_map(|line| line.split(':').next());
    let name = names.find(|name| name.contains("/pindma.ko"))?;
    Some(format!("lib/modules/{release}/{name}"))
}

/// Whether the module is signed, by whatever key; None if that cannot be seen,
/// as there is no file, or it is compressed.
fn is_signed(machine: &Machine) -> Option<bool> {
    let file = file(machine, &machine.release())?;
    let bytes = file.ends_with(".ko").then(|| machine.bytes(&file))??;
    Some(bytes.ends_with(SIGNED))
}

/// Whether the kernel only takes modules that are signed.
pub fn signatures(machine: &Machine) -> Option<Finding> {
    let why = enforcer(machine)?;
    if machine.has("sys/module/pindma") {
        return Some(Finding::good(
            "signature",
            format!("{why} only allows signed modules, and pindma is loaded"),
        ));
    }
    let says = format!("{why} only allows modules that are signed with a key the kernel knows");
    Some(
        graded(machine, says)
            .advise("sign pindma.ko (scripts/sign-file of the kernel, or dkms, which makes a key)")
            .advise("enrol the key once: mokutil --import KEY.der, then reboot")
            .advise("or turn Secure Boot off in the firmware"),
    )
}

/// It may well be such a module, and only not be loaded.
fn graded(machine: &Machine, says: String) -> Finding {
    match is_signed(machine) {
        Some(false) => Finding::bad("signature", format!("{says}, and pindma.ko is not signed")),
        Some(true) => Finding::note("signature", format!("{says}; pindma.ko is signed"))
            .advise("if it cannot be loaded, `dmesg` says whether the key is unknown; then:"),
        None => Finding::note("signature", says),
    }
}

/// Who only allows signed modules; None if nobody does.
fn enforcer(machine: &Machine) -> Option<&'static str> {
    let secure_boot = machine
        .bytes(SECURE_BOOT)
        .and_then(|bytes| bytes.last().copied());
    let lockdown = machine
        .text("sys/kernel/security/lockdown")
        .unwrap_or_default();
    let enforced = machine.text("sys/module/module/parameters/sig_enforce");
    let locked = lockdown.contains("[integrity]") || lockdown.contains("[confidentiality]");
    if locked && secure_boot == Some(1) {
        Some("Secure Boot, by the kernel's lockdown,")
    } else if locked {
        Some("the kernel's lockdown")
    } else if enforced.as_deref() == Some("Y") {
        Some("module.sig_enforce")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Grade;
    use super::super::tree::Tree;
    use super::*;

    const RELEASE: (&str, &str) = ("proc/sys/kernel/osrelease", "7.3.4\n");

    #[test]
    fn a_loaded_module_is_good() {
        let tree = Tree::new(&[RELEASE, ("sys/module/pindma/refcnt", "0")]);
        assert_eq!(loaded(&tree.machine()).grade, Grade::Good);
        assert_eq!(kernel(&tree.machine()).says, "7.3.4");
        assert_eq!(signatures(&tree.machine()), None);
    }

    #[test]
    fn an_installed_module_only_has_to_be_loaded() {
        let dep = ("lib/modules/7.3.4/modules.dep", "extra/pindma.ko:\n");
        let tree = Tree::new(&[RELEASE, dep]);
        assert_eq!(loaded(&tree.machine()).advice[0], "modprobe pindma");
        let tree = Tree::new(&[RELEASE]);
        assert!(loaded(&tree.machine())
            .says
            .contains("no pindma module for 7.3.4"));
    }

    #[test]
    fn secure_boot_is_told_from_lockdown() {
        let lockdown = (
            "sys/kernel/security/lockdown",
            "none [integrity] confidentiality\n",
        );
        let tree = Tree::new(&[lockdown]);
        let finding = signatures(&tree.machine()).expect("locked");
        assert!(finding.says.starts_with("the kernel's lockdown"));
        let tree = Tree::new(&[lockdown, (SECURE_BOOT, "\u{6}\0\0\0\u{1}")]);
        let finding = signatures(&tree.machine()).expect("locked");
        assert!(finding.says.starts_with("Secure Boot"));
    }

    #[test]
    fn only_a_module_that_is_not_signed_is_bad() {
        let grade = |files: &[(&str, &str)]| {
            let enforced = ("sys/module/module/parameters/sig_enforce", "Y\n");
            let files = [&[RELEASE, enforced], files].concat();
            let finding = signatures(&Tree::new(&files).machine());
            finding.expect("enforced").grade
        };
        let dep = ("lib/modules/7.3.4/modules.dep", "extra/pindma.ko:\n");
        let ko = "lib/modules/7.3.4/extra/pindma.ko";
        assert_eq!(grade(&[dep, (ko, "ELF, and no more")]), Grade::Bad);
        let signed = (ko, "ELF ~Module signature appended~\n");
        assert_eq!(grade(&[dep, signed]), Grade::Note);
        assert_eq!(grade(&[]), Grade::Note);
        let packed = ("lib/modules/7.3.4/modules.dep", "extra/pindma.ko.xz:\n");
        assert_eq!(grade(&[packed]), Grade::Note);
    }

    #[test]
    fn secure_boot_without_lockdown_allows_modules() {
        let lockdown = (
            "sys/kernel/security/lockdown",
            "[none] integrity confidentiality",
        );
        let tree = Tree::new(&[lockdown, (SECURE_BOOT, "\u{6}\0\0\0\u{1}")]);
        assert_eq!(signatures(&tree.machine()), None);
        let tree = Tree::new(&[("sys/module/module/parameters/sig_enforce", "Y\n")]);
        let finding = signatures(&tree.machine()).expect("enforced");
        assert!(finding.says.starts_with("module.sig_enforce"));
    }
}
