//! The forms of a server's stages.

use portreeve_core::ports::Entry;
use portreeve_core::server::{Approval, Lifecycle, Version};

use crate::view::badge::Badge;
use crate::view::form::{Choice, Field, FormView};
use crate::view::one::Part;
use crate::words;

/// What says how mature a version is. Nothing where no version was approved.
pub(crate) fn stage(entry: &Entry) -> Option<Part> {
    let approved: Vec<&Version> = newest(entry, |approval| approval == Approval::Approved);
    let stands = approved.first()?.lifecycle;
    let mut versions = vec![Choice::new("", "Every approved version", true)];
    versions.extend(approved.into_iter().map(choice));
    let stages = Lifecycle::ALL
        .iter()
        .map(|&stage| Choice::new(stage.as_str(), Badge::lifecycle(stage).text, stage == stands));
    let form = FormView::new("stage", address(entry, "stages"), "Set the stage")
        .field(Field::choice("version", "Version", versions).required())
        .field(Field::choice("lifecycle", "Stage", stages.collect()).required())
        .field(
            Field::text("message", "What its users should know", 2)
                .hint("Shown by hosts where a version is deprecated: what to use instead, and until when."),
        );
    Some(Part::new(
        "Set a stage",
        "A deprecated version is served on, and hosts are told. A retired one is neither listed nor served; another stage \
         brings it back.",
        form,
    ))
}

/// What hands in again what is a draft or was rejected. Nothing where there is no such version.
pub(crate) fn submit(entry: &Entry) -> Option<Part> {
    let open = newest(entry, |approval| {
        matches!(approval, Approval::Draft | Approval::Rejected)
    });
    let versions: Vec<Choice> = open.into_iter().map(choice).collect();
    let form = FormView::new("again", address(entry, "stages/submit"), "Hand it in")
        .field(Field::choice("version", "Version", versions.clone()).required());
    (!versions.is_empty()).then(|| Part::new("Ask for an approval", "", form))
}

/// What fetches the icons.
pub(crate) fn icons(entry: &Entry) -> Part {
    let form = FormView::new("icons", address(entry, "stages/icons"), "Fetch its icons").plain();
    Part::new(
        "Icons",
        "They are kept here, and fetched once a version is listed. This fetches all of them again.",
        form,
    )
}

/// What removes the server.
pub(crate) fn remove(entry: &Entry) -> Part {
    let form = FormView::new("remove", address(entry, "stages/remove"), "Remove the server")
        .plain()
        .field(
            Field::line("name", "Its name")
                .required()
                .hint("Type it: nobody removes a server by a slip."),
        );
    Part::new(
        "Remove it",
        "With its versions, routes and tools, for good. To end a server that somebody still uses, retire it first.",
        form,
    )
}

fn newest(entry: &Entry, wanted: impl Fn(Approval) -> bool) -> Vec<&Version> {
    let mut versions: Vec<&Version> = entry.versions.iter().collect();
    versions.retain(|version| wanted(version.approval));
    versions.sort_by_key(|version| (!version.is_latest, std::cmp::Reverse(version.published_at)));
    versions
}

fn choice(version: &Version) -> Choice {
    let stage = Badge::lifecycle(version.lifecycle).text;
    let text = format!(
        "{}, {}",
        words::visible(version.version.as_str()),
        stage.to_lowercase()
    );
    Choice::new(version.version.as_str(), text, false)
}

fn address(entry: &Entry, step: &str) -> String {
    format!("/servers/{}/{step}", entry.server.name)
}
