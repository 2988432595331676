//! The only place that reads the process's environment. The command line and the configuration ask here.

use std::path::{Path, PathBuf};

/// An environment variable, unless it is unset, empty or not Unicode.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the environment"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// What `PORTREEVE__SECTION__KEY` variables say, as (section, key, text) in lower case.
pub(crate) fn overrides() -> Vec<(String, String, String)> {
    overrides_of(
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
    )
}

fn overrides_of(variables: impl Iterator<Item = (String, String)>) -> Vec<(String, String, String)> {
    variables
        .filter_map(|(name, value)| {
            let name = name.strip_prefix("PORTREEVE__")?.to_ascii_lowercase();
            let (section, key) = name.split_once("__")?;
            Some((section.to_owned(), key.to_owned(), value))
        })
        .collect()
}

/// Where an installation keeps its files unless told otherwise: `$XDG_DATA_HOME/portreeve`, else
/// `~/.local/share/portreeve`, else `portreeve-data` in the working directory.
pub(crate) fn default_data_directory() -> PathBuf {
    data_directory_of(variable("XDG_DATA_HOME").as_deref(), variable("HOME").as_deref())
}

fn data_directory_of(xdg_data_home: Option<&str>, home: Option<&str>) -> PathBuf {
    // The XDG specification says that a relative path in the variable is to be ignored.
    if let Some(directory) = xdg_data_home.map(Path::new).filter(|path| path.is_absolute()) {
        return directory.join("portreeve");
    }
    match home {
        Some(home) => Path::new(home).join(".local/share/portreeve"),
        None => PathBuf::from("portreeve-data"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_directory_follows_the_xdg_rules() {
        let directory = |xdg, home| data_directory_of(xdg, home).display().to_string();
        assert_eq!(directory(Some("/data"), Some("/home/ann")), "/data/portreeve");
        assert_eq!(
            directory(Some("data"), Some("/home/ann")),
            "/home/ann/.local/share/portreeve"
        );
        assert_eq!(
            directory(None, Some("/home/ann")),
            "/home/ann/.local/share/portreeve"
        );
        assert_eq!(directory(None, None), "portreeve-data");
    }
}
