//! Whether two names of a protocol, a format or a version mean the same. Names are free, so only what is plain is
//! decided: the same letters, or nothing in common.

/// What two names say of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Agreement {
    /// They mean the same.
    Same,
    /// They may.
    Unclear,
    /// They do not.
    Different,
}

/// Styles of use of HTTP, which are named as if they were protocols.
const OVER_HTTP: [&str; 3] = ["rest", "graphql", "soap"];

/// Protocols and formats: letters and digits count, without case. `http` and `http2` may be the same, as one is the
/// beginning of the other.
pub(super) fn names(one: &str, other: &str) -> Agreement {
    let plain =
        |name: &str| -> String { name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect() };
    let (one, other) = (plain(one), plain(other));
    let http = |style: &str, carrier: &str| OVER_HTTP.contains(&style) && carrier.starts_with("http");
    match (one == other, one.is_empty() || other.is_empty()) {
        (true, _) => Agreement::Same,
        (false, true) => Agreement::Unclear,
        _ if one.starts_with(&other) || other.starts_with(&one) => Agreement::Unclear,
        _ if http(&one, &other) || http(&other, &one) => Agreement::Unclear,
        _ => Agreement::Different,
    }
}

/// Versions: numbers with dots, perhaps behind a `v`, agree if the first number is the same; where that is 0, the second
/// one must be, too (semantic versioning promises nothing before 1). Of other versions only equal ones are known to agree.
pub(super) fn versions(one: &str, other: &str) -> Agreement {
    if one.trim().eq_ignore_ascii_case(other.trim()) {
        return Agreement::Same;
    }
    let (Some(one), Some(other)) = (numbers(one), numbers(other)) else { return Agreement::Unclear };
    match (one.first(), other.first()) {
        (Some(one), Some(other)) if one != other => Agreement::Different,
        (Some(0), _) if one.get(1).unwrap_or(&0) != other.get(1).unwrap_or(&0) => Agreement::Unclear,
        _ => Agreement::Same,
    }
}

fn numbers(version: &str) -> Option<Vec<u64>> {
    let version = version.trim();
    let version = version.strip_prefix(['v', 'V']).unwrap_or(version);
    let digits = |part: &str| if part.bytes().all(|byte| byte.is_ascii_digit()) { part.parse().ok() } else { None };
    version.split('.').map(digits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_agree_by_their_letters() {
        assert_eq!(names("HTTP/2", "http2"), Agreement::Same);
        assert_eq!(names("http", "https"), Agreement::Unclear);
        assert_eq!(names("rest", "http/1.1"), Agreement::Unclear);
        assert_eq!(names("postgres", "PostgreSQL"), Agreement::Unclear);
        assert_eq!(names("http", "grpc"), Agreement::Different);
        assert_eq!(names("--", "grpc"), Agreement::Unclear);
    }

    #[test]
    fn versions_agree_by_their_first_number() {
        for (one, other) in [("2", "2.1"), ("v2.3", "2.9.1"), ("2024-01", "2024-01"), ("1", "v1.0.0"), ("0.3", "0.3.9")]
        {
            assert_eq!(versions(one, other), Agreement::Same, "{one} {other}");
        }
        for (one, other) in [("0.3", "0.4"), ("2024-01", "2024-06"), ("1.x", "1.2"), ("beta", "2"), ("1.", "2")] {
            assert_eq!(versions(one, other), Agreement::Unclear, "{one} {other}");
        }
        for (one, other) in [("1", "2"), ("v1.9", "2.0"), ("0.9", "1")] {
            assert_eq!(versions(one, other), Agreement::Different, "{one} {other}");
        }
    }
}
