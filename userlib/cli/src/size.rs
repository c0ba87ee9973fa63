// SPDX-License-Identifier: MIT OR GPL-2.0
//! Numbers of bytes, as people type them.

/// Bytes from text such as 4096, 0x1000, 64K, 1M or 2GiB; K, M, G and T are
/// powers of 1024.
pub fn parse(text: &str) -> Result<u64, String> {
    if let Some(hex) = text.strip_prefix("0x") {
        return u64::from_str_radix(hex, 16).map_err(|error| format!("{text}: {error}"));
    }
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let number: u64 = digits.parse().map_err(|error| format!("{text}: {error}"))?;
    let factor =
        factor(unit).ok_or_else(|| format!("{text}: {unit} is no unit; use K, M, G or T"))?;
    number
        .checked_mul(factor)
        .ok_or_else(|| format!("{text} is too much"))
}

/// The same, for what must be more than 0 and fit into memory.
pub fn parse_length(text: &str) -> Result<usize, String> {
    match parse(text)? {
        0 => Err("must be at least 1".to_owned()),
        bytes => usize::try_from(bytes).map_err(|_| format!("{text} is too much")),
    }
}

fn factor(unit: &str) -> Option<u64> {
    let unit = unit.strip_suffix("iB").unwrap_or(unit);
    Some(match unit {
        "" | "B" => 1,
        "K" | "k" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        "T" => 1 << 40,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_powers_of_1024() {
        for (text, bytes) in [
            ("0", 0),
            ("0x1fF", 0x1ff),
            ("12", 12),
            ("64K", 65536),
            ("64KiB", 65536),
            ("3M", 3 << 20),
            ("2GiB", 2 << 30),
            ("1T", 1 << 40),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn nonsense_is_named() {
        for text in ["", "K", "-1", "1.5M", "1 M", "7Q", "0xg", "99999999999T"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse("7Q").is_err_and(|error| error.contains("Q is no unit")));
        assert!(parse_length("0").is_err());
    }
}
