//! What can be said of the files alone, each for itself and all of a folder together.

use std::collections::BTreeSet;

use portreeve_mcp::server_json::placeholders;
use url::Url;

use super::super::azure::schemes;
use super::super::folder::Submitted;
use super::super::registry::open_hosts;
use super::{Notes, Subject, file_of};

const MANIFEST: &str = "partner.toml";

/// Every file has its form.
pub(super) fn schema(subject: &Subject<'_>, notes: &mut Notes) {
    for (file, problem) in &subject.partner.problems {
        let mend = if file == MANIFEST {
            "`portreeve partner schema` prints what is allowed; `portreeve partner init` writes a file that is right in form"
        } else if file.starts_with("servers/") {
            "follow the schema of server.json of 2025-12-11"
        } else {
            "mend the file, or take it away"
        };
        notes.refuse(
            (file, &problem.path),
            "does not have the form that it needs",
            problem.message.clone(),
            mend,
        );
    }
    let known: BTreeSet<&str> = subject
        .partner
        .servers
        .iter()
        .map(|server| server.stem.as_str())
        .collect();
    for stem in subject
        .partner
        .partner
        .iter()
        .flat_map(|partner| partner.servers.keys())
    {
        if !known.contains(stem.as_str()) && !known.is_empty() {
            let field = format!("servers.{stem}");
            let mend = "name it like one of the files in servers/, without `.json`";
            notes.refuse(
                (MANIFEST, &field),
                "promises something of a server that is not there",
                None,
                mend,
            );
        }
    }
}

/// Names are those of the folder, the namespace and the files, and nobody else has them.
pub(super) fn names(subject: &Subject<'_>, notes: &mut Notes) {
    let own = subject.partner;
    let Some(partner) = &own.partner else {
        notes.not_made();
        return;
    };
    if partner.name != own.slug {
        let mend = "call the folder as the partner is called";
        let evidence = format!("the folder is `{}`, the name is `{}`", own.slug, partner.name);
        notes.refuse(
            (MANIFEST, "name"),
            "is not the name of the folder",
            evidence,
            mend,
        );
    }
    let turned = partner.domain.rsplit('.').collect::<Vec<_>>().join(".");
    let is_below = partner.namespace.strip_prefix(&turned);
    if !is_below.is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) {
        let mend = "write the domain turned round: `com.acme` for `acme.com`";
        let evidence = format!("`{}` does not begin with `{turned}`", partner.namespace);
        notes.refuse(
            (MANIFEST, "namespace"),
            "does not belong to the domain",
            evidence,
            mend,
        );
    }
    for server in &own.servers {
        let Some(name) = server.view.name.as_ref().map(ToString::to_string) else {
            continue;
        };
        let file = file_of(server);
        let wanted = format!("{}/{}", partner.namespace, server.stem);
        if name != wanted {
            let mend = format!("call it `{wanted}`, or the file after it");
            let message = "is not made of the partner's namespace and the name of the file";
            notes.refuse((&file, "name"), message, name.clone(), &mend);
        }
        for (other, theirs) in others(subject, &server.stem) {
            if theirs.view.name.as_ref().map(ToString::to_string).as_deref() == Some(&name) {
                let mend = "each server is listed once: choose another name, or take one of them away";
                notes.refuse(
                    (&file, "name"),
                    "is taken already",
                    format!("partner `{}`", other.slug),
                    mend,
                );
            }
        }
    }
    let twins = subject.folder.partners.iter().filter(|other| {
        other.slug != own.slug
            && (other.slug.eq_ignore_ascii_case(&own.slug)
                || other
                    .partner
                    .as_ref()
                    .is_some_and(|other| other.name == partner.name))
    });
    for twin in twins {
        let mend = "each partner is listed once: choose another name, or bring the two together";
        notes.refuse(
            (MANIFEST, "name"),
            "is taken already",
            format!("partner `{}`", twin.slug),
            mend,
        );
    }
}

/// Every other server of the folder.
fn others<'a>(
    subject: &'a Subject<'_>,
    stem: &'a str,
) -> impl Iterator<Item = (&'a Submitted, &'a super::SubmittedServer)> {
    let own = subject.partner;
    subject.folder.partners.iter().flat_map(move |partner| {
        let servers = partner.servers.iter();
        servers
            .filter(move |server| partner.slug != own.slug || server.stem != stem)
            .map(move |server| (partner, server))
    })
}

