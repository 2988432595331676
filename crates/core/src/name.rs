//! Names: of servers, versions, environments, and the slugs of routes. Parsed once, then trusted.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{value}` is not a {what}: {reason}")]
pub struct InvalidName {
    /// What was expected: "server name", "version", "route slug", "environment".
    pub what: &'static str,
    /// What was given, cut to 200 characters.
    pub value: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

fn invalid(what: &'static str, value: &str, reason: &'static str) -> InvalidName {
    InvalidName {
        what,
        value: value.chars().take(200).collect(),
        reason,
    }
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident = $check:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;
            fn from_str(text: &str) -> Result<Self, InvalidName> {
                $check(text)?;
                Ok(Self(text.into()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

names! {
    /// A server's name in reverse-DNS form, `com.acme/billing`: exactly one slash, 3 to 200 characters,
    /// `[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+`, both parts starting and ending with a letter or digit.
    ServerName = check_server_name;
    /// A version: 1 to 255 characters, not `latest`, not a range. Usually semver, not always.
    VersionText = check_version;
    /// The part of a route's URL that names it: `[a-z0-9-_.]`, 1 to 128 characters. Unique in an installation, never
    /// changed, never given to another server.
    Slug = check_slug;
    /// A registry: `default`, `partners`, ... `[a-z0-9-]`, 1 to 40 characters. It stands in URLs.
    RegistryName = check_registry;
    /// Namespaces: `com.acme` is one of them, `com.acme.*` is that one and everything below it.
    NamespacePattern = check_pattern;
    /// A custom property: a letter, then letters, digits, `_` and `-`; at most 50 characters.
    PropertyName = check_property;
    /// An environment: `production`, `test`, ... `[a-z0-9-]`, 1 to 40 characters.
    Environment = check_environment;
    /// A group of callers: 1 to 100 letters, digits and `.`, `_`, `-`, `:`, `@`, `/`, the first a letter or a digit.
    GroupName = check_group;
    /// The name of a secret in the vault: `[a-z0-9._-]`, 1 to 64 characters, the first a letter or a digit. Written
    /// `secret:NAME` where a secret is referred to.
    SecretName = check_secret_name;
    /// An issuer of access tokens that the configuration file names: `[a-z0-9-]`, 1 to 40 characters.
    IssuerName = check_issuer;
    /// A webhook: `[a-z0-9-]`, 1 to 40 characters.
    WebhookName = check_webhook;
    /// An access policy: `[a-z0-9-]`, 1 to 40 characters. Decisions name it as `policy:NAME`.
    PolicyName = check_policy;
}

impl ServerName {
    /// The part before the slash: `com.acme`.
    pub fn namespace(&self) -> &str {
        self.0.split_once('/').map_or("", |(namespace, _)| namespace)
    }

    /// The part after the slash: `billing`.
    pub fn short(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, short)| short)
    }
}

impl RegistryName {
    /// The registry at `/v0.1`.
    pub fn main() -> Self {
        Self("default".into())
    }
}

impl NamespacePattern {
    /// The namespace without the `.*` behind it, in lower case.
    pub fn root(&self) -> String {
        self.0.strip_suffix(".*").unwrap_or(&self.0).to_ascii_lowercase()
    }

    /// Whether namespaces below the root are meant, too.
    pub fn reaches_below(&self) -> bool {
        self.0.ends_with(".*")
    }

    /// Whether it speaks of this server. Case does not count, as everywhere in names.
    pub fn matches(&self, name: &ServerName) -> bool {
        self.matches_text(name.as_str())
    }

    /// The same of a name that is known to be one.
    pub fn matches_text(&self, name: &str) -> bool {
        let root = self.0.strip_suffix(".*").unwrap_or(&self.0).as_bytes();
        let Some((begin, rest)) = name.as_bytes().split_at_checked(root.len()) else {
            return false;
        };
        // A name has one slash, at the end of its namespace.
        let ends_there = match rest.first() {
            Some(b'/') => true,
            Some(b'.') => self.reaches_below(),
            _ => false,
        };
        ends_there && begin.eq_ignore_ascii_case(root)
    }
}

/// Where the registry itself is served as an MCP server.
const REGISTRY_PATH: &str = "/mcp";
/// What stands before that and the name of a registry that is not the default one.
const REGISTRIES_PATH: &str = "/registries/";

impl Slug {
    /// What stands for a slug in Portreeve's own route, the registry as an MCP server: a path of its own. No text is
    /// read as this, so no route of the store can be named so.
    pub fn of_the_registry() -> Self {
        Self(REGISTRY_PATH.into())
    }

    /// The same of one registry.
    pub fn of_registry(name: &RegistryName) -> Self {
        if *name == RegistryName::main() {
            Self::of_the_registry()
        } else {
            Self(format!("{REGISTRIES_PATH}{name}{REGISTRY_PATH}").into())
        }
    }

    /// The registry that an own route is the face of, whether there is one of that name or not.
    pub fn registry(path: &str) -> Option<RegistryName> {
        if path == REGISTRY_PATH {
            return Some(RegistryName::main());
        }
        let name = path.strip_prefix(REGISTRIES_PATH)?.strip_suffix(REGISTRY_PATH)?;
        name.parse().ok()
    }

    /// The path of the route's endpoint: `/s/{slug}/mcp`, or the path of Portreeve's own route.
    pub fn path(&self) -> String {
        if self.0.starts_with('/') {
            self.0.to_string()
        } else {
            Self::path_of(&self.0)
        }
    }

    /// The path of the endpoint of a route of the store, for a slug or what stands in its place.
    pub fn path_of(slug: &str) -> String {
        format!("/s/{slug}/mcp")
    }

    /// The part of an endpoint's path that names its route, as [`Slug::path`] wrote it.
    pub fn in_path(path: &str) -> Option<&str> {
        match Self::registry(path) {
            Some(name) if name == RegistryName::main() => return Some(REGISTRY_PATH),
            Some(_) => return Some(path),
            None => {}
        }
        path.strip_prefix("/s/")?
            .strip_suffix("/mcp")
            .filter(|slug| !slug.is_empty() && !slug.contains('/'))
    }
}

impl Environment {
    /// The name of the environment that a route serves unless another is named.
    pub const PRODUCTION: &'static str = "production";

    /// The environment that a route serves unless another is named.
    pub fn production() -> Self {
        Self(Self::PRODUCTION.into())
    }
}

fn edges_are_alphanumeric(part: &str) -> bool {
    let bytes = part.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
}

fn check_server_name(text: &str) -> Result<(), InvalidName> {
    let fail = |reason| Err(invalid("server name", text, reason));
    if !(3..=200).contains(&text.len()) {
        return fail("it must have 3 to 200 characters");
    }
    let Some((namespace, short)) = text.split_once('/') else {
        return fail("it needs one slash, as in `com.acme/billing`");
    };
    if short.contains('/') {
        return fail("it may have only one slash");
    }
    let namespace_ok = namespace
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
    let short_ok = short
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    if !namespace_ok || !short_ok {
        return fail("only letters, digits, `.`, `-` (and `_` after the slash) are allowed");
    }
    if !edges_are_alphanumeric(namespace) || !edges_are_alphanumeric(short) {
        return fail("both parts must start and end with a letter or a digit");
    }
    Ok(())
}

fn check_version(text: &str) -> Result<(), InvalidName> {
    let fail = |reason| Err(invalid("version", text, reason));
    if text.is_empty() || text.chars().count() > 255 {
        return fail("it must have 1 to 255 characters");
    }
    if text == "latest" {
        return fail("`latest` is reserved: name the version itself");
    }
    if text.chars().any(char::is_control) {
        return fail("control characters are not allowed");
    }
    if is_range(text) {
        return fail("it is a range: name one version");
    }
    Ok(())
}

/// Ranges as npm and others write them: `^1.2`, `~1.2`, `>=1`, `=1.0`, `1.x`, `1.2.*`, `1 - 2`, `1.2 || 1.3`.
fn is_range(text: &str) -> bool {
    let starts = text.starts_with(['^', '~', '>', '<', '=']);
    let combines = text.contains("||") || text.contains(" - ");
    let wild = text.split('.').any(|part| matches!(part, "x" | "X" | "*"));
    starts || combines || wild
}

fn check_slug(text: &str) -> Result<(), InvalidName> {
    let fail = |reason| Err(invalid("route slug", text, reason));
    if text.is_empty() || text.len() > 128 {
        return fail("it must have 1 to 128 characters");
    }
    if !text
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.'))
    {
        return fail("only lower-case letters, digits, `-`, `_` and `.` are allowed");
    }
    if text.bytes().all(|b| b == b'.') {
        return fail("it may not be dots alone");
    }
    Ok(())
}

fn is_plain(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=40).contains(&text.len()) && text.bytes().all(plain) && edges_are_alphanumeric(text)
}

fn check_registry(text: &str) -> Result<(), InvalidName> {
    if is_plain(text) {
        Ok(())
    } else {
        Err(invalid(
            "registry",
            text,
            "1 to 40 lower-case letters, digits and `-`",
        ))
    }
}

fn check_group(text: &str) -> Result<(), InvalidName> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b':' | b'@' | b'/');
    let begins = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    if begins && text.len() <= 100 && text.bytes().all(is_plain) {
        Ok(())
    } else {
        Err(invalid(
            "group",
            text,
            "1 to 100 letters, digits and `._-:@/`, the first a letter or a digit",
        ))
    }
}

