//! The real engines that tests run against: started on private ports in temporary folders, gone afterwards.

mod postgres;
mod redis;

use std::process::Command;

use anyhow::Result;

use crate::context::Context;
use crate::process::Log;

pub(crate) use self::postgres::{Durability, Postgres};
use self::redis::Redis;

/// PostgreSQL and Redis (or Valkey), running.
#[derive(Debug)]
pub(crate) struct Engines {
    postgres: Postgres,
    redis: Redis,
}

impl Engines {
    pub(crate) fn start(context: &mut Context, log: &mut Log) -> Result<Self> {
        Ok(Self {
            postgres: Postgres::start(context, log, Durability::None)?,
            redis: Redis::start(context, log)?,
        })
    }

    /// Tells a test process where they are, and that running without them is a failure.
    pub(crate) fn tell(&self, command: &mut Command) {
        command
            .env("PORTREEVE_TEST_POSTGRES", &self.postgres.url)
            .env("PORTREEVE_TEST_REDIS", &self.redis.url)
            .env("PORTREEVE_TEST_REQUIRE_ENGINES", "1");
    }

    /// Tells the end-to-end tests to run the binary on them. Each test makes a database of its own.
    pub(crate) fn tell_binary(&self, command: &mut Command) {
        command
            .env("PORTREEVE_E2E_POSTGRES", &self.postgres.url)
            .env("PORTREEVE_E2E_REDIS", &self.redis.url);
    }
}
