// SPDX-License-Identifier: MIT OR GPL-2.0

//! Behaviours 18 and 19: what either side refuses, and bus mastering.

use pindma_xdma::{
    AxiError, BadWindow, BusError, BusMasterOff, Channel, Config, Progress, RestartAfterError,
    Rule, Switches,
};

use crate::bench::*;

const ERRORS: [BusError; 5] = [
    BusError::UnsupportedRequest,
    BusError::CompleterAbort,
    BusError::Parity,
    BusError::Poisoned,
    BusError::UnexpectedCompletion,
];

#[test]
fn b18_a_source_that_cannot_be_read_stops_with_its_bit() {
    for (bit, error) in (9..).zip(ERRORS) {
        let mut bench = Bench::memory();
        bench.pages_to_card(3);
        bench.ram.bad.insert(SOURCE + 4096, error);
        bench.start(H2C, LIST, 0);
        bench.run();
        assert_eq!(bench.read(H2C + STATUS), 1 << bit, "{error}");
        assert_eq!(bench.read(H2C + COUNT), 1);
        assert_eq!(bench.on_card(0x2000, 1), [0]);
        assert_eq!(bench.read(H2C + CONTROL), VENDOR);
    }
}

#[test]
fn b18_a_descriptor_that_cannot_be_read_stops_after_those_before_it() {
    for (bit, error) in (19..).zip(ERRORS) {
        let mut bench = Bench::memory();
        let entries = bench.pages_to_card(3);
        let far = list::Entry {
            next: 0x70_0000,
            ..entries[1]
        };
        bench.ram.put(LIST + 32, &far.bytes());
        bench.ram.bad.insert(0x70_0000, error);
        bench.start(H2C, LIST, 0);
        bench.run();
        assert_eq!(bench.read(H2C + STATUS), 1 << bit, "{error}");
        assert_eq!(bench.read(H2C + COUNT), 2);
    }
}

#[test]
fn b18_a_write_to_nowhere_is_silent() {
    let mut bench = Bench::memory();
    bench.pages_from_card(2);
    bench.ram.bad.insert(TARGET, BusError::UnsupportedRequest);
    bench.start(C2H, LIST, 0);
    bench.run();
    assert_eq!(bench.read(C2H + STATUS), STOPPED | COMPLETED);
    assert_eq!(bench.read(C2H + COUNT), 2);
    assert_eq!(bench.ram.get(TARGET + 4096, 1), [2]);
    let lost = bench.card.statistics().channel(Channel::C2h(0)).lost_writes;
    assert_eq!(lost, 1);
}

#[test]
fn an_error_that_is_not_logged_stops_nothing() {
    let mut bench = Bench::memory();
    bench.pages_to_card(3);
    bench
        .ram
        .bad
        .insert(SOURCE + 4096, BusError::UnsupportedRequest);
    bench.first(H2C, LIST, 0);
    bench.write(H2C + CONTROL, VENDOR & !(0x1f << 9));
    bench.run();
    assert_eq!(bench.read(H2C + STATUS), STOPPED | COMPLETED);
    assert_eq!(bench.read(H2C + COUNT), 3);
}

#[test]
fn other_channels_go_on_when_one_fails() {
    let mut bench = Bench::memory();
    bench.pages_to_card(3);
    bench.ram.put(LIST + 0x4000, &[0; 32]);
    bench.start(H2C + 0x100, LIST + 0x4000, 0);
    bench.start(H2C, LIST, 0);
    bench.run();
    assert_eq!(bench.read(H2C + 0x100 + STATUS), 1 << 4);
    assert_eq!(bench.read(H2C + STATUS), STOPPED | COMPLETED);
}

/// Bus mastering goes off after the first of three descriptors.
fn without_bus_master(bus_master_off: BusMasterOff) -> Bench {
    let mut bench = Bench::new(Config {
        switches: Switches {
            bus_master_off,
            ..Switches::default()
        },
        ..Config::default()
    });
    bench.pages_to_card(3);
    bench.start(H2C, LIST, 0);
    bench.step_until(|bench| bench.read(H2C + COUNT) >= 1);
    bench.card.set_bus_master(false, &mut bench.ram);
    bench
}

#[test]
fn b18_switch_requests_wait_for_bus_mastering() {
    let mut bench = without_bus_master(BusMasterOff::Hold);
    assert_eq!(bench.run(), Progress::Idle);
    assert_eq!(bench.read(H2C + STATUS), 1);
    bench.write(H2C + CONTROL_CLEAR, 1);
    bench.run();
    assert!(bench.is_busy(H2C));
    bench.card.set_bus_master(true, &mut bench.ram);
    bench.run();
    assert!(!bench.is_busy(H2C));
}

