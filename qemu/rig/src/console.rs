// SPDX-License-Identifier: GPL-2.0

//! What a kernel's console says when something is wrong.

/// Signs that may stand anywhere in a line.
const ANYWHERE: [&str; 26] = [
    "BUG: ",
    "Oops: ",
    "Kernel panic",
    "KASAN: ",
    "KFENCE: ",
    "UBSAN: ",
    "kernel BUG at",
    "cut here ]",
    "general protection fault",
    "unable to handle",
    "rust_kernel: panicked",
    "refcount_t: ",
    "list_add corruption",
    "list_del corruption",
    "DEBUG_LOCKS_WARN_ON",
    "possible circular locking",
    "possible recursive locking",
    "inconsistent lock state",
    "scheduling while atomic",
    "sleeping function called",
    "blocked for more than",
    "detected stall",
    "soft lockup",
    "Bad page state",
    "DMA-API: ",
    "swiotlb buffer is full",
];

/// Signs at the start of a message; elsewhere they are harmless.
const AT_START: [&str; 5] = [
    "WARNING: ",
    "DMAR: [DMA",
    "DMAR: ERROR",
    "DMAR: DRHD: handling fault status",
    "overflow 0x",
];

/// What some of these services say when they begin.
const HARMLESS: [&str; 2] = [
    "DMA-API: preallocated ",
    "DMA-API: debugging enabled by kernel config",
];

/// The lines of a console log that no healthy run prints, in their order.
pub fn complaints(log: &str) -> Vec<&str> {
    log.lines()
        .map(str::trim_end)
        .filter(|line| is_complaint(line))
        .collect()
}

fn is_complaint(line: &str) -> bool {
    let message = without_stamp(line);
    let harmless = HARMLESS.iter().any(|sign| message.starts_with(sign));
    let sign = AT_START.iter().any(|sign| message.starts_with(sign))
        || ANYWHERE.iter().any(|sign| message.contains(sign));
    sign && !harmless
}

/// Takes the time, and the task if it is printed, off a console line:
/// `[    1.234567][  T1] message`.
fn without_stamp(mut line: &str) -> &str {
    while let Some(rest) = line.strip_prefix('[') {
        match rest.split_once(']') {
            Some((stamp, rest)) if is_stamp(stamp) => line = rest.trim_start(),
            _ => break,
        }
    }
    line
}

fn is_stamp(text: &str) -> bool {
    let text = text.trim_start();
    let text = text.strip_prefix(['T', 'C']).unwrap_or(text);
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// Lines of QEMU's guest-error log that show the device being misused.
pub fn device_errors(log: &str) -> Vec<&str> {
    log.lines().filter(|line| line.contains("EDU:")).collect()
}

/// Lines of the card's log that show it, its driver, or itself at fault.
pub fn model_errors(log: &str) -> Vec<&str> {
    const SIGNS: [&str; 4] = [
        "XDMA: violation: ",
        "XDMA: fault: ",
        "XDMA: vfio-user: ",
        "panicked at",
    ];
    log.lines()
        .filter(|line| SIGNS.iter().any(|sign| line.contains(sign)))
        .collect()
}

/// Whether the card came to its end: it says then what happened.
pub fn model_ended(log: &str) -> bool {
    log.lines()
        .any(|line| line.starts_with("XDMA: statistics: "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_healthy_boot_has_none() {
        let log = "[    0.000000] Linux version 7.3.4\n\
            [    0.100000] Spectre V2 : WARNING: Unprivileged eBPF is enabled\n\
            [    0.200000] DMAR: IOMMU enabled\n\
            [    0.300000] Loading compiled-in module X.509 certificates\n\
            [    1.500000] DMA-API: preallocated 16384 debug entries\n\
            [    1.500000] DMA-API: debugging enabled by kernel config\n\
            [    2.000000] pindma: loading out-of-tree module taints kernel.\n";
        assert!(complaints(log).is_empty());
    }

    #[test]
    fn splats_are_seen() {
        for line in [
            "[    3.1] WARNING: mm/gup.c:3071 at try_grab_folio+0x1/0x2, CPU#0: x/1",
            "[    3.1][  T12] BUG: kernel NULL pointer dereference, address: 0",
            "[    3.1] ------------[ cut here ]------------",
            "[    9.9] Kernel panic - not syncing: Attempted to kill init!",
            "[    3.1] DMAR: [DMA Read NO_PASID] Request device [00:01.0] fault addr 0x1000",
            "[    3.1] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
            "[    3.1] DMA-API: pindma 0000:00:02.0: device driver frees DMA memory with wrong size",
            "[    3.1] INFO: task x:1 blocked for more than 120 seconds.",
            "WARNING: possible circular locking dependency detected",
        ] {
            assert_eq!(complaints(line).len(), 1, "{line}");
        }
    }

    #[test]
    fn only_edu_counts_in_qemus_log() {
        let log = "vtd: something\nEDU: clamping DMA 0x1 to 0x0!\n";
        assert_eq!(device_errors(log), ["EDU: clamping DMA 0x1 to 0x0!"]);
    }

    #[test]
    fn what_the_card_pardons_is_no_error() {
        let log = "XDMA: ready\nXDMA: pardoned violation: a\nXDMA: statistics: violations=0\n";
        assert!(model_errors(log).is_empty() && model_ended(log));
        let log = "XDMA: violation: b\nXDMA: fault: c\nthread 'x' panicked at y\n";
        assert_eq!(model_errors(log).len(), 3);
        assert!(!model_ended(log));
    }
}
