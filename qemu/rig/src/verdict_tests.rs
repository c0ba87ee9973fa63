// SPDX-License-Identifier: GPL-2.0

//! Every way in which a run can go wrong, as logs.

use super::*;
use crate::ktap::parse;

const GOOD: &str = "KTAP version 1\n1..3\nok 1 a\nok 2 b\nok 3 c # SKIP no IOMMU\n# rig: done\n";

fn table() -> Vec<Expected> {
    let cell = |case: &str, reason: Option<&str>| Expected {
        case: case.into(),
        not_applicable: reason.map(str::to_owned),
    };
    vec![
        cell("a", None),
        cell("b", None),
        cell("c", Some("no IOMMU")),
    ]
}

fn judged_with(results: &str, ending: &Ending, logs: &Logs) -> Verdict {
    judge(&parse(results), &table(), ending, logs)
}

fn judged(results: &str) -> Verdict {
    judged_with(results, &Ending::PoweredOff, &Logs::default())
}

fn console(text: &str) -> Logs {
    Logs {
        console: text.into(),
        ..Logs::default()
    }
}

#[test]
fn good_run() {
    let verdict = judged(GOOD);
    assert_eq!(
        (verdict.passed(), verdict.failed(), verdict.skipped()),
        (2, 0, 1)
    );
}

#[test]
fn not_applicable_cells_need_no_line() {
    let verdict = judged("KTAP version 1\n1..2\nok 1 a\nok 2 b\n# rig: done\n");
    assert_eq!(
        (verdict.passed(), verdict.failed(), verdict.skipped()),
        (2, 0, 1)
    );
}

#[test]
fn failed_case_keeps_its_notes() {
    let verdict = judged(&GOOD.replace("ok 2 b", "# 3 is not 4\nnot ok 2 b"));
    assert_eq!(verdict.failed(), 1);
    assert_eq!(verdict.cells[1].1, State::Failed(vec!["3 is not 4".into()]));
}

#[test]
fn empty_log_fails() {
    let verdict = judged("");
    assert!(verdict.faults.contains(&Fault::NoPlan));
    assert!(verdict.faults.contains(&Fault::NotDone));
    assert_eq!(verdict.passed(), 0);
}

#[test]
fn missing_plan_fails() {
    assert_eq!(judged(&GOOD.replace("1..3\n", "")).faults, [Fault::NoPlan]);
    assert_eq!(
        judged(&GOOD.replace("KTAP version 1\n", "")).faults,
        [Fault::NoPlan]
    );
}

#[test]
fn truncated_log_fails_at_every_length() {
    for length in 0..GOOD.len() {
        assert!(
            judged(&GOOD[..length]).failed() > 0,
            "{:?}",
            &GOOD[..length]
        );
    }
}

#[test]
fn half_way_blames_the_case_it_was_in() {
    let verdict = judged("KTAP version 1\n1..3\nok 1 a\n# in b\n");
    assert_eq!(verdict.cells[1].1, State::Missing(vec!["in b".into()]));
    assert!(verdict.faults.contains(&Fault::NotDone));
}

#[test]
fn panic_fails_even_after_a_full_log() {
    let logs = console("[    9.9] Kernel panic - not syncing: x\n");
    let verdict = judged_with(GOOD, &Ending::PoweredOff, &logs);
    assert!(matches!(verdict.faults[..], [Fault::Panic(_)]));
}

#[test]
fn what_led_to_a_panic_is_told_as_well() {
    let log = "[    9.1] BUG: KASAN: x\n[    9.9] Kernel panic - not syncing: y\n";
    let verdict = judged_with(GOOD, &Ending::PoweredOff, &console(log));
    assert!(matches!(
        verdict.faults[..],
        [Fault::Splat(_), Fault::Panic(_)]
    ));
}

#[test]
fn hang_fails() {
    let verdict = judged_with(GOOD, &Ending::Hung("no output".into()), &Logs::default());
    assert_eq!(verdict.faults, [Fault::Hang("no output".into())]);
}

#[test]
fn splat_dma_fault_and_misuse_fail() {
    let splat = console("[    3.1] WARNING: mm/gup.c:1 at x\n");
    assert_eq!(judged_with(GOOD, &Ending::PoweredOff, &splat).failed(), 1);
    let fault = console("[    3.1] DMAR: [DMA Write NO_PASID] Request device\n");
    assert_eq!(judged_with(GOOD, &Ending::PoweredOff, &fault).failed(), 1);
    let misuse = Logs {
        qemu: "EDU: clamping DMA\n".into(),
        ..Logs::default()
    };
    assert_eq!(judged_with(GOOD, &Ending::PoweredOff, &misuse).failed(), 1);
}

fn card(log: &str) -> Verdict {
    let logs = Logs {
        model: Some(log.into()),
        ..Logs::default()
    };
    judged_with(GOOD, &Ending::PoweredOff, &logs)
}

#[test]
fn what_the_card_complains_of_fails() {
    const END: &str = "XDMA: statistics: violations=0\n";
    assert_eq!(card(&format!("XDMA: ready\n{END}")).failed(), 0);
    for line in ["violation: read of 4 bytes", "fault: Magic: 0 at 0x1000"] {
        let line = format!("XDMA: {line}");
        let verdict = card(&format!("XDMA: ready\n{line}\n{END}"));
        assert_eq!(verdict.faults, [Fault::Card(line)]);
    }
}

#[test]
fn a_card_that_goes_away_fails() {
    assert!(matches!(card("XDMA: ready\n").faults[..], [Fault::Card(_)]));
    assert!(matches!(card("").faults[..], [Fault::Card(_)]));
}

#[test]
fn exactly_the_table_runs() {
    assert_eq!(judged(&GOOD.replace("2 b", "2 x")).failed(), 2);
    assert_eq!(
        judged(&GOOD.replace("ok 2 b", "ok 2 b # SKIP because")).failed(),
        1
    );
    assert_eq!(judged(&GOOD.replace(" # SKIP no IOMMU", "")).failed(), 1);
}

#[test]
fn results_are_numbered_in_order() {
    assert_eq!(judged(&GOOD.replace("ok 2 b", "ok 4 b")).failed(), 1);
    assert!(judged(&GOOD.replace("ok 2 b", "ok 2 a")).failed() > 0);
}

#[test]
fn a_result_spoilt_by_other_output_is_lost() {
    let verdict = judged(&GOOD.replace("ok 2 b", "thread panicked ok 2 b"));
    assert!(matches!(verdict.cells[1].1, State::Missing(_)));
}
