//! Raw paths, brought into the one form that the routers match, before anything is decoded.
//!
//! A server's name has one slash. Hosts send it encoded (`com.acme%2Fbilling`), people and some proxies do not
//! (`com.acme/billing`); both are one segment afterwards. Decoding happens once, later: `%252F` stays a name that
//! does not exist. Before it: `enter.rs`. After it: the routers.

/// Which face a path belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Face {
    /// `/v0.1/...` and its alias `/v0/...`, also behind `/registries/{registry}` and `/workspaces/{registry}`.
    Registry,
    /// `/api/v1/...`.
    Management,
}

/// A path that can be matched.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Normal {
    /// The path, with a server's name as one segment. Registry paths begin with `/v0.1`.
    pub(crate) path: String,
    /// The registry that the path named, as it stood there; none is the default one.
    pub(crate) registry: Option<String>,
    /// How the caller came to it.
    pub(crate) way: Way,
}

/// How a caller came to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// As documented.
    Straight,
    /// With the API's own path twice: the host was given `GW/v0.1/servers` where it wants `GW`.
    Doubled,
}

/// A path that cannot be matched as it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Abnormal {
    /// It ends with a slash; this one does not.
    TrailingSlash(String),
    /// It holds a NUL byte.
    Nul,
}

/// Brings a path into the form that the routers match.
pub(crate) fn normalise(path: &str, face: Face) -> Result<Normal, Abnormal> {
    if path.contains("%00") {
        return Err(Abnormal::Nul);
    }
    if path.ends_with('/') {
        return Err(Abnormal::TrailingSlash(path.trim_end_matches('/').to_owned()));
    }
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let (registry, rest) = match (face, segments.as_slice()) {
        (Face::Registry, ["registries" | "workspaces", registry, _, rest @ ..]) => {
            (Some((*registry).to_owned()), rest)
        }
        (Face::Registry, [_, rest @ ..]) | (Face::Management, [_, _, rest @ ..]) => (None, rest),
        (_, _) => (None, [].as_slice()),
    };
    let (prefix, rest, way) = match face {
        Face::Registry => {
            let (rest, way) = undouble(rest);
            ("/v0.1", rest, way)
        }
        Face::Management => ("/api/v1", rest, Way::Straight),
    };
    let mut path = prefix.to_owned();
    for segment in joined(rest) {
        path.push('/');
        path.push_str(&segment);
    }
    Ok(Normal { path, registry, way })
}

