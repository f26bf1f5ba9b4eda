//! How calls share connections.

use super::Facts;
use crate::model::CallId;
use crate::vocabulary::Key;

/// Protocols that carry many calls at once over one connection, by their names without blanks, dots and case.
const MULTIPLEXED: [&str; 8] = ["grpc", "h2", "h2c", "h3", "http2", "http20", "http3", "quic"];

impl Facts<'_> {
    /// Whether the calls from one caller share one long connection, by the protocol that is stated or the client that
    /// they go through.
    #[must_use]
    pub fn is_multiplexed(&self, call: CallId) -> bool {
        let topology = self.topology();
        let plain = |name: &str| -> String {
            name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
        };
        let protocol = self.cascade().call(call, &[Key::Protocol]).given().and_then(|stated| stated.setting.word());
        match protocol {
            Some(name) => MULTIPLEXED.contains(&plain(topology.text(name)).as_str()),
            None => self.cascade().clients(call).any(|client| client.name == "grpc"),
        }
    }
}
