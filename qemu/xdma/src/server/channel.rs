// SPDX-License-Identifier: MIT OR GPL-2.0

//! How channels are called: `h2c0`, `c2h3`.

use pindma_xdma::Channel;

/// The name of a channel.
pub fn name(channel: Channel) -> String {
    match channel {
        Channel::H2c(number) => format!("h2c{number}"),
        Channel::C2h(number) => format!("c2h{number}"),
    }
}

/// The channel of a name.
pub fn named(word: &str) -> Result<Channel, String> {
    let channels = (0..4).flat_map(|number| [Channel::H2c(number), Channel::C2h(number)]);
    channels
        .into_iter()
        .find(|channel| name(*channel) == word)
        .ok_or_else(|| format!("'{word}' is no channel such as h2c0 or c2h3"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_that_of_its_channel() {
        assert_eq!(named("c2h3"), Ok(Channel::C2h(3)));
        assert_eq!(named(&name(Channel::H2c(0))), Ok(Channel::H2c(0)));
        for word in ["h2c4", "h2c", "H2C0", "c2h33"] {
            assert!(named(word).is_err(), "{word}");
        }
    }
}
