//! Copilot Studio: the values of its wizard "add an existing MCP server". The connector file is the other way in.

use super::{Auth, Host, Launch, Setup, Snippet, SnippetKind};

pub(super) struct CopilotStudio;

const WIZARD: &str = "Agent > Tools > Add a tool > New tool > Model Context Protocol. Copilot Studio calls the server over \
                      Streamable HTTP from Microsoft's network, so it must be reachable from there.";
const DISCOVERY: &str = "Choose OAuth 2.0, then Dynamic discovery: it finds everything else by the URL, registers itself \
                         and signs each person in.";
const KEY: &str = "Choose API key, type Header. The person who connects is asked for the key itself.";
const MANUAL: &str = "Only for OAuth 2.0, Manual: with a client made by `portreeve client create`, whose redirect URI is \
                      the one that Copilot Studio shows after saving.";

impl Host for CopilotStudio {
    fn id(&self) -> &'static str {
        "copilot-studio"
    }

    fn title(&self) -> &'static str {
        "Copilot Studio"
    }

    fn snippets(&self, setup: &Setup) -> Vec<Snippet> {
        let Launch::Http { url, .. } = &setup.launch else {
            return Vec::new();
        };
        let value = |title, text: String| Snippet::new(self.id(), title, SnippetKind::Value, text);
        let mut snippets = vec![
            value("Server name", setup.title.clone()).note(WIZARD),
            value("Server description", setup.description.clone()),
            value("Server URL", url.clone()),
        ];
        snippets.push(match setup.auth {
            Auth::Open => value("Authentication", "None".to_owned()),
            Auth::SignIn { .. } => {
                value("Authentication", "OAuth 2.0, Dynamic discovery".to_owned()).note(DISCOVERY)
            }
            Auth::Key => value("Authentication", "API key, Header".to_owned()).note(KEY),
        });
        if setup.auth == Auth::Key {
            snippets.push(value("Header name", super::connector::KEY_HEADER.to_owned()));
        }
        if let Some(oauth) = super::connector::oauth(setup) {
            snippets.extend([
                value("Authorization URL", oauth.authorization).note(MANUAL),
                value("Token URL template", oauth.token.clone()),
                value("Refresh URL", oauth.token),
                value("Scopes", oauth.scopes.join(" ")),
            ]);
        }
        snippets
    }
}
