//! The section `[partners]`: which catalogues of partners are shown, and how often they are looked at.

use std::time::Duration;

use portreeve_core::server::PrivateHost;
use portreeve_net::Reach;
use portreeve_registry::partners::PartnerSettings;
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use crate::cli::Failure;

/// Which catalogues of partners are shown, and how often they are looked at.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Partners {
    /// Whether the catalogue is shown that the program carries. Default: true.
    pub(crate) carried: bool,
    /// Where newer catalogues are: the address of a file that `portreeve partner bundle` made. Default: none is pulled.
    #[schemars(with = "Option<String>")]
    pub(crate) url: Option<Url>,
    /// Public keys that may sign it, as `portreeve partner key` prints them. Needed with `url`.
    pub(crate) keys: Vec<String>,
    /// Public keys that may not sign it, although one of `keys` hands over to them: a key that was stolen. A catalogue that was
    /// taken under such a key is dropped.
    pub(crate) revoked_keys: Vec<String>,
    /// Public keys of reviewers whose approval makes an official partner.
    pub(crate) reviewers: Vec<String>,
    /// Hosts of private networks, each with its port, that may be looked at when partners are checked: `10.0.0.5:443`.
    pub(crate) private_hosts: Vec<String>,
    /// How often it is asked for a newer one, in seconds; at least 1. Default: 3600.
    pub(crate) pull_seconds: u64,
    /// How often partners' servers are looked at again, in seconds; 0: never. Default: 86400.
    pub(crate) verify_seconds: u64,
    /// How many partners are looked at in a run of whom nothing is registered here. Default: 25.
    pub(crate) verify_listed: usize,
}

impl Default for Partners {
    fn default() -> Self {
        Self {
            carried: true,
            url: None,
            keys: Vec::new(),
            revoked_keys: Vec::new(),
            reviewers: Vec::new(),
            private_hosts: Vec::new(),
            pull_seconds: 60 * 60,
            verify_seconds: 24 * 60 * 60,
            verify_listed: 25,
        }
    }
}

impl Partners {
    /// What may be looked at in private networks.
    pub(crate) fn reach(&self) -> Result<Reach, Failure> {
        let hosts = self.private_hosts.iter().map(|text| {
            let parts = text.rsplit_once(':').and_then(|(host, port)| {
                let host = host.trim_start_matches('[').trim_end_matches(']').to_lowercase();
                Some((host, port.parse::<u16>().ok()?))
            });
            match parts {
                Some((host, port)) if !host.is_empty() => Ok(PrivateHost { host, port }),
                _ => Err(Failure::new(format!(
                    "`partners.private_hosts` has `{text}`, which is no host with a port"
                ))
                .hint("write hosts as `10.0.0.5:443` or `tools.acme.internal:8443`")),
            }
        });
        Ok(Reach::granted(&hosts.collect::<Result<Vec<_>, _>>()?))
    }

    /// The same in the registry's words.
    pub(crate) fn settings(&self) -> Result<PartnerSettings, Failure> {
        if self.url.is_some() && self.keys.is_empty() {
            return Err(
                Failure::new("`partners.url` is set, and `partners.keys` is empty").hint(
                    "name the public keys that may sign the catalogue; without one nothing of it is believed",
                ),
            );
        }
        let verify_every = (self.verify_seconds > 0).then(|| Duration::from_secs(self.verify_seconds));
        Ok(PartnerSettings {
            carried: self.carried.into(),
            url: self.url.clone(),
            keys: self.keys.clone(),
            revoked_keys: self.revoked_keys.clone(),
            reviewers: self.reviewers.clone(),
            every: Duration::from_secs(self.pull_seconds.max(1)),
            verify_every,
            verify_listed: self.verify_listed,
        })
    }
}
