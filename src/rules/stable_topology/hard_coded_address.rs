//! A callee that is known by a fixed address.

// `core` and not `std`, whose network types do input and output as well: these only read what an address says.
use core::net::{IpAddr, SocketAddr};

use crate::analysis::Facts;
use crate::diagnostic::Diagnostic;
use crate::model::{CallId, Duration};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &crate::metadata::Options) -> Vec<Diagnostic> {
    facts.topology().call_ids().filter_map(|call| finding(facts, call)).collect()
}

fn finding(facts: &Facts<'_>, id: CallId) -> Option<Diagnostic> {
    facts.hop(id)?;
    let topology = facts.topology();
    let stated = facts.cascade().call(id, &[Key::Address]).given().filter(|stated| stated.setting.says("static"))?;
    let address = topology.text(*stated.setting.texts().first()?);
    let what = match host(address) {
        Host::Same => return None,
        Host::Address => "by a fixed address",
        Host::Name => "by the name of one host",
    };
    let name = prose::call(facts, id);
    let message = format!("`{name}` knows its callee {what}: `{}`", address.escape_debug());
    let mut diagnostic = prose::about_call(facts, id, stated, message);
    diagnostic.group = Some("calls know their callee by a fixed address".into());
    diagnostic.cause = Some(prose::cause(facts, id));
    diagnostic.consequence = Some(consequence(facts, id));
    diagnostic.fix = prose::replace(Some(stated), "address discovery".to_owned());
    Some(help(facts, id, diagnostic.subject(topology.call_name(id))))
}

/// What an address names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Host {
    /// The host itself: a loopback address or a socket of the file system.
    Same,
    /// An IP address.
    Address,
    /// A name.
    Name,
}

/// Reads `10.0.0.7`, `10.0.0.7:5432`, `[::1]:80`, `http://10.0.0.7/x`, `localhost:8080`, `unix:/run/db.sock`.
fn host(address: &str) -> Host {
    let address = address.trim();
    if address.starts_with('/') || address.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("unix:")) {
        return Host::Same;
    }
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let rest = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let socket = rest.parse::<SocketAddr>().map(|socket| socket.ip());
    let parsed = socket.or_else(|_| rest.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>());
    if let Ok(ip) = parsed {
        return if ip.to_canonical().is_loopback() { Host::Same } else { Host::Address };
    }
    let name = rest.split_once(':').map_or(rest, |(name, _)| name).trim_end_matches('.').to_ascii_lowercase();
    // RFC 6761, section 6.3: such names are the host itself.
    if name == "localhost" || name.ends_with(".localhost") { Host::Same } else { Host::Name }
}

fn consequence(facts: &Facts<'_>, id: CallId) -> String {
    let callee = facts.topology().callee_node(id);
    let name = facts.topology().node_name(callee);
    let replicas = facts.cascade().node(callee, Key::Replicas).given().and_then(|stated| stated.setting.count());
    match replicas.filter(|replicas| *replicas > 1) {
        Some(replicas) => {
            format!(
                "whatever moves `{name}` breaks this call, and if this is one of its {replicas} replicas, the others do not help"
            )
        }
        None => format!("whatever moves `{name}` to another host, a failover or a new zone, breaks this call"),
    }
}

/// A lifetime of half the outage that is accepted leaves the other half to notice it.
fn help(facts: &Facts<'_>, id: CallId, diagnostic: Diagnostic) -> Diagnostic {
    let callee = facts.topology().callee_node(id);
    let mut diagnostic = diagnostic.help("let it be looked up: `address dns ttl 30s`, or `address discovery`");
    let outage = facts.cascade().node(callee, Key::Rto).given().and_then(|stated| stated.setting.duration());
    if let Some(outage) = outage {
        let node = facts.topology().node_name(callee);
        let lifetime = Duration::from_nanoseconds(outage.nanoseconds() / 2);
        let lifetime = lifetime.written();
        diagnostic = diagnostic.help(format!(
            "with a `ttl` of {lifetime} or less: a failover of `{node}` may take {outage}, with the time to notice it"
        ));
    }
    diagnostic.help("or `anycast` in the place of `static`, if it is one address that stays when hosts go")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_the_host_itself_is_known_in_every_form() {
        for address in [
            "127.0.0.1",
            "127.8.9.1:80",
            "::1",
            "[::1]",
            "[::1]:5432",
            "::ffff:127.0.0.1",
            "localhost",
            "LocalHost:80",
            "api.localhost",
            "localhost.",
            "http://localhost:80/x",
            "unix:/run/db.sock",
            "unix:///run/db.sock",
            "/run/db.sock",
            "postgres://user:secret@127.0.0.1:5432/db",
        ] {
            assert_eq!(host(address), Host::Same, "{address}");
        }
    }

    #[test]
    fn addresses_and_names_are_told_apart() {
        for address in ["10.0.0.7", "10.0.0.7:5432", "[2001:db8::7]:80", "2001:db8::7", "https://10.0.0.7/x", "0.0.0.0"]
        {
            assert_eq!(host(address), Host::Address, "{address}");
        }
        for address in
            ["db-1.internal", "db-1.internal:5432", "127.0.0.1.example.org", "localhost.example.org", "", "1.2.3"]
        {
            assert_eq!(host(address), Host::Name, "{address}");
        }
    }
}
