// SPDX-License-Identifier: MIT OR GPL-2.0
//! What the driver itself says.

use std::path::Path;

use pindma::{Device, Error, Info, Result, State};

use super::finding::Finding;
use crate::report::count;

/// What the device says of itself, if it can be opened; that it cannot be is
/// told of its node.
pub fn examine(node: &Path) -> (Vec<Finding>, Option<Info>) {
    told(Device::open(node).map(|device| device.info()))
}

fn told(asked: Result<Result<Info>>) -> (Vec<Finding>, Option<Info>) {
    match asked {
        Ok(Ok(info)) => (judge(&info), Some(info)),
        Ok(Err(error)) => (vec![silent(&error)], None),
        Err(_) => (Vec::new(), None),
    }
}

/// A device that does not say what it is, such as one of another version.
fn silent(error: &Error) -> Finding {
    Finding::bad("device", error.to_string())
}

fn judge(info: &Info) -> Vec<Finding> {
    let mut findings = vec![state(info)];
    findings.extend(pinned(info));
    findings.extend(bounce(info));
    findings
}

fn state(info: &Info) -> Finding {
    let leaked = count(info.leaked_pages, "page");
    if info.state.contains(State::FAILED) {
        return Finding::bad(
            "device",
            format!("it did not stop when told to; {leaked} leaked"),
        )
        .advise("`dmesg` says when; power-cycle the card, or bind it to the driver again:")
        .advise(format!(
            "echo {} > /sys/bus/pci/drivers/pindma/unbind",
            info.bus
        ))
        .advise(format!(
            "echo {} > /sys/bus/pci/drivers/pindma/bind",
            info.bus
        ));
    }
    if info.leaked_pages > 0 {
        return Finding::note(
            "device",
            format!("{}, ready; {leaked} leaked earlier", info.engine),
        );
    }
    Finding::good("device", format!("{}, ready", info.engine))
}

/// Whether other calls have taken most of what may be pinned.
fn pinned(info: &Info) -> Option<Finding> {
    let most = count(info.pinned_limit, "page");
    let full = info.pinned_pages >= info.pinned_limit - info.pinned_limit / 10;
    full.then(|| {
        Finding::note("pinned", format!("{} of at most {most}", info.pinned_pages)).advise(
            "`pindma stat` says by whom; the module parameter max_pinned_pages is the limit",
        )
    })
}

fn bounce(info: &Info) -> Option<Finding> {
    let bits = count(info.address_bits.into(), "address bit");
    let bounce = info.state.contains(State::BOUNCE);
    bounce.then(|| {
        Finding::note(
            "bouncing",
            format!("memory may be copied on the way: the device drives {bits}"),
        )
        .advise("with an IOMMU all memory is in reach; results say what was bounced")
    })
}

#[cfg(test)]
mod tests {
    use super::super::finding::Grade;
    use super::*;

    fn info(change: impl FnOnce(&mut pindma::sys::pindma_info)) -> Info {
        let mut raw = pindma::sys::pindma_info {
            out_pinned_limit: 1000,
            ..Default::default()
        };
        raw.out_engine[..3].copy_from_slice(b"edu");
        change(&mut raw);
        Info::from(&raw)
    }

    #[test]
    fn a_healthy_device_is_short() {
        let findings = judge(&info(|_| {}));
        assert_eq!(findings, [Finding::good("device", "edu, ready")]);
    }

    #[test]
    fn a_module_of_another_version_is_told() {
        let error = || Device::open("/nowhere").expect_err("no device");
        let (findings, info) = told(Ok(Err(error())));
        let expected = Finding::bad("device", error().to_string());
        assert_eq!((findings, info), (vec![expected], None));
        // That is said of the node.
        assert_eq!(told(Err(error())), (Vec::new(), None));
    }

    #[test]
    fn a_failed_device_has_to_be_bound_again() {
        let findings = judge(&info(|raw| {
            raw.out_state = pindma::sys::PINDMA_STATE_FAILED | pindma::sys::PINDMA_STATE_BOUNCE;
            raw.out_leaked_pages = 2;
            raw.out_pinned_pages = 950;
            raw.out_addr_bits = 28;
        }));
        let grades: Vec<Grade> = findings.iter().map(|finding| finding.grade).collect();
        assert_eq!(grades, [Grade::Bad, Grade::Note, Grade::Note]);
        assert_eq!(
            findings[0].says,
            "it did not stop when told to; 2 pages leaked"
        );
        assert!(findings[2]
            .says
            .ends_with("the device drives 28 address bits"));
    }
}
