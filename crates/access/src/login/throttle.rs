//! How often somebody may try: per account and per address, by counters that all nodes share.
//!
//! An account is counted by the hash of the name that was typed, whether or not there is one, so that nobody learns which
//! names exist.

use std::net::IpAddr;
use std::time::Duration;

use portreeve_core::ports::RateLimit;
use portreeve_inspect::sha256_hex;

use super::{Login, LoginError};

/// Ten attempts at once for an account, then one every half minute.
const ACCOUNT: RateLimit = RateLimit {
    interval: Duration::from_secs(30),
    burst: 10,
};

/// A hundred attempts at once from an address, which may be that of a whole company, then one a second.
const ADDRESS: RateLimit = RateLimit {
    interval: Duration::from_secs(1),
    burst: 100,
};

/// Where an address belongs: whoever has one of version 6 has all of its /64.
pub fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}")
        }
    }
}

impl Login {
    /// Counts an attempt at an account.
    pub(super) async fn count_account(&self, account: &str) -> Result<(), LoginError> {
        let key = format!("sign-in/account/{}", sha256_hex(account.as_bytes()));
        self.count(&key, ACCOUNT).await
    }

    /// Counts an attempt from an address.
    pub(super) async fn count_address(&self, address: Option<IpAddr>) -> Result<(), LoginError> {
        let Some(address) = address else { return Ok(()) };
        self.count(&format!("sign-in/address/{}", network(address)), ADDRESS)
            .await
    }

    async fn count(&self, key: &str, limit: RateLimit) -> Result<(), LoginError> {
        let decision = self.counters.take(key, limit, 1).await?;
        if decision.allowed {
            Ok(())
        } else {
            Err(LoginError::TooFast {
                wait: decision.retry_after,
            })
        }
    }
}
