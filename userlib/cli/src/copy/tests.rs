// SPDX-License-Identifier: MIT OR GPL-2.0
//! The report, made up.

use super::*;

fn made() -> Report {
    Report {
        device: "/dev/pindma0".to_owned(),
        engine: "edu".to_owned(),
        bus: "0000:00:03.0".to_owned(),
        kernel_release: "7.3.4".to_owned(),
        iommu: true,
        bounce_possible: false,
        offset: 13,
        bytes: 3 << 19,
        pages: 770,
        segments: 12,
        segments_unmerged: 770,
        bounced: false,
        bounced_segments: 0,
        seconds: 0.5,
        mib_per_second: throughput(3 << 19, Duration::from_millis(500)),
        sha256_source: "ab".to_owned(),
        sha256_destination: "cd".to_owned(),
        equal: false,
    }
}

#[test]
fn json_keys_are_stable() {
    let json = serde_json::to_value(made()).expect("plain data");
    let keys: Vec<&str> = json
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    let mut expected = [
        "device",
        "engine",
        "bus",
        "kernel_release",
        "iommu",
        "bounce_possible",
        "offset",
        "bytes",
        "pages",
        "segments",
        "segments_unmerged",
        "bounced",
        "bounced_segments",
        "seconds",
        "mib_per_second",
        "sha256_source",
        "sha256_destination",
        "equal",
    ];
    expected.sort_unstable();
    assert_eq!(keys, expected);
}

#[test]
fn rows_say_how_it_went() {
    let mut report = made();
    assert_eq!(report.bounced_row(), "no");
    report.bounced_segments = 1;
    assert_eq!(report.bounced_row(), "yes, 1 segment");
}

#[test]
fn unusable_input_is_named() {
    for (path, why) in [("/nowhere", "No such file"), ("/", "not a regular file")] {
        let error = load(Path::new(path), 0).err().expect("not a file");
        let text = format!("{error:#}");
        assert!(
            text.starts_with(&format!("cannot read {path}: ")) && text.contains(why),
            "{text}"
        );
    }
}
