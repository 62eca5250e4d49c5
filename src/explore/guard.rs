//! Who may ask: whoever knows the token in the address, from a page of this server alone.
//!
//! A browser lets any page of the web send requests to 127.0.0.1. Without the token they get
//! nothing; a page that points its own name at this machine (DNS rebinding) is found out by the
//! `Host` that its browser sends, and one that asks across origins by its `Origin`.

use super::http::{Head, Response};

/// What a request has to show.
#[derive(Debug)]
pub(super) struct Guard {
    token: String,
}

/// The names of this machine for itself. Any port: at the near end of a tunnel it is another one.
const HOSTS: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

impl Guard {
    /// One with a new token, 128 bits of the system's randomness.
    pub(super) fn new() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        let token = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { token })
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// The place that is asked for behind the token, e.g. `view`.
    pub(super) fn admit<'a>(&self, head: &'a Head) -> Result<&'a str, Response> {
        let host = head.host.as_deref().unwrap_or_default();
        if !is_of_this_machine(host) {
            return Err(Response::refusal(403, "expected the host 127.0.0.1"));
        }
        if let Some(origin) = &head.origin
            && origin.strip_prefix("http://") != Some(host)
        {
            return Err(Response::refusal(403, "expected a request of this page"));
        }
        let rest = head.path.strip_prefix('/').unwrap_or_default();
        match rest.split_once('/') {
            Some((token, place)) if is_same(token, &self.token) => Ok(place),
            _ => Err(Response::refusal(
                403,
                "expected the address that `morphscape explore` printed, with its token",
            )),
        }
    }
}

fn is_of_this_machine(host: &str) -> bool {
    HOSTS.iter().any(|name| {
        host.strip_prefix(name)
            .is_some_and(|rest| match rest.strip_prefix(':') {
                Some(port) => port.bytes().all(|byte| byte.is_ascii_digit()),
                None => rest.is_empty(),
            })
    })
}

/// Compares every byte, so that how long it takes says nothing of the token.
fn is_same(one: &str, other: &str) -> bool {
    let differing = one
        .bytes()
        .zip(other.bytes())
        .fold(0, |or, (a, b)| or | (a ^ b));
    one.len() == other.len() && differing == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_hosts() {
        for host in ["127.0.0.1:80", "localhost:9000", "localhost", "[::1]:1"] {
            assert!(is_of_this_machine(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example:80",
            "127.0.0.1:80@evil.example",
            "evil.example:127.0.0.1",
            "localhost80",
        ] {
            assert!(!is_of_this_machine(host), "{host}");
        }
    }
}
