// SPDX-License-Identifier: GPL-2.0

//! `/init` of the VM: runs the selftests of one leg and powers off.
//!
//! `--use-fd N` is the other half of the case that hands a device file through
//! exec: a round trip on a file that somebody else opened.  `--region-of-fd N H`
//! is that of the case in which a region was registered before an exec.
//! `--card COMMAND` has the model of the card carry out a command.

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let code = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        // What a process becomes that has had enough.
        [_, "--nothing"] => 0,
        [_, "--use-fd", fd] => pindma_selftests::boot::use_fd(fd),
        [_, "--region-of-fd", fd, region] => pindma_selftests::boot::use_region(fd, region),
        [_, "--card", ref words @ ..] => pindma_selftests::shell::card(words),
        _ => pindma_selftests::boot::init(),
    };
    std::process::exit(code);
}
