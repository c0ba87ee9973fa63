// SPDX-License-Identifier: MIT OR GPL-2.0
//! How much memory this user may pin, and what the kernel does to it.

use pindma::Memlock;

use super::finding::Finding;
use super::machine::Machine;
use crate::report::short;

/// What one call pins at a time by default.
const WINDOW: u64 = 4 << 20;
/// With less than this, regions and pools are soon refused.
const ROOMY: u64 = 64 << 20;
/// Number of `CAP_IPC_LOCK`.
const IPC_LOCK: u32 = 14;

/// The limit of locked memory: as the driver knows it, else as it looks from here.
pub fn memlock(machine: &Machine, known: Option<Memlock>) -> Finding {
    // In a user namespace a process may have the capability, and the limit
    // applies all the same; only the driver knows.
    if known.map_or_else(|| is_exempt(machine), |known| known.exempt) {
        return Finding::good("memlock", "no limit applies: this process has CAP_IPC_LOCK");
    }
    let Some(limit) = known.map_or_else(|| limit(machine), |known| known.limit) else {
        return Finding::good("memlock", "unlimited");
    };
    let used = known.map_or(0, |known| known.used);
    let says = match used {
        0 => format!("this process may lock {}", short(limit)),
        used => format!(
            "this process may lock {}, of which its user has {} already",
            short(limit),
            short(used)
        ),
    };
    let finding = match limit.saturating_sub(used) {
        ..WINDOW => Finding::bad(
            "memlock",
            format!("{says}: less is left than a long call pins at a time"),
        ),
        WINDOW..ROOMY => Finding::note(
            "memlock",
            format!("{says}: regions and pools together get no more"),
        ),
        _ => return Finding::good("memlock", says),
    };
    finding
        .advise(
            "in /etc/security/limits.d/pindma.conf: USER - memlock unlimited, then log in again",
        )
        .advise("for a service: LimitMEMLOCK=infinity; in a container: --ulimit memlock=-1")
}

/// Bytes; None if there is no limit.
fn limit(machine: &Machine) -> Option<u64> {
    let limits = machine.text("proc/self/limits")?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max locked memory"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn is_exempt(machine: &Machine) -> bool {
    let status = machine.text("proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let effective = line.and_then(|line| u64::from_str_radix(line.trim(), 16).ok());
    effective.is_some_and(|effective| effective & (1 << IPC_LOCK) != 0)
}

/// What the kernel's command line says of bounce buffers.
pub fn bouncing(machine: &Machine) -> Option<Finding> {
    let line = machine.text("proc/cmdline")?;
    let options: Vec<&str> = line
        .split_whitespace()
        .filter_map(|word| word.strip_prefix("swiotlb="))
        .collect();
    let has = |word| {
        options
            .iter()
            .any(|option| option.split(',').any(|part| part == word))
    };
    if has("force") {
        return Some(
            Finding::note(
                "bouncing",
                "swiotlb=force on the kernel's command line: everything is copied",
            )
            .advise("remove it unless you test for that"),
        );
    }
    has("noforce").then(|| {
        Finding::note(
            "bouncing",
            "swiotlb=noforce on the kernel's command line: nothing can be bounced",
        )
        .advise("memory out of the device's reach is refused (ENXIO), or copied where allowed")
    })
}

#[cfg(test)]
mod tests {
    use pindma::Info;

    use super::super::finding::Grade;
    use super::super::tree::Tree;
    use super::*;

    fn with_limit(limit: &str) -> Finding {
        let limits = format!(
            "Limit                     Soft Limit           Hard Limit           Units\n\
             Max locked memory         {limit:20} {limit:20} bytes\n"
        );
        let tree = Tree::new(&[
            ("proc/self/limits", &limits),
            ("proc/self/status", "CapEff:\t00000000a80425fb\n"),
        ]);
        memlock(&tree.machine(), None)
    }

    #[test]
    fn small_limits_are_told() {
        assert_eq!(with_limit("65536").grade, Grade::Bad);
        let finding = with_limit("8388608");
        assert_eq!(finding.grade, Grade::Note);
        assert!(finding.says.starts_with("this process may lock 8.0 MiB"));
        assert_eq!(with_limit("1073741824").grade, Grade::Good);
        assert_eq!(with_limit("unlimited").says, "unlimited");
    }

    #[test]
    fn root_has_no_limit() {
        let tree = Tree::new(&[("proc/self/status", "CapEff:\t000001ffffffffff\n")]);
        assert!(memlock(&tree.machine(), None).says.contains("CAP_IPC_LOCK"));
    }

    #[test]
    fn the_driver_knows_better() {
        // As in a user namespace: all capabilities, and none that counts here.
        let tree = Tree::new(&[("proc/self/status", "CapEff:\t000001ffffffffff\n")]);
        let known = |used, limit, state| {
            let raw = pindma::sys::pindma_info {
                out_memlock_used: used,
                out_memlock_limit: limit,
                out_state: state,
                ..Default::default()
            };
            memlock(&tree.machine(), Some(Info::from(&raw).memlock))
        };
        let finding = known(6 << 20, 8 << 20, 0);
        assert_eq!(finding.grade, Grade::Bad);
        assert!(
            finding.says.contains("8.0 MiB, of which its user has 6.0"),
            "{}",
            finding.says
        );
        assert_eq!(known(0, u64::MAX, 0).says, "unlimited");
        let exempt = known(0, 4096, pindma::sys::PINDMA_STATE_MEMLOCK_EXEMPT);
        assert_eq!(exempt.grade, Grade::Good);
    }

    #[test]
    fn the_command_line_is_read() {
        let says = |line| {
            let tree = Tree::new(&[("proc/cmdline", line)]);
            bouncing(&tree.machine()).map(|finding| finding.says)
        };
        assert!(says("quiet swiotlb=65536,force").is_some_and(|says| says.contains("copied")));
        assert!(says("swiotlb=noforce").is_some_and(|says| says.contains("nothing")));
        assert_eq!(says("quiet swiotlb=65536"), None);
    }
}
