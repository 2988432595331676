//! What people see and follow: the icon, and the pages that a partner names.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portreeve_inspect::{Picture, picture};

use super::super::catalogue::ListedIcon;
use super::super::sight::named;
use super::{Notes, Subject};

const MANIFEST: &str = "partner.toml";

/// The icon is a picture of a size that pages can bear.
pub(super) fn icon(subject: &Subject<'_>, notes: &mut Notes) {
    let mend = "give a PNG, JPEG, WebP or SVG of at most 256 KiB and 2048 by 2048 pixels";
    let Some(partner) = &subject.partner.partner else {
        notes.not_made();
        return;
    };
    match (&partner.icon, found(subject)) {
        (None, _) => match &subject.partner.icon {
            Some(file) => {
                let mend = format!("write `icon = \"{}\"`, or take the file away", file.name);
                notes.note(
                    (&file.name, ""),
                    "is an icon that partner.toml does not name",
                    None,
                    &mend,
                );
            }
            None => notes.note(
                (MANIFEST, "icon"),
                "is missing: the card will show letters",
                None,
                mend,
            ),
        },
        (Some(_), Some(Ok(_))) => {}
        (Some(icon), Some(Err(why))) => {
            notes.refuse(
                (MANIFEST, "icon"),
                "is no icon that can be shown",
                format!("`{icon}`: {why}"),
                mend,
            );
        }
        (Some(_), None) => notes.not_made(),
    }
}

/// The picture, why there is none, or nothing while nobody looked.
fn found(subject: &Subject<'_>) -> Option<Result<Picture, String>> {
    let icon = subject.partner.partner.as_ref()?.icon.as_ref()?;
    if icon.starts_with("https://") {
        return subject.sight.and_then(|sight| sight.icon.clone());
    }
    if icon.contains("://") {
        return Some(Err("its address does not begin with https".to_owned()));
    }
    let file = subject.partner.icon.as_ref().filter(|file| file.name == *icon);
    Some(match file {
        Some(file) => picture(&file.bytes, subject.limits).map_err(|error| error.to_string()),
        None => Err("there is no such file beside partner.toml".to_owned()),
    })
}

/// The icon as a catalogue carries it.
pub(super) fn kept_icon(subject: &Subject<'_>) -> Option<ListedIcon> {
    let picture = found(subject)?.ok()?;
    Some(ListedIcon {
        kind: picture.kind,
        data: STANDARD.encode(&picture.bytes),
    })
}

/// What a partner must have a page for is there, and every page answers.
pub(super) fn links(subject: &Subject<'_>, notes: &mut Notes) {
    let Some(partner) = &subject.partner.partner else {
        notes.not_made();
        return;
    };
    for (field, page) in [("terms", &partner.terms), ("privacy", &partner.privacy)] {
        if page.is_none() {
            notes.note((MANIFEST, field), "is missing", None, "say where it can be read");
        }
    }
    if partner.security.is_none() {
        let mend = "say whom one tells of a weakness";
        notes.note((MANIFEST, "security"), "is missing", None, mend);
    }
    for (field, url) in named(partner) {
        if url.starts_with("http://") {
            notes.note(
                (MANIFEST, field),
                "does not begin with https",
                url.to_owned(),
                "write it with https",
            );
        }
    }
    let Some(sight) = subject.sight else {
        notes.not_made();
        return;
    };
    for (field, evidence) in &sight.broken {
        let (file, field) = field.split_once('#').unwrap_or((MANIFEST, field));
        let mend = "write an address that answers";
        notes.refuse((file, field), "leads nowhere", evidence.clone(), mend);
    }
}
