//! The forms of what people say about a server, and about one version of it.

use portreeve_core::ports::Entry;
use portreeve_core::profile::{Contact, Metadata};

use crate::view::form::{Choice, Field, FormView};

/// The form, as the profile is.
pub(crate) fn profile(entry: &Entry) -> FormView {
    let profile = &entry.server.profile;
    let lines = |texts: &[String]| texts.join("\n");
    let contacts: Vec<String> = profile.contacts.iter().map(contact).collect();
    let cases = profile
        .use_cases
        .iter()
        .map(|case| match case.description.as_str() {
            "" => case.name.clone(),
            description => format!("{}: {description}", case.name),
        });
    let documents = profile.external_docs.iter();
    let documents = documents.map(|document| format!("{}={}", document.title, document.url));
    FormView::new(
        "profile",
        format!("/servers/{}/profile", entry.server.name),
        "Save",
    )
    .hide("revision", entry.revision)
    .field(Field::line("summary", "In one sentence").value(profile.summary.clone().unwrap_or_default()))
    .field(
        Field::text("owners", "Owners", 2)
            .value(lines(&profile.owners))
            .hint("One to the line: user:ada, key:deploy, or a team's name."),
    )
    .field(
        Field::text("owner_groups", "Groups that own it", 2)
            .value(lines(&profile.owner_groups))
            .hint("One to the line. Their members may publish it.")
            .at("ownerGroups"),
    )
    .field(
        Field::text("contacts", "Whom to ask", 2)
            .value(contacts.join("\n"))
            .hint("One to the line: Billing desk <desk@acme.example>"),
    )
    .field(
        Field::line("license", "Licence")
            .value(profile.license.clone().unwrap_or_default())
            .hint("An SPDX expression such as Apache-2.0, or an address."),
    )
    .field(
        Field::text("use_cases", "What it is good for", 3)
            .value(cases.collect::<Vec<_>>().join("\n"))
            .hint("One to the line: Refunds: gives money back")
            .at("useCases"),
    )
    .field(
        Field::text("categories", "Categories", 2)
            .value(lines(&profile.categories))
            .hint("One to the line."),
    )
    .field(
        Field::text("tags", "Tags", 2)
            .value(lines(&profile.tags))
            .hint("One to the line. Registries select by them."),
    )
    .field(
        Field::text("external_docs", "Documentation elsewhere", 2)
            .value(documents.collect::<Vec<_>>().join("\n"))
            .hint("One to the line: Handbook=https://docs.acme.example/")
            .at("externalDocs"),
    )
    .field(
        Field::text("readme", "README", 12)
            .value(profile.readme.clone().unwrap_or_default())
            .hint("Markdown, at most 64 KiB. HTML in it is left out, and pictures are shown as links."),
    )
    .field(
        Field::text("icons", "Icons", 2)
            .value(lines(&profile.icons))
            .hint("One https address to the line. They are fetched, checked and shown from here."),
    )
    .field(
        Field::text("metadata", "Values of custom properties", 3)
            .value(values_of(&profile.metadata))
            .hint("One to the line: dataClass=internal"),
    )
}

/// The form for the values of one version: the newest at first.
pub(crate) fn values(entry: &Entry) -> FormView {
    let versions = entry.versions.iter().map(|version| version.version.as_str());
    let versions: Vec<Choice> = versions
        .enumerate()
        .map(|(index, version)| Choice::new(version, version, index == 0))
        .collect();
    let newest = entry.versions.first().map(|version| values_of(&version.metadata));
    FormView::new("values", format!("/servers/{}/values", entry.server.name), "Save the values")
        .hide("revision", entry.revision)
        .field(Field::choice("version", "Version", versions).required())
        .field(
            Field::text("values", "Its own values", 3)
                .value(newest.unwrap_or_default())
                .hint("One to the line: dataClass=public. Nothing behind the sign ends a value; what is not named stays.")
                .at("metadata"),
        )
        .plain()
}

fn contact(contact: &Contact) -> String {
    match contact.email.as_ref().or(contact.url.as_ref()) {
        Some(at) => format!("{} <{at}>", contact.name),
        None => contact.name.clone(),
    }
}

/// Lines of `name=value`.
fn values_of(values: &Metadata) -> String {
    let line = |(name, value): (&String, &serde_json::Value)| match value.as_str() {
        // A text that reads as JSON would come back as something else.
        Some(text) if serde_json::from_str::<serde_json::Value>(text).is_err() && !text.is_empty() => {
            format!("{name}={text}")
        }
        _ => format!("{name}={value}"),
    };
    values.iter().map(line).collect::<Vec<_>>().join("\n")
}
