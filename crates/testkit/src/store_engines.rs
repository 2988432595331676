//! Which engines a test run has. The only place of the tests that reads the environment.

/// A PostgreSQL to test against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Postgres {
    /// A URL whose user may create databases.
    Url(String),
    /// There is none, and the run does not insist: the test says so and ends.
    NotRun,
}

/// The PostgreSQL of this run, from `PORTREEVE_TEST_POSTGRES`. With `PORTREEVE_TEST_REQUIRE_ENGINES=1` it is an error
/// that there is none.
#[expect(
    clippy::disallowed_methods,
    reason = "tests have no configuration file to read it from"
)]
#[expect(clippy::print_stdout, reason = "a test that did not run must say so")]
pub fn postgres() -> Postgres {
    if let Ok(url) = std::env::var("PORTREEVE_TEST_POSTGRES") {
        return Postgres::Url(url);
    }
    let required = std::env::var("PORTREEVE_TEST_REQUIRE_ENGINES").is_ok_and(|value| value == "1");
    assert!(
        !required,
        "PORTREEVE_TEST_REQUIRE_ENGINES=1, but PORTREEVE_TEST_POSTGRES names no PostgreSQL"
    );
    println!("not run: no PostgreSQL");
    Postgres::NotRun
}
