//! Azure AI Foundry: the values of "add a custom MCP tool", and a template that puts this server into an API Center,
//! which Foundry lists as a private tool catalogue.

use super::words::pretty;
use super::{Auth, Host, Launch, Setup, Snippet, SnippetKind};
use crate::export::{Named, template};

pub(super) struct Foundry;

const FILE: SnippetKind = SnippetKind::File {
    path: "api-center.json",
};
const PORTAL: &str = "Build > Tools > Connect a tool > Custom > Model Context Protocol.";
const DEPLOY: &str = "Deploy it with `az deployment group create --template-file api-center.json --parameters \
                      apiCenterName=NAME`, or all servers at once with `portreeve export-policy azure-api-center`.";
const KEY: &str = "The key itself is a secret of the connection: type it there, never into a template.";

impl Host for Foundry {
    fn id(&self) -> &'static str {
        "foundry"
    }

    fn title(&self) -> &'static str {
        "Azure AI Foundry"
    }

    fn snippets(&self, setup: &Setup) -> Vec<Snippet> {
        let Launch::Http { url, .. } = &setup.launch else {
            return Vec::new();
        };
        let value = |title, text: String| Snippet::new(self.id(), title, SnippetKind::Value, text);
        let mut snippets = vec![
            value("Name", setup.key.clone()).note(PORTAL),
            value("Remote MCP server endpoint", url.clone()),
        ];
        match setup.auth {
            Auth::Open => snippets.push(value("Authentication", "Unauthenticated".to_owned())),
            Auth::SignIn { .. } => {
                snippets.push(value("Authentication", "OAuth Identity Passthrough".to_owned()));
                if let Some(oauth) = super::connector::oauth(setup) {
                    snippets.extend([
                        value("Auth URL", oauth.authorization),
                        value("Token URL", oauth.token.clone()),
                        value("Refresh URL", oauth.token),
                        value("Scopes", oauth.scopes.join(" ")),
                    ]);
                }
            }
            Auth::Key => {
                snippets.push(value("Authentication", "Key-based".to_owned()).note(KEY));
                snippets.push(value("Credential name", super::connector::KEY_HEADER.to_owned()));
            }
        }
        if let Some(origin) = &setup.origin {
            let of = Named {
                name: &setup.name,
                version: &setup.version,
                title: &setup.title,
                description: &setup.description,
                stage: "production",
            };
            let text = pretty(&template(origin, &of, url));
            snippets.push(Snippet::new(self.id(), "Add to an API Center", FILE, text).note(DEPLOY));
        }
        snippets
    }
}