/// No two servers are at one address, however it is written.
pub(super) fn endpoints(subject: &Subject<'_>, notes: &mut Notes) {
    for server in &subject.partner.servers {
        for (index, remote) in server.view.remotes.iter().enumerate() {
            let Some(own) = normal(&remote.url) else { continue };
            for (other, theirs) in others(subject, &server.stem) {
                let same = theirs
                    .view
                    .remotes
                    .iter()
                    .any(|remote| normal(&remote.url).as_ref() == Some(&own));
                if same {
                    let evidence = format!(
                        "`{}` is also that of `{}` of partner `{}`",
                        remote.url, theirs.stem, other.slug
                    );
                    let mend = "list each endpoint once";
                    let field = format!("remotes[{index}].url");
                    notes.refuse((&file_of(server), &field), "is listed already", evidence, mend);
                }
            }
        }
    }
}

/// One spelling of an address: case, default ports, a slash at the end and the names of variables do not count.
fn normal(text: &str) -> Option<String> {
    let mut plain = text.to_owned();
    for name in placeholders(text) {
        plain = plain.replace(&format!("{{{name}}}"), "variable");
    }
    let url = Url::parse(&plain).ok()?;
    let path = url.path().trim_end_matches('/');
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    Some(format!("{}{path}{query}", url.origin().ascii_serialization()))
}

/// The keys of security schemes are those of one server alone: the Azure catalogue keeps them in one map.
pub(super) fn scheme_keys(subject: &Subject<'_>, notes: &mut Notes) {
    for server in &subject.partner.servers {
        for (key, _) in schemes(&server.document) {
            for (other, theirs) in others(subject, &server.stem) {
                if schemes(&theirs.document).any(|(theirs, _)| theirs == key) {
                    let field = format!("_meta.securitySchemes.{key}");
                    let evidence = format!("`{}` of partner `{}`", theirs.stem, other.slug);
                    let mend = "put the server's name before the key";
                    notes.refuse(
                        (&file_of(server), &field),
                        "is the key of another server's scheme",
                        evidence,
                        mend,
                    );
                }
            }
        }
    }
}

/// Variables of an address are declared, and say what they are.
pub(super) fn variables(subject: &Subject<'_>, notes: &mut Notes) {
    for server in &subject.partner.servers {
        let file = file_of(server);
        for (index, remote) in server.view.remotes.iter().enumerate() {
            let field = format!("remotes[{index}].url");
            for name in placeholders(&remote.url) {
                let declared = remote.variables.iter().find(|(declared, _)| declared == name);
                let is_said = declared.is_some_and(|(_, input)| {
                    input
                        .description
                        .as_ref()
                        .is_some_and(|text| !text.trim().is_empty())
                });
                if !is_said {
                    let mend = format!(
                        "declare it: `\"variables\": {{\"{name}\": {{\"description\": \"...\", \"isRequired\": true}}}}`"
                    );
                    let message = "has a variable that nothing explains, so nobody knows what to type";
                    notes.refuse(
                        (&file, &field),
                        message,
                        format!("`{{{name}}}` in `{}`", remote.url),
                        &mend,
                    );
                }
            }
            if remote.url.contains(['<', '>']) {
                let mend = "write it in curly braces, and declare it under `variables`";
                let message = "has a variable that no host understands";
                notes.refuse((&file, &field), message, remote.url.clone(), mend);
            }
            for (name, _) in &remote.variables {
                if !placeholders(&remote.url).any(|used| used == name) {
                    let mend = "take the declaration away";
                    let field = format!("remotes[{index}].variables.{name}");
                    notes.note((&file, &field), "is declared and not used", None, mend);
                }
            }
        }
        for name in open_hosts(&server.document) {
            let mend = "write a domain of yours behind it, or say under `choices` what it may be";
            let message = "has a variable whose value would choose the host";
            notes.refuse((&file, "remotes"), message, format!("`{{{name}}}`"), mend);
        }
    }
}

/// There is something to connect to.
pub(super) fn endpoint(subject: &Subject<'_>, notes: &mut Notes) {
    for server in &subject.partner.servers {
        if server.view.remotes.is_empty() && server.view.packages.is_empty() {
            let mend =
                "give `remotes` with the address, or `packages` for a server that hosts run themselves";
            notes.refuse(
                (&file_of(server), ""),
                "has neither an endpoint nor a package",
                None,
                mend,
            );
        }
    }
}
