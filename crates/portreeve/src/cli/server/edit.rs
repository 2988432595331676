//! `portreeve server edit`: says what people should know about a server; its document stays as it is.

use clap::Args;
use serde_json::{Map, Value, json};

use super::super::connection::{Connection, api_path};
use super::super::{Failure, Reply};
use super::render_one;

/// `portreeve server edit`
#[derive(Debug, Clone, Args)]
pub(crate) struct EditArgs {
    /// The server's name
    name: String,
    /// The version that `--version-meta` is about
    #[arg(long, requires = "version_meta")]
    version: Option<String>,
    #[command(flatten)]
    profile: ProfileArgs,
}

/// What people say about a server. A list that is given takes the place of the whole list.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "What people say about it")]
pub(crate) struct ProfileArgs {
    /// One sentence
    #[arg(long, value_name = "TEXT")]
    summary: Option<String>,
    /// Who answers for it, as in `user:ada` or a team's name; may be given several times
    #[arg(long, value_name = "LABEL")]
    owner: Vec<String>,
    /// A group that answers for it; may be given several times
    #[arg(long, value_name = "GROUP")]
    owner_group: Vec<String>,
    /// Whom to ask, as in `Billing desk <desk@acme.example>`; may be given several times
    #[arg(long, value_name = "CONTACT", value_parser = contact)]
    contact: Vec<Value>,
    /// An SPDX expression such as `Apache-2.0`, or the address of the licence's text
    #[arg(long, value_name = "LICENCE")]
    license: Option<String>,
    /// What it is good for, as in `Refunds: gives money back`; may be given several times
    #[arg(long, value_name = "NAME: TEXT", value_parser = use_case)]
    use_case: Vec<Value>,
    /// What kind of thing it is; may be given several times
    #[arg(long, value_name = "CATEGORY")]
    category: Vec<String>,
    /// A word by which it is found, and by which registries select it; may be given several times
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Documentation elsewhere, as in `Handbook=https://docs.acme.example/`; may be given several times
    #[arg(long, value_name = "TITLE=URL", value_parser = external)]
    external_doc: Vec<Value>,
    /// A file with all about it, in Markdown, at most 64 KiB; an empty one ends it
    #[arg(long, value_name = "FILE", value_parser = file)]
    readme: Option<String>,
    /// The address of an icon, https only; may be given several times
    #[arg(long, value_name = "URL")]
    icon: Vec<String>,
    /// A value of a custom property, as in `dataClass=internal`; JSON where it is JSON, nothing ends it
    #[arg(long, value_name = "NAME=VALUE", value_parser = meta)]
    meta: Vec<(String, Value)>,
    /// The same of this version alone, over the value of the server
    #[arg(long, value_name = "NAME=VALUE", value_parser = meta)]
    version_meta: Vec<(String, Value)>,
}

pub(super) async fn run(connection: &Connection, args: &EditArgs) -> Result<Reply, Failure> {
    let (request, values) = (args.profile.request(), args.profile.version_values());
    if request.is_empty() && values.is_empty() {
        return Err(Failure::new("name at least one thing to change")
            .hint("`portreeve server edit --help` lists what can be said"));
    }
    if !values.is_empty() && args.version.is_none() {
        return Err(Failure::new("`--version-meta` is about one version").hint("name it with `--version`"));
    }
    let path = api_path!("servers/{}", args.name);
    let mut server = connection.get(&path).await?;
    if !request.is_empty() {
        let etag = server.etag.unwrap_or_default();
        server = connection.patch(&path, &request.into(), &etag).await?;
    }
    if let Some(version) = args.version.as_ref().filter(|_| !values.is_empty()) {
        let of_version = api_path!("servers/{}/versions/{}", args.name, version);
        let etag = server.etag.unwrap_or_default();
        connection
            .patch(&of_version, &json!({ "metadata": values }), &etag)
            .await?;
        server = connection.get(&path).await?;
    }
    let body = server.body;
    let shown = render_one(&body);
    Ok(Reply::new(body, shown))
}

impl ProfileArgs {
    /// The values that are for one version.
    pub(super) fn version_values(&self) -> Map<String, Value> {
        self.version_meta.iter().cloned().collect()
    }

    /// The fields that were given.
    pub(super) fn request(&self) -> Map<String, Value> {
        let mut request = Map::new();
        let texts = [
            ("summary", &self.summary),
            ("license", &self.license),
            ("readme", &self.readme),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                request.insert(name.to_owned(), json!(text));
            }
        }
        let lists = [
            ("owners", json!(self.owner)),
            ("ownerGroups", json!(self.owner_group)),
            ("contacts", json!(self.contact)),
            ("useCases", json!(self.use_case)),
            ("categories", json!(self.category)),
            ("tags", json!(self.tag)),
            ("externalDocs", json!(self.external_doc)),
            ("icons", json!(self.icon)),
        ];
        for (name, list) in lists {
            if list.as_array().is_some_and(|list| !list.is_empty()) {
                request.insert(name.to_owned(), list);
            }
        }
        if !self.meta.is_empty() {
            let values: Map<String, Value> = self.meta.iter().cloned().collect();
            request.insert("metadata".to_owned(), values.into());
        }
        request
    }
}

/// `Billing desk <desk@acme.example>`, `Billing desk <https://acme.example/desk>`, or a name alone.
fn contact(text: &str) -> Result<Value, String> {
    let Some((name, rest)) = text.split_once('<') else {
        return Ok(json!({ "name": text.trim() }));
    };
    let at = rest.trim().strip_suffix('>').unwrap_or_default().trim();
    if at.is_empty() {
        return Err("write it as in `Billing desk <desk@acme.example>`".to_owned());
    }
    let member = if at.contains("://") { "url" } else { "email" };
    Ok(json!({ "name": name.trim(), member: at }))
}

#[expect(clippy::unnecessary_wraps, reason = "clap wants a parser that may fail")]
fn use_case(text: &str) -> Result<Value, std::convert::Infallible> {
    let (name, description) = text.split_once(':').unwrap_or((text, ""));
    Ok(json!({ "name": name.trim(), "description": description.trim() }))
}

/// What stands in a file.
fn file(path: &str) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("`{path}` cannot be read: {error}"))
}

fn external(text: &str) -> Result<Value, String> {
    match text.split_once('=') {
        Some((title, url)) if !title.trim().is_empty() => {
            Ok(json!({ "title": title.trim(), "url": url.trim() }))
        }
        _ => Err("write it as in `Handbook=https://docs.acme.example/`".to_owned()),
    }
}

/// What reads as JSON other than a text is meant as such: `true`, `7`, `["a"]`; nothing is null, which ends the value.
fn meta(text: &str) -> Result<(String, Value), String> {
    let Some((name, value)) = text.split_once('=') else {
        return Err("write it as in `dataClass=internal`".to_owned());
    };
    let value = match serde_json::from_str::<Value>(value) {
        _ if value.is_empty() => Value::Null,
        Ok(read) => read,
        Err(_) => json!(value),
    };
    Ok((name.to_owned(), value))
}
