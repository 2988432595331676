//! Azure API Center: a template that puts the served entries into a service that exists, for Foundry and whatever else
//! reads one.

use serde_json::{Value, json};

use super::{About, Export, Format, LeftOut, Writing, Written};
use crate::serve::Served;

pub(super) struct ApiCenter;

const SCHEMA: &str = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#";
/// The first version of the service's interface that knows MCP servers.
const API_VERSION: &str = "2024-06-01-preview";
const LOCAL: &str = "nothing serves it: API Center leads to servers over HTTP";
const ENVIRONMENT: &str = "portreeve";

/// The lengths that the service takes, in characters.
const IDENTIFIER: usize = 90;
const TITLE: usize = 50;
const DESCRIPTION: usize = 1_000;

impl Export for ApiCenter {
    fn format(&self) -> Format {
        Format {
            id: "azure-api-center",
            title: "Azure API Center template",
            file: "api-center.json",
            purpose: "Deploy it with `az deployment group create --template-file api-center.json --parameters \
                      apiCenterName=NAME`. Foundry then lists the servers, each with the gateway's address.",
        }
    }

    fn begin(&self, about: &About) -> Box<dyn Writing> {
        Box::new(File {
            resources: vec![environment(&about.origin)],
            left_out: Vec::new(),
        })
    }
}

struct File {
    resources: Vec<Value>,
    left_out: Vec<LeftOut>,
}

impl Writing for File {
    fn take(&mut self, served: &Served) {
        if !served.meta.official.is_latest {
            return;
        }
        match endpoint(served) {
            Some(url) => self.resources.extend(entry_of(served, &url)),
            None => self.left_out.push(LeftOut::new(served, LOCAL)),
        }
    }

    fn finish(self: Box<Self>) -> Written {
        Written {
            document: document(self.resources),
            left_out: self.left_out,
        }
    }
}

/// A version as the template names it.
pub(crate) struct Named<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    pub(crate) title: &'a str,
    pub(crate) description: &'a str,
    pub(crate) stage: &'a str,
}

/// A template of one version.
pub(crate) fn template(origin: &str, of: &Named<'_>, url: &str) -> Value {
    let mut resources = vec![environment(origin)];
    resources.extend(entry(of, url));
    document(resources)
}

fn document(resources: Vec<Value>) -> Value {
    json!({
        "$schema": SCHEMA,
        "contentVersion": "1.0.0.0",
        "parameters": {"apiCenterName": {
            "type": "string",
            "metadata": {"description": "The API Center service, which must exist"},
        }},
        "resources": resources,
    })
}

fn endpoint(served: &Served) -> Option<String> {
    let remotes: Vec<Value> = serde_json::from_str(served.server.get("remotes")?).ok()?;
    remotes.first()?["url"].as_str().map(str::to_owned)
}

fn environment(origin: &str) -> Value {
    resource(
        "environments",
        ENVIRONMENT,
        None,
        json!({
            "title": "Portreeve",
            "kind": "production",
            "server": {"type": "MCP", "managementPortalUri": [plain(origin, 2_000)]},
        }),
    )
}

fn entry_of(served: &Served, url: &str) -> [Value; 4] {
    let text = |field| served.server.text(field).unwrap_or_default();
    let (name, version) = (text("name"), text("version"));
    let title = served.server.text("title").unwrap_or_else(|| name.clone());
    let stage = if served.meta.official.status == "deprecated" {
        "deprecated"
    } else {
        "production"
    };
    let of = Named {
        name: &name,
        version: &version,
        title: &title,
        description: &text("description"),
        stage,
    };
    entry(&of, url)
}

