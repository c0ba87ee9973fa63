// SPDX-License-Identifier: MIT OR GPL-2.0
//! What must not compile: each file in tests/misuse/ is one misuse, and beside it
//! is what the compiler says.

#[test]
fn misuse_does_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/misuse/*.rs");
}
