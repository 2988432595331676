//! What the servers themselves say: who answers, whether it wants a credential, which eras it speaks, and what its tools are.
//!
//! One fault is told by one check: what cannot be seen because of an earlier one is not made, and told there.

use std::collections::BTreeMap;

use portreeve_inspect::{sha256_hex, tool_definition};
use serde_json::{Value, json};

use super::super::azure::schemes;
use super::super::folder::SubmittedServer;
use super::super::format::Login;
use super::{Notes, Subject, file_of};
use crate::assess::Severity;
use crate::assess::outside::Looked;

/// Whether it can be asked at all.
fn is_there(looked: &Looked) -> bool {
    looked.status.is_ok() && !is_told(looked, "tls", Severity::High)
}

/// Whether it lets nobody in without a credential.
fn is_shut(looked: &Looked) -> bool {
    looked.issuers.is_some() || matches!(looked.status, Ok(401 | 403))
}

fn is_told(looked: &Looked, assessor: &str, least: Severity) -> bool {
    let mut findings = looked.findings.iter();
    findings.any(|finding| finding.assessor == assessor && finding.severity >= least)
}

/// Passes on what an assessor says; from `least` on it must be mended.
fn adopt(
    (server, looked): (&SubmittedServer, &Looked),
    assessor: &str,
    (least, mend): (Severity, &str),
    notes: &mut Notes,
) {
    for finding in looked
        .findings
        .iter()
        .filter(|finding| finding.assessor == assessor)
    {
        let file = file_of(server);
        let at = (file.as_str(), finding.path.as_str());
        if finding.severity >= least {
            notes.refuse(at, &finding.message, finding.evidence.clone(), mend);
        } else {
            notes.note(at, &finding.message, finding.evidence.clone(), mend);
        }
    }
}

/// The address of a remote as findings name it.
fn place(index: usize) -> String {
    format!("remotes[{index}].url")
}

/// What passes cannot be read on its way, and it is clear who answers.
pub(super) fn tls(subject: &Subject<'_>, notes: &mut Notes) {
    for (server, index, looked) in subject.looked() {
        let url = server
            .view
            .remotes
            .get(index)
            .map(|remote| remote.url.as_str())
            .unwrap_or_default();
        if url.to_ascii_lowercase().starts_with("http://") {
            let mend = "serve it over https, and write the address so";
            let message = "is reached without TLS: what passes can be read and changed on its way";
            notes.refuse((&file_of(server), &place(index)), message, url.to_owned(), mend);
            continue;
        }
        match looked {
            None => notes.not_made(),
            Some(looked) => {
                let mend = "install a certificate of a public authority, with its whole chain, and renew it by a program";
                adopt((server, looked), "tls", (Severity::High, mend), notes);
            }
        }
    }
}

/// It asks for a credential if, and only if, that is promised.
pub(super) fn challenge(subject: &Subject<'_>, notes: &mut Notes) {
    for (server, index, looked) in subject.looked() {
        let Some(looked) = looked.filter(|looked| is_there(looked)) else {
            notes.not_made();
            continue;
        };
        let (file, place) = (file_of(server), place(index));
        let status = looked
            .status
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        let field = format!("servers.{}.login", server.stem);
        match (server.note.login, is_shut(looked)) {
            (Login::None, false) | (Login::Key | Login::Oauth, true) => {}
            (Login::None, true) => {
                let mend = format!(
                    "write `login = \"oauth\"` or `\"key\"` under `[servers.{}]`",
                    server.stem
                );
                let message = "promises that everybody may call it, and it asks for a credential";
                notes.refuse(
                    ("partner.toml", &field),
                    message,
                    format!("status {status}"),
                    &mend,
                );
            }
            (Login::Key | Login::Oauth, false) => {
                let mend = "answer 401 with `WWW-Authenticate` to requests without a token, or write `login = \"none\"`";
                let message = "does not answer 401 without a token, as is promised";
                notes.refuse((&file, &place), message, format!("status {status}"), mend);
            }
        }
    }
}

