//! What can be wrong with a profile. All problems, not the first.

use portreeve_core::limits::Limits;
use portreeve_core::name::GroupName;
use portreeve_core::profile::Profile;
use portreeve_mcp::server_json::Problem;
use url::Url;

struct Problems<'a> {
    limits: &'a Limits,
    found: Vec<Problem>,
}

/// Everything that is wrong.
pub(super) fn problems(profile: &Profile, limits: &Limits) -> Vec<Problem> {
    let mut found = Problems {
        limits,
        found: Vec::new(),
    };
    found.text(
        "summary",
        profile.summary.as_deref(),
        limits.profile_summary_chars,
    );
    for (path, names) in [
        ("owners", &profile.owners),
        ("ownerGroups", &profile.owner_groups),
        ("categories", &profile.categories),
        ("tags", &profile.tags),
    ] {
        found.few(path, names.len(), limits.profile_items);
        for (index, name) in names.iter().enumerate() {
            found.text(&format!("{path}[{index}]"), Some(name), limits.profile_name_chars);
        }
    }
    for (index, group) in profile.owner_groups.iter().enumerate() {
        if let Err(error) = group.parse::<GroupName>() {
            found.push(&format!("ownerGroups[{index}]"), error.reason);
        }
    }
    found.readme(profile.readme.as_deref());
    found.license(profile.license.as_deref());
    found.people(profile);
    found.texts(profile);
    found.few("icons", profile.icons.len(), limits.icons_per_server);
    for (index, icon) in profile.icons.iter().enumerate() {
        found.address(&format!("icons[{index}]"), icon, &["https"]);
    }
    let bytes = serde_json::to_string(&profile.metadata).map_or(usize::MAX, |text| text.len());
    if bytes > limits.metadata_bytes {
        let message = format!("all values together have at most {} bytes", limits.metadata_bytes);
        found.push("metadata", message);
    }
    found.found
}

impl Problems<'_> {
    fn push(&mut self, path: &str, message: impl Into<String>) {
        self.found.push(Problem {
            path: path.to_owned(),
            message: message.into(),
        });
    }

    fn text(&mut self, path: &str, text: Option<&str>, longest: usize) {
        if text.is_some_and(|text| text.chars().count() > longest || text.contains('\0')) {
            self.push(
                path,
                format!("it must have at most {longest} characters, none of them NUL"),
            );
        }
    }

    fn few(&mut self, path: &str, items: usize, most: usize) {
        if items > most {
            self.push(path, format!("it must have at most {most} items"));
        }
    }

    fn address(&mut self, path: &str, text: &str, schemes: &[&str]) {
        let is_right = Url::parse(text).is_ok_and(|url| schemes.contains(&url.scheme()) && url.has_host());
        if !is_right || text.len() > self.limits.url_bytes {
            self.push(
                path,
                format!("it must be an address with {}", schemes.join(" or ")),
            );
        }
    }

    fn readme(&mut self, readme: Option<&str>) {
        let most = self.limits.profile_readme_bytes;
        if readme.is_some_and(|readme| readme.len() > most || readme.contains('\0')) {
            self.push(
                "readme",
                format!("it must have at most {most} bytes, none of them NUL"),
            );
        }
    }

    /// `Apache-2.0 OR (MIT AND BSD-3-Clause)`, or where the text stands.
    fn license(&mut self, license: Option<&str>) {
        let Some(license) = license else { return };
        if license.contains("://") {
            return self.address("license", license, &["https", "http"]);
        }
        let is_expression = license
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+' | '(' | ')' | ' ' | ':'));
        if !is_expression || license.chars().count() > self.limits.profile_name_chars {
            self.push(
                "license",
                "it must be an SPDX expression such as `Apache-2.0`, or an address",
            );
        }
    }

    fn people(&mut self, profile: &Profile) {
        self.few("contacts", profile.contacts.len(), self.limits.profile_items);
        for (index, contact) in profile.contacts.iter().enumerate() {
            let path = |field: &str| format!("contacts[{index}].{field}");
            self.text(&path("name"), Some(&contact.name), self.limits.profile_name_chars);
            if contact.name.trim().is_empty() {
                self.push(&path("name"), "it is required");
            }
            let is_mail = |mail: &str| {
                let parts = mail.split_once('@');
                parts.is_some_and(|(who, host)| !who.is_empty() && !host.is_empty() && !host.contains('@'))
                    && !mail.chars().any(|c| c.is_whitespace() || c.is_control())
                    && mail.len() <= 254
            };
            if contact.email.as_deref().is_some_and(|mail| !is_mail(mail)) {
                self.push(&path("email"), "it is not an e-mail address");
            }
            if let Some(url) = &contact.url {
                self.address(&path("url"), url, &["https", "http"]);
            }
        }
    }

    fn texts(&mut self, profile: &Profile) {
        self.few("useCases", profile.use_cases.len(), self.limits.profile_items);
        for (index, case) in profile.use_cases.iter().enumerate() {
            self.text(
                &format!("useCases[{index}].name"),
                Some(&case.name),
                self.limits.profile_name_chars,
            );
            self.text(
                &format!("useCases[{index}].description"),
                Some(&case.description),
                self.limits.profile_text_chars,
            );
            if case.name.trim().is_empty() {
                self.push(&format!("useCases[{index}].name"), "it is required");
            }
        }
        self.few(
            "externalDocs",
            profile.external_docs.len(),
            self.limits.profile_items,
        );
        for (index, document) in profile.external_docs.iter().enumerate() {
            let path = format!("externalDocs[{index}]");
            self.text(
                &format!("{path}.title"),
                Some(&document.title),
                self.limits.profile_name_chars,
            );
            self.address(&format!("{path}.url"), &document.url, &["https", "http"]);
        }
    }
}
