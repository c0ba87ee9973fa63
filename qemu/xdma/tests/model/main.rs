// SPDX-License-Identifier: MIT OR GPL-2.0

//! What the model does, one file for each group of behaviours. A test `b07_...` shows a
//! part of behaviour 7 of the list that both Linux drivers and the guide make together.

mod adversary;
mod bench;
mod build;
mod counters;
mod credits;
mod data;
mod failure;
mod fetch;
mod interrupts;
mod registers;
mod run;
mod stream;
mod traces;

/// The files with tests of behaviours.
const FILES: [&str; 9] = [
    include_str!("counters.rs"),
    include_str!("credits.rs"),
    include_str!("data.rs"),
    include_str!("failure.rs"),
    include_str!("fetch.rs"),
    include_str!("interrupts.rs"),
    include_str!("registers.rs"),
    include_str!("run.rs"),
    include_str!("stream.rs"),
];

#[test]
fn every_behaviour_of_the_list_has_a_test() {
    for number in 1..=25 {
        let name = format!("fn b{number:02}_");
        assert!(FILES.iter().any(|file| file.contains(&name)), "{name}");
    }
}
