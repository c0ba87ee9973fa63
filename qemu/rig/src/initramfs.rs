// SPDX-License-Identifier: GPL-2.0

//! The guest's root file system: our static programs, busybox, the module, and
//! the stock modules that a case needs.

use std::fs;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cpio::Archive;

/// Where the parts come from.
pub struct Sources {
    /// Our programs: `selftests`, `pindma`, `roundtrip`, and `examples`.
    pub bin: PathBuf,
    /// Our module.
    pub module: PathBuf,
    /// The kernel's modules, with `modules.dep`; none when all is built in.
    pub modules: Option<PathBuf>,
    /// The program fio; none where memory is short.
    pub fio: Option<PathBuf>,
}

/// A file that only some guests have.
pub struct Extra {
    /// Where it goes: a folder that is there, and its name.
    pub path: String,
    /// Its permission bits.
    pub permissions: u32,
    /// What is in it.
    pub content: Vec<u8>,
}

/// Statically linked, in the build root.
const BUSYBOX: &str = "/usr/bin/busybox";

/// The crate's examples, each of which is a case.
const EXAMPLES: [&str; 5] = ["pool", "queue", "region", "tasks", "transfer"];

/// Stock modules that a case needs, without those that they depend on.
const EXTRA_MODULES: [&str; 4] = ["brd", "ext4", "aer_inject", "uio_pci_generic"];

/// Writes the initramfs to `path`.
pub fn write(path: &Path, sources: &Sources, extra: &[Extra]) -> io::Result<()> {
    let file = fs::File::create(path).map_err(|error| about(path, &error))?;
    let mut archive = Archive::new(BufWriter::new(file));
    for directory in [
        "bin",
        "bin/examples",
        "dev",
        "etc",
        "lib",
        "lib/modules-extra",
        "mutants",
        "proc",
        "root",
        "sys",
        "tmp",
    ] {
        archive.directory(directory)?;
    }
    for (name, source) in [
        ("init", "selftests"),
        ("bin/pindma", "pindma"),
        ("bin/roundtrip", "roundtrip"),
    ] {
        archive.file(name, 0o755, &read(&sources.bin.join(source))?)?;
    }
    for name in EXAMPLES {
        let name = format!("examples/{name}");
        let program = read(&sources.bin.join(&name))?;
        archive.file(&format!("bin/{name}"), 0o755, &program)?;
    }
    archive.file("bin/busybox", 0o755, &read(Path::new(BUSYBOX))?)?;
    archive.symlink("bin/sh", "busybox")?;
    if let Some(fio) = &sources.fio {
        archive.file("bin/fio", 0o755, &read(fio)?)?;
    }
    archive.file("pindma.ko", 0o644, &read(&sources.module)?)?;
    let order = match &sources.modules {
        Some(modules) => add_modules(&mut archive, modules, &EXTRA_MODULES)?,
        None => String::new(),
    };
    archive.file("lib/modules-extra/load.order", 0o644, order.as_bytes())?;
    for file in extra {
        archive.file(&file.path, file.permissions, &file.content)?;
    }
    archive.finish()?;
    Ok(())
}

/// Adds stock modules and what they need; returns their file names in loading
/// order, a line each.
fn add_modules<W: io::Write>(
    archive: &mut Archive<W>,
    modules: &Path,
    wanted: &[&str],
) -> io::Result<String> {
    if wanted.is_empty() {
        return Ok(String::new());
    }
    let dependencies = String::from_utf8_lossy(&read(&modules.join("modules.dep"))?).into_owned();
    let mut order = String::new();
    for path in loading_order(&dependencies, wanted)? {
        let name = format!("{}.ko", module_name(&path));
        archive.file(
            &format!("lib/modules-extra/{name}"),
            0o644,
            &unpacked(&modules.join(&path))?,
        )?;
        order.push_str(&name);
        order.push('\n');
    }
    Ok(order)
}

/// Paths of `wanted` and all they depend on, so that each comes after what it
/// needs. `modules.dep` lists, after each module, what it needs, last first.
fn loading_order(dependencies: &str, wanted: &[&str]) -> io::Result<Vec<String>> {
    let mut order: Vec<String> = Vec::new();
    for name in wanted {
        let line = dependencies
            .lines()
            .find(|line| {
                line.split(':')
                    .next()
                    .is_some_and(|path| module_name(path) == *name)
            })
            .ok_or_else(|| io::Error::other(format!("the kernel has no module {name}")))?;
        let (module, needs) = line.split_once(':').unwrap_or((line, ""));
        for path in needs.split_whitespace().rev().chain([module]) {
            if !order.iter().any(|known| known == path) {
                order.push(path.to_owned());
            }
        }
    }
    Ok(order)
}

/// `kernel/fs/ext4/ext4.ko.xz` is the module `ext4`.
fn module_name(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.split(".ko").next().unwrap_or(file)
}

/// A module's content; the distribution compresses it.
fn unpacked(path: &Path) -> io::Result<Vec<u8>> {
    if path.extension().is_none_or(|extension| extension != "xz") {
        return read(path);
    }
    let output = Command::new("xz").arg("-dc").arg(path).output()?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(about(
            path,
            &io::Error::other(String::from_utf8_lossy(&output.stderr)),
        ))
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    fs::read(path).map_err(|error| about(path, &error))
}

/// An error with the file that it is about.
fn about(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEPENDENCIES: &str =
        "kernel/fs/ext4/ext4.ko.xz: kernel/fs/jbd2/jbd2.ko.xz kernel/lib/crc16.ko.xz\n\
        kernel/fs/jbd2/jbd2.ko.xz:\n\
        kernel/lib/crc16.ko.xz:\n";

    #[test]
    fn a_module_comes_after_what_it_needs() {
        let order = loading_order(DEPENDENCIES, &["ext4", "jbd2"]).expect("all are there");
        let names: Vec<_> = order.iter().map(|path| module_name(path)).collect();
        assert_eq!(names, ["crc16", "jbd2", "ext4"]);
    }

    #[test]
    fn an_unknown_module_is_named() {
        let error = loading_order(DEPENDENCIES, &["xfs"]).expect_err("it is not there");
        assert!(error.to_string().contains("xfs"));
    }
}