/// A host finds the way from the 401 to a token, and finds what the file says.
pub(super) fn oauth(subject: &Subject<'_>, notes: &mut Notes) {
    for server in &subject.partner.servers {
        for (key, scheme) in schemes(&server.document).filter(|(_, scheme)| scheme["type"] == "oauth2") {
            scheme_is_whole(server, (key, scheme), notes);
        }
    }
    for (server, _, looked) in subject
        .looked()
        .filter(|(server, ..)| server.note.login == Login::Oauth)
    {
        let Some((looked, issuers)) = looked.and_then(|looked| Some((looked, looked.issuers.as_ref()?)))
        else {
            notes.not_made();
            continue;
        };
        let mend = "serve the metadata of RFC 9728 at the place that the 401 names, and of RFC 8414 at its authorization server";
        adopt((server, looked), "authorization", (Severity::Medium, mend), notes);
        let plain = |text: &str| text.trim_end_matches('/').to_owned();
        let shown: Vec<String> = issuers.iter().map(|issuer| plain(&issuer.name)).collect();
        for wanted in &server.note.authorization_servers {
            if !shown.contains(&plain(wanted)) {
                let field = format!("servers.{}.authorization_servers", server.stem);
                let mend = "write the authorization servers that the metadata names, or mend the metadata";
                let evidence = format!("`{wanted}` is promised, the metadata names {}", shown.join(", "));
                notes.refuse(
                    ("partner.toml", &field),
                    "is not named by the server's metadata",
                    evidence,
                    mend,
                );
            }
        }
        let at: Vec<&String> = issuers
            .iter()
            .filter_map(|issuer| issuer.authorization.as_ref())
            .collect();
        for (key, scheme) in schemes(&server.document).filter(|(_, scheme)| scheme["type"] == "oauth2") {
            let said = scheme["authorizationUrl"].as_str().filter(|_| !at.is_empty());
            if let Some(said) = said.filter(|said| !at.iter().any(|at| plain(at) == plain(said))) {
                let field = format!("_meta.securitySchemes.{key}.authorizationUrl");
                let mend = "write the authorization endpoint of the metadata";
                notes.refuse(
                    (&file_of(server), &field),
                    "is not what the metadata says",
                    said.to_owned(),
                    mend,
                );
            }
        }
    }
}

/// A scheme for which people sign in says where.
fn scheme_is_whole(server: &SubmittedServer, (key, scheme): (&str, &Value), notes: &mut Notes) {
    let field = |name: &str| format!("_meta.securitySchemes.{key}.{name}");
    let flows = scheme["flows"].as_array();
    let asks_people = flows.is_none_or(|flows| flows.iter().any(|flow| flow == "authorizationCode"));
    let address = scheme["authorizationUrl"].as_str().unwrap_or_default();
    let is_bare = url::Url::parse(address).is_ok_and(|url| url.path() == "/" && url.query().is_none());
    if asks_people && (address.is_empty() || is_bare) {
        let mend = "write the authorization endpoint, with its path";
        let message = "does not say where people sign in";
        notes.refuse(
            (&file_of(server), &field("authorizationUrl")),
            message,
            format!("`{address}`"),
            mend,
        );
    }
    if scheme["scopes"].as_array().is_none_or(Vec::is_empty) {
        let mend = "name the scopes that a host asks for";
        notes.note((&file_of(server), &field("scopes")), "names no scope", None, mend);
    }
}

/// It speaks MCP, in every era that is promised.
pub(super) fn handshake(subject: &Subject<'_>, notes: &mut Notes) {
    for (server, index, looked) in subject.looked() {
        let Some(looked) = looked else {
            notes.not_made();
            continue;
        };
        let at = (file_of(server), place(index));
        let at = (at.0.as_str(), at.1.as_str());
        let mend = "make it answer `server/discover` or `initialize` over Streamable HTTP at this address";
        match (&looked.status, &looked.probe) {
            _ if is_told(looked, "tls", Severity::High) => notes.not_made(),
            (Err(why), _) => notes.refuse(at, "does not answer", why.clone(), mend),
            (Ok(_), Err(_)) if is_shut(looked) => notes.not_made(),
            (Ok(_), Err(why)) if !looked.shakes_hands => {
                notes.refuse(at, "does not answer as an MCP server", why.clone(), mend);
            }
            (Ok(_), Err(_)) => {}
            (Ok(_), Ok(probe)) => {
                for era in server.note.eras.iter().filter(|era| !probe.eras.contains(era)) {
                    let field = format!("servers.{}.eras", server.stem);
                    let evidence =
                        format!("`{}` is promised, it speaks {}", era.as_str(), words(&probe.eras));
                    let mend = "promise the eras that it speaks, or make it speak this one";
                    notes.refuse(
                        ("partner.toml", &field),
                        "promises an era that it does not speak",
                        evidence,
                        mend,
                    );
                }
            }
        }
    }
}