fn check_pattern(text: &str) -> Result<(), InvalidName> {
    let namespace = text.strip_suffix(".*").unwrap_or(text);
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-';
    if (1..=190).contains(&namespace.len())
        && namespace.bytes().all(plain)
        && edges_are_alphanumeric(namespace)
    {
        Ok(())
    } else {
        Err(invalid(
            "namespace pattern",
            text,
            "a namespace such as `com.acme`, with `.*` behind it for everything below",
        ))
    }
}

fn check_property(text: &str) -> Result<(), InvalidName> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    let begins = text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
    if begins && text.len() <= 50 && text.bytes().all(plain) {
        Ok(())
    } else {
        Err(invalid(
            "property",
            text,
            "a letter, then letters, digits, `_` and `-`; at most 50 characters",
        ))
    }
}

fn check_secret_name(text: &str) -> Result<(), InvalidName> {
    let ok = (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-'))
        && text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    if ok {
        Ok(())
    } else {
        Err(invalid(
            "secret name",
            text,
            "1 to 64 lower-case letters, digits, `.`, `_` and `-`, beginning with a letter or a digit",
        ))
    }
}

fn check_webhook(text: &str) -> Result<(), InvalidName> {
    if is_plain(text) {
        Ok(())
    } else {
        Err(invalid(
            "webhook",
            text,
            "1 to 40 lower-case letters, digits and `-`",
        ))
    }
}

fn check_policy(text: &str) -> Result<(), InvalidName> {
    if is_plain(text) {
        Ok(())
    } else {
        Err(invalid(
            "name of an access policy",
            text,
            "1 to 40 lower-case letters, digits and `-`",
        ))
    }
}

fn check_issuer(text: &str) -> Result<(), InvalidName> {
    if is_plain(text) {
        Ok(())
    } else {
        Err(invalid(
            "issuer",
            text,
            "1 to 40 lower-case letters, digits and `-`",
        ))
    }
}

fn check_environment(text: &str) -> Result<(), InvalidName> {
    if is_plain(text) {
        Ok(())
    } else {
        Err(invalid(
            "environment",
            text,
            "1 to 40 lower-case letters, digits and `-`",
        ))
    }
}