/// Takes the API's own path away when it stands there twice. A server called `v0.1/servers` can still be reached by
/// its encoded name.
fn undouble<'a>(rest: &'a [&'a str]) -> (&'a [&'a str], Way) {
    let is_version = |segment: &&str| matches!(*segment, "v0.1" | "v0");
    match rest {
        ["servers", version, tail @ ..] if is_version(version) && is_of_the_api(tail) => (tail, Way::Doubled),
        [version, tail @ ..] if is_version(version) && !tail.is_empty() => (tail, Way::Doubled),
        _ => (rest, Way::Straight),
    }
}

/// Whether this is a path of the API, and cannot be the rest of a server's.
fn is_of_the_api(tail: &[&str]) -> bool {
    match tail {
        ["servers", ..] | ["auth", _] => true,
        [one] => matches!(*one, "publish" | "validate" | "health" | "ping" | "version"),
        _ => false,
    }
}

/// The segments, with the two of an unencoded server name as one.
fn joined(rest: &[&str]) -> Vec<String> {
    match rest {
        ["servers", namespace, short, tail @ ..] if !holds_slash(namespace) => {
            let mut segments = vec!["servers".to_owned(), format!("{namespace}%2F{short}")];
            segments.extend(tail.iter().map(|segment| (*segment).to_owned()));
            segments
        }
        _ => rest.iter().map(|segment| (*segment).to_owned()).collect(),
    }
}

fn holds_slash(segment: &str) -> bool {
    segment.contains("%2F") || segment.contains("%2f")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry(path: &str) -> (String, Way) {
        let normal = normalise(path, Face::Registry).unwrap();
        (normal.path, normal.way)
    }

    #[test]
    fn both_forms_of_a_name_and_both_versions_of_the_api_become_one() {
        let expected = (
            "/v0.1/servers/com.acme%2Fbilling/versions/1.0.0%2Bb1".to_owned(),
            Way::Straight,
        );
        for path in [
            "/v0.1/servers/com.acme%2Fbilling/versions/1.0.0%2Bb1",
            "/v0.1/servers/com.acme/billing/versions/1.0.0%2Bb1",
            "/v0/servers/com.acme/billing/versions/1.0.0%2Bb1",
        ] {
            assert_eq!(registry(path), expected, "{path}");
        }
    }

    #[test]
    fn the_doubled_path_is_undone() {
        for (path, expected) in [
            ("/v0.1/servers/v0.1/servers", "/v0.1/servers"),
            ("/v0/servers/v0.1/servers", "/v0.1/servers"),
            ("/v0.1/v0.1/servers", "/v0.1/servers"),
            ("/v0.1/servers/v0/publish", "/v0.1/publish"),
            ("/v0.1/servers/v0/auth/dns", "/v0.1/auth/dns"),
            (
                "/v0.1/servers/v0.1/servers/com.acme%2Fbilling/versions/latest",
                "/v0.1/servers/com.acme%2Fbilling/versions/latest",
            ),
        ] {
            assert_eq!(registry(path), (expected.to_owned(), Way::Doubled), "{path}");
        }
    }

    #[test]
    fn a_named_registry_has_the_same_paths() {
        for path in [
            "/registries/partners/v0.1/servers/com.acme/billing/versions",
            "/workspaces/partners/v0/servers/com.acme%2Fbilling/versions",
            "/registries/partners/v0.1/servers/v0.1/servers/com.acme/billing/versions",
        ] {
            let normal = normalise(path, Face::Registry).unwrap();
            assert_eq!(normal.path, "/v0.1/servers/com.acme%2Fbilling/versions", "{path}");
            assert_eq!(normal.registry.as_deref(), Some("partners"), "{path}");
        }
    }

    #[test]
    fn a_server_whose_name_looks_like_the_api_can_be_reached() {
        let path = "/v0.1/servers/v0.1%2Fservers/versions";
        assert_eq!(registry(path), (path.to_owned(), Way::Straight));
        let path = "/v0.1/servers/v0.1/publish/versions";
        let expected = "/v0.1/servers/v0.1%2Fpublish/versions";
        assert_eq!(registry(path), (expected.to_owned(), Way::Straight));
        let two_segments = registry("/v0.1/servers/v0.1/tool/versions");
        assert_eq!(
            two_segments,
            ("/v0.1/servers/v0.1%2Ftool/versions".to_owned(), Way::Straight)
        );
    }

    #[test]
    fn nothing_is_decoded() {
        let (path, _) = registry("/v0.1/servers/com.acme%252Fbilling/versions");
        assert_eq!(path, "/v0.1/servers/com.acme%252Fbilling%2Fversions");
    }

    #[test]
    fn a_management_path_keeps_its_prefix() {
        let normal = normalise(
            "/api/v1/servers/com.acme/billing/tools/a%2Fb/hide",
            Face::Management,
        );
        let path = normal.map(|normal| normal.path);
        assert_eq!(
            path,
            Ok("/api/v1/servers/com.acme%2Fbilling/tools/a%2Fb/hide".to_owned())
        );
    }

    #[test]
    fn slashes_at_the_end_and_nul_bytes_are_told() {
        let slash = normalise("/v0.1/servers//", Face::Registry);
        assert_eq!(slash, Err(Abnormal::TrailingSlash("/v0.1/servers".to_owned())));
        assert_eq!(
            normalise("/v0.1/servers/a%00b", Face::Registry),
            Err(Abnormal::Nul)
        );
    }
}