fn words(eras: &[portreeve_core::protocol::Era]) -> String {
    eras.iter().map(|era| era.as_str()).collect::<Vec<_>>().join(", ")
}

/// Its tools can be listed, and each is one.
pub(super) fn tools(subject: &Subject<'_>, notes: &mut Notes) {
    for (server, _, looked) in subject.looked() {
        let Some(looked) = looked.filter(|looked| is_there(looked) && !is_shut(looked)) else {
            notes.not_made();
            continue;
        };
        let file = file_of(server);
        let mend = "make `tools/list` answer with at least one tool that has a name";
        match &looked.probe {
            Err(_) if !looked.shakes_hands => notes.not_made(),
            Err(why) => notes.refuse((&file, "tools"), "shows no list of its tools", why.clone(), mend),
            Ok(_) if tool_count(looked) == Some(0) => {
                notes.refuse((&file, "tools"), "has no tools", None, mend);
            }
            Ok(probe) => {
                for tool in probe.tools.iter().flat_map(|(_, tools)| tools) {
                    if let Err(error) = tool_definition(tool) {
                        notes.refuse(
                            (&file, "tools"),
                            "shows something that is no tool",
                            error.to_string(),
                            mend,
                        );
                    }
                }
            }
        }
    }
}

/// A model can use its tools.
pub(super) fn tool_lint(subject: &Subject<'_>, notes: &mut Notes) {
    let mend = "describe every tool and parameter, and keep to the schemas that all hosts understand";
    judged(subject, ("tool-quality", Severity::Medium, mend), notes);
}

/// Its texts speak about the tools, and not to the model.
pub(super) fn poisoning(subject: &Subject<'_>, notes: &mut Notes) {
    let mend = "take it out of the text: a tool's texts say what it does, and nothing to the model behind people's backs";
    judged(subject, ("poisoning", Severity::High, mend), notes);
}

fn judged(subject: &Subject<'_>, (assessor, least, mend): (&str, Severity, &str), notes: &mut Notes) {
    for (server, _, looked) in subject.looked() {
        match looked {
            Some(looked) => {
                if looked.probe.is_err() {
                    notes.not_made();
                }
                adopt((server, looked), assessor, (least, mend), notes);
            }
            None => notes.not_made(),
        }
    }
}

/// How many tools it shows, in the era in which they are most.
pub(super) fn tool_count(looked: &Looked) -> Option<usize> {
    let probe = looked.probe.as_ref().ok()?;
    Some(
        probe
            .tools
            .iter()
            .map(|(_, tools)| tools.len())
            .max()
            .unwrap_or_default(),
    )
}

/// One hash over all definitions, whatever their order.
pub(super) fn tools_hash(looked: &Looked) -> Option<String> {
    let probe = looked.probe.as_ref().ok()?;
    let of_eras: BTreeMap<&str, Vec<String>> = probe
        .tools
        .iter()
        .map(|(era, tools)| {
            let hashes = tools.iter().map(|tool| match tool_definition(tool) {
                Ok(tool) => tool.hash,
                Err(_) => sha256_hex(tool.as_bytes()),
            });
            let mut hashes: Vec<String> = hashes.collect();
            hashes.sort_unstable();
            (era.as_str(), hashes)
        })
        .collect();
    Some(sha256_hex(json!(of_eras).to_string().as_bytes()))
}