/// The entry, its version and where it is served.
fn entry(of: &Named<'_>, url: &str) -> [Value; 4] {
    let api = identifier(of.name);
    let api_version = identifier(of.version);
    let definition = format!("{api}/{api_version}/mcp");
    [
        resource(
            "apis",
            &api,
            None,
            json!({
                "title": plain(of.title, TITLE),
                "kind": "mcp",
                "description": plain(of.description, DESCRIPTION),
            }),
        ),
        resource(
            "apis/versions",
            &format!("{api}/{api_version}"),
            Some(("apis", &api)),
            json!({
                "title": plain(of.version, TITLE),
                "lifecycleStage": of.stage,
            }),
        ),
        resource(
            "apis/versions/definitions",
            &definition,
            Some(("apis/versions", &format!("{api}/{api_version}"))),
            json!({"title": "MCP over Streamable HTTP"}),
        ),
        resource(
            "apis/deployments",
            &format!("{api}/{ENVIRONMENT}"),
            Some(("apis/versions/definitions", &definition)),
            json!({
                "title": "Portreeve",
                "environmentId": format!("/workspaces/default/environments/{ENVIRONMENT}"),
                "definitionId": format!("/workspaces/default/apis/{api}/versions/{api_version}/definitions/mcp"),
                "server": {"runtimeUri": [plain(url, 2_000)]},
                "state": "active",
            }),
        ),
    ]
}

/// One resource of the default workspace, made after another one.
fn resource(kind: &str, name: &str, after: Option<(&str, &str)>, properties: Value) -> Value {
    let path = format!("Microsoft.ApiCenter/services/workspaces/{kind}");
    let mut resource = json!({
        "type": path,
        "apiVersion": API_VERSION,
        "name": format!("[concat(parameters('apiCenterName'), '/default/{name}')]"),
        "properties": properties,
    });
    let mut dependencies = Vec::new();
    if let Some((kind, name)) = after {
        dependencies.push(id(kind, name));
    }
    if kind == "apis/deployments" {
        dependencies.push(id("environments", ENVIRONMENT));
    }
    if !dependencies.is_empty() {
        resource["dependsOn"] = json!(dependencies);
    }
    resource
}

fn id(kind: &str, name: &str) -> String {
    let parts: Vec<String> = name.split('/').map(|part| format!("'{part}'")).collect();
    format!(
        "[resourceId('Microsoft.ApiCenter/services/workspaces/{kind}', parameters('apiCenterName'), 'default', {})]",
        parts.join(", ")
    )
}

/// What the service takes as an identifier: letters, digits and dashes. A digest of the text at its end keeps two texts
/// apart that would become one.
fn identifier(text: &str) -> String {
    const DIGEST: usize = 8;
    let safe: String = text
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(IDENTIFIER - DIGEST - 1)
        .collect();
    let digest = portreeve_inspect::sha256_hex(text.as_bytes());
    let digest: String = digest.chars().take(DIGEST).collect();
    format!("{}-{digest}", safe.trim_matches('-'))
}

/// A text that the template language takes for a text: one in brackets would be an expression, and be run.
fn plain(text: &str, most: usize) -> String {
    let cut: String = text.chars().take(most).collect();
    if cut.starts_with('[') {
        format!("[{cut}")
    } else {
        cut
    }
}

#[cfg(test)]
mod tests {
    use super::{identifier, plain};

    #[test]
    fn a_text_in_brackets_is_not_an_expression() {
        assert_eq!(plain("[listKeys('x')]", 50), "[[listKeys('x')]");
        assert_eq!(plain("Billing [beta]", 50), "Billing [beta]");
        assert_eq!(plain("abc", 2), "ab");
    }

    #[test]
    fn identifiers_are_short_plain_and_apart() {
        let (one, other) = (identifier("com.acme/billing"), identifier("com-acme/billing"));
        assert_ne!(one, other);
        assert!(one.starts_with("com-acme-billing-"), "{one}");
        let long = identifier(&"x".repeat(300));
        assert!(long.len() <= 90, "{long}");
        let odd = identifier("'); º");
        assert!(
            odd.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'),
            "{odd}"
        );
    }
}
