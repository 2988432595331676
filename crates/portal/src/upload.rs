//! Forms that carry files. The token stands first in them: nothing of a form without it is read any further.

use axum::extract::multipart::Multipart;
use portreeve_registry::import::Record;

use crate::failure::Failure;
use crate::fields::Fields;
use crate::forms::Purpose;
use crate::router::Portal;
use crate::visitor::Visitor;

/// Bytes of a field that is not a file.
const FIELD_BYTES: usize = 64 * 1024;
/// Fields and files of a form.
const MOST_PARTS: usize = 10_000;

/// What a form carried.
pub(crate) struct Uploaded {
    pub(crate) fields: Fields,
    /// Its files, each by its name. What is not UTF-8 is shown as what cannot be read, and flagged by who reads it.
    pub(crate) files: Vec<Record>,
}

/// Reads a form of our own page for this visitor.
pub(crate) async fn read(
    portal: &Portal,
    visitor: &Visitor,
    purpose: Purpose,
    form: Multipart,
) -> Result<Uploaded, Failure> {
    read_up_to(portal, visitor, (purpose, FIELD_BYTES), form).await
}

/// The same, with fields of up to so many bytes.
pub(crate) async fn read_up_to(
    portal: &Portal,
    visitor: &Visitor,
    (purpose, longest): (Purpose, usize),
    mut form: Multipart,
) -> Result<Uploaded, Failure> {
    let mut fields = Vec::new();
    let mut files = Vec::new();
    let mut is_ours = false;
    while let Some(part) = form.next_field().await.map_err(|_| Failure::Form)? {
        let name = part.name().unwrap_or_default().to_owned();
        let file = part.file_name().map(str::to_owned);
        let bytes = part.bytes().await.map_err(|_| Failure::Form)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if name == "csrf" {
            visitor.check(portal, purpose, Some(&text))?;
            is_ours = true;
            continue;
        }
        if !is_ours {
            return Err(Failure::StaleForm);
        }
        match file {
            // A field for files in which none was chosen has an empty one.
            Some(place) if place.is_empty() && text.is_empty() => {}
            Some(place) => files.push(portreeve_registry::import::record(&place, text)),
            None if text.len() <= longest => fields.push((name, text)),
            None => return Err(Failure::Form),
        }
        if fields.len() + files.len() > MOST_PARTS {
            return Err(Failure::Form);
        }
    }
    if is_ours {
        let fields = Fields::from_pairs(fields);
        Ok(Uploaded { fields, files })
    } else {
        Err(Failure::StaleForm)
    }
}
