// SPDX-License-Identifier: MIT OR GPL-2.0

//! What a build may look like.

use pindma_xdma::{BarKind, Card, Config};

#[test]
fn a_build_names_the_field_that_cannot_be() {
    let config = Config {
        c2h: 5,
        ..Config::default()
    };
    let refused = Card::new(config).err().map(|error| error.field);
    assert_eq!(refused, Some("c2h"));
}

#[test]
fn the_bars_stand_in_the_order_of_the_guide() {
    let config = Config {
        bypass: true,
        dma_bar: 2,
        ..Config::default()
    };
    let kinds: Vec<_> = config
        .bars()
        .iter()
        .map(|bar| (bar.index, bar.kind))
        .collect();
    let expected = [(0, BarKind::User), (2, BarKind::Dma), (3, BarKind::Bypass)];
    assert_eq!(kinds, expected);
}