#[test]
fn b18_switch_run_0_drops_the_requests_that_wait() {
    let mut bench = without_bus_master(BusMasterOff::HoldUntilStopped);
    bench.run();
    assert!(bench.is_busy(H2C));
    let before = bench.ram.events.len();
    bench.write(H2C + CONTROL_CLEAR, 1);
    bench.run();
    assert!(!bench.is_busy(H2C));
    assert_eq!(bench.read(H2C + COUNT), 1);
    assert_eq!(bench.ram.events.len(), before);
    assert_eq!(bench.card.in_flight_ranges(), []);
}

#[test]
fn b18_switch_requests_fail_without_bus_mastering() {
    let mut bench = without_bus_master(BusMasterOff::Fail);
    let before = bench.ram.events.len();
    bench.run();
    assert_eq!(bench.read(H2C + STATUS), 1 << 9);
    assert_eq!(bench.ram.events.len(), before);
}

#[test]
fn messages_wait_for_bus_mastering() {
    let mut bench = Bench::memory();
    bench.card.set_bus_master(false, &mut bench.ram);
    bench.write(IRQ + 0x04, 1);
    bench.card.set_user_line(0, true, &mut bench.ram);
    assert_eq!(bench.ram.messages(), []);
    bench.card.set_bus_master(true, &mut bench.ram);
    assert_eq!(bench.ram.messages(), [0]);
}

#[test]
fn run_without_bus_mastering_is_a_fault() {
    let mut bench = Bench::memory();
    bench.pages_to_card(1);
    bench.card.reset(&mut bench.ram);
    bench.start(H2C, LIST, 0);
    assert_eq!(bench.faults(), [Rule::RunWithoutBusMaster]);
}

#[test]
fn run_is_none_after_somebody_took_bus_mastering_away() {
    let mut bench = Bench::memory();
    bench.pages_to_card(1);
    bench.card.set_bus_master(false, &mut bench.ram);
    bench.start(H2C, LIST, 0);
    assert_eq!(bench.faults(), []);
}

fn bad(start: u64, error: AxiError) -> Vec<BadWindow> {
    vec![BadWindow {
        addresses: start..start + 0x10,
        error,
    }]
}

#[test]
fn b19_a_place_on_the_card_that_refuses_stops_with_its_bit() {
    for (number, error) in [(0, AxiError::Decode), (1, AxiError::Slave)] {
        let mut bench = Bench::memory();
        bench.pages_to_card(3);
        bench.card.set_bad_windows(bad(0x1ff0, error));
        bench.first(H2C, LIST, 0);
        bench.write(H2C + CONTROL, IN_TREE);
        bench.run();
        assert_eq!(bench.read(H2C + STATUS), 1 << (14 + number));
        assert_eq!(bench.read(H2C + COUNT), 1);
        assert_eq!(bench.on_card(0x1fe0, 16), [2; 16]);

        let mut bench = Bench::memory();
        bench.pages_from_card(3);
        bench.card.set_bad_windows(bad(0x2000, error));
        bench.start(C2H, LIST, 0);
        bench.run();
        assert_eq!(bench.read(C2H + STATUS), 1 << (9 + number));
        assert_eq!(bench.read(C2H + COUNT), 2);
    }
}

#[test]
fn b19_nobody_decodes_what_is_behind_the_memory() {
    let mut bench = Bench::new(Config {
        memory_size: 8192,
        ..Config::default()
    });
    bench.pages_to_card(3);
    bench.first(H2C, LIST, 0);
    bench.write(H2C + CONTROL, IN_TREE);
    bench.run();
    assert_eq!(bench.read(H2C + STATUS), 1 << 14);
    assert_eq!(bench.read(H2C + COUNT), 2);
}

#[test]
fn switch_after_an_error_run_works_or_needs_a_reset() {
    for (restart_after_error, count) in [
        (RestartAfterError::Works, 1),
        (RestartAfterError::NeedsReset, 0),
    ] {
        let mut bench = Bench::new(Config {
            switches: Switches {
                restart_after_error,
                ..Switches::default()
            },
            ..Config::default()
        });
        bench.ram.put(LIST, &[0; 32]);
        bench.start(H2C, LIST, 0);
        bench.run();
        bench.write(H2C + CONTROL_CLEAR, 1);
        bench.pages_to_card(1);
        bench.start(H2C, LIST, 0);
        bench.run();
        assert_eq!(bench.read(H2C + COUNT), count);
    }
}
