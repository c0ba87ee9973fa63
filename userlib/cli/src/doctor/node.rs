// SPDX-License-Identifier: MIT OR GPL-2.0
//! The device node, who may open it, and who has it open.

use std::fs::{self, Metadata};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use pindma::{Device, ErrorKind};

use super::finding::Finding;
use super::machine::Machine;

/// Whether the node is there and can be opened.
pub fn examine(machine: &Machine, node: &Path) -> Vec<Finding> {
    let Ok(metadata) = fs::metadata(node) else {
        return vec![missing(machine, node)];
    };
    if !metadata.file_type().is_char_device() {
        return vec![
            Finding::bad("node", format!("{} is no device", node.display()))
                .advise("remove it; the kernel makes it when the driver finds its card"),
        ];
    }
    vec![opened(machine, node, &metadata)]
}

fn missing(machine: &Machine, node: &Path) -> Finding {
    let finding = Finding::bad("node", format!("{} does not exist", node.display()));
    let others = Device::list().unwrap_or_default();
    if !others.is_empty() {
        let others: Vec<String> = others
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        return finding.advise(format!("there is {}; use --device", others.join(", ")));
    }
    if machine.has("sys/bus/pci/drivers/pindma") && !machine.has("dev/shm") {
        return finding.advise("/dev is not managed here; mount devtmpfs, or run udev");
    }
    finding.advise("it appears when the module has found its card: see above")
}

fn opened(machine: &Machine, node: &Path, metadata: &Metadata) -> Finding {
    let path = node.display();
    match Device::open(node) {
        Ok(_) => Finding::good("node", format!("{path} can be opened")),
        Err(error) => match error.kind() {
            ErrorKind::PermissionDenied { .. } => denied(node, metadata),
            ErrorKind::InUse { .. } => in_use(machine, node),
            kind => Finding::bad("node", format!("{path} cannot be opened: {kind}")),
        },
    }
}

fn denied(node: &Path, metadata: &Metadata) -> Finding {
    let (mode, owner, group) = (metadata.mode() & 0o777, metadata.uid(), metadata.gid());
    let path = node.display();
    Finding::bad(
        "node",
        format!(
            "{path} has mode {mode:04o}, owner {owner} and group {group}, and you may not open it"
        ),
    )
    .advise("run as root; or make a group of your own, and log in again:")
    .advise("groupadd --system pindma && usermod -aG pindma USER")
    .advise("then put this line into /etc/udev/rules.d/60-pindma.rules, and load the module again:")
    .advise("KERNEL==\"pindma*\", SUBSYSTEM==\"misc\", GROUP=\"pindma\", MODE=\"0660\"")
}

fn in_use(machine: &Machine, node: &Path) -> Finding {
    let users = users(machine, node);
    let finding = Finding::bad("node", format!("{} is opened exclusively", node.display()));
    if users.is_empty() {
        return finding.advise("only root can see by whom");
    }
    let by = users
        .iter()
        .map(|(pid, name)| format!("by {name}, process {pid}"));
    by.fold(finding, Finding::advise)
}

/// The processes that have the node open, as far as they can be seen.
fn users(machine: &Machine, node: &Path) -> Vec<(String, String)> {
    let processes = machine.names("proc").into_iter();
    let users = processes.filter(|pid| has_open(machine, pid, node));
    users
        .map(|pid| {
            let name = machine
                .text(&format!("proc/{pid}/comm"))
                .unwrap_or_default();
            (pid, name)
        })
        .collect()
}

fn has_open(machine: &Machine, pid: &str, node: &Path) -> bool {
    let fds = machine.names(&format!("proc/{pid}/fd"));
    let name = node.file_name().map(PathBuf::from).unwrap_or_default();
    fds.iter().any(|fd| {
        let link = machine.link(&format!("proc/{pid}/fd/{fd}"));
        link.is_some_and(|link| Path::new(&link) == name)
    })
}

#[cfg(test)]
mod tests {
    use super::super::tree::Tree;
    use super::*;

    #[test]
    fn what_is_not_there_is_told() {
        let findings = examine(&Tree::new(&[]).machine(), Path::new("/nowhere/pindma0"));
        assert_eq!(findings[0].says, "/nowhere/pindma0 does not exist");
        let findings = examine(&Tree::new(&[]).machine(), Path::new("/"));
        assert_eq!(findings[0].says, "/ is no device");
    }

    #[test]
    fn who_has_it_open_is_found() {
        let tree = Tree::new(&[("proc/12/comm", "dd\n"), ("proc/13/comm", "sh")])
            .link("proc/12/fd/3", "/dev/pindma0")
            .link("proc/13/fd/3", "/dev/pindma1");
        let users = users(&tree.machine(), Path::new("/dev/pindma0"));
        assert_eq!(users, [("12".to_owned(), "dd".to_owned())]);
    }
}
