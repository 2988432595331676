//! `portreeve call`: calls a tool through the gateway, as oneself. Progress goes to standard error as it comes.

use std::io::Write as _;
use std::time::Duration;

use portreeve_client::{ClientError, Connection as McpConnection, Upstream};
use portreeve_core::limits::Limits;
use portreeve_net::Reach;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::cli::{CallArgs, Connection, Failure, Global, Reply, Verdict, WhyArgs};

/// Calls the tool, and shows what came back.
pub(crate) async fn run(global: &Global, args: &CallArgs) -> Result<Reply, Failure> {
    let api = Connection::open(global)?;
    let arguments = args.arguments.object()?;
    let slug = slug_of(&api, &args.name).await?;
    let url = global
        .url
        .join(&format!("/s/{slug}/mcp"))
        .map_err(|error| Failure::new(format!("`{}`: {error}", global.url)))?;
    let upstream = Upstream::new(url, &Reach::Operator, Duration::from_secs(300));
    let limits = Limits::default();
    let egress = api.egress();
    let key = api.key().cloned();
    let told = |error: ClientError| tell(&error, &args.tool);
    let mcp = match McpConnection::modern(egress, &upstream, key.clone(), &limits)
        .await
        .map_err(told)?
    {
        Some(mcp) => mcp,
        None => McpConnection::legacy(egress, &upstream, key, &limits)
            .await
            .map_err(told)?,
    };
    let params = Map::from_iter([
        ("name".to_owned(), Value::from(args.tool.clone())),
        ("arguments".to_owned(), Value::Object(arguments)),
        ("_meta".to_owned(), json!({"progressToken": 1})),
    ]);
    let result = mcp
        .request("tools/call", params, &mut show_progress)
        .await
        .map_err(told);
    mcp.close().await;
    let body: Value = serde_json::from_str(result?.get())
        .map_err(|error| Failure::new(format!("the result is not JSON: {error}")))?;
    let failed = body.get("isError").and_then(Value::as_bool).unwrap_or(false);
    Ok(Reply {
        text: render(&body),
        body,
        verdict: if failed { Verdict::Bad } else { Verdict::Good },
    })
}

/// Asks why a call would be allowed or refused. Has no effect, takes from no limit.
pub(crate) async fn why(global: &Global, args: &WhyArgs) -> Result<Reply, Failure> {
    let api = Connection::open(global)?;
    let slug = slug_of(&api, &args.name).await?;
    let mut question = json!({"route": slug, "tool": args.tool, "groups": args.group});
    let arguments = args.arguments.object()?;
    // Without arguments the question is whether there is a call that may be made.
    if !arguments.is_empty() || args.arguments.are_said() {
        question["arguments"] = arguments.into();
    }
    if let Some(client) = &args.client {
        question["client"] = client.as_str().into();
    }
    if !args.scope.is_empty() {
        question["scope"] = args.scope.join(" ").into();
    }
    if let Some(who) = &args.who {
        question["as"] = who.as_str().into();
    }
    let body = api.post("/api/v1/explain", &question).await?.body;
    let allowed = body.get("allowed").and_then(Value::as_bool).unwrap_or(false);
    let text = |value: &Value, key: &str| {
        value
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let verdict = if allowed { "may" } else { "may not" };
    let mut lines = vec![format!(
        "{} {verdict} call `{}` on `{}`.",
        text(&body, "caller"),
        text(&body, "tool"),
        text(&body, "route")
    )];
    for policy in body
        .get("policies")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
    {
        let mark = if policy.get("allowed").and_then(Value::as_bool).unwrap_or(false) {
            "yes"
        } else {
            "no "
        };
        lines.push(format!(
            "  {mark}  {:<12} {}",
            text(policy, "policy"),
            text(policy, "reason")
        ));
    }
    Ok(Reply::new(body, lines.join("\n")).bad_if(!allowed))
}

/// The route of a server, or the slug itself.
async fn slug_of(api: &Connection, name: &str) -> Result<String, Failure> {
    if !name.contains('/') {
        return Ok(name.to_owned());
    }
    let listed = api
        .get(&format!(
            "/v0.1/servers/{}/versions/latest",
            name.replacen('/', "%2F", 1)
        ))
        .await?
        .body;
    let url = listed
        .pointer("/server/remotes/0/url")
        .and_then(Value::as_str)
        .unwrap_or_default();
    match url
        .rsplit_once("/s/")
        .and_then(|(_, rest)| rest.strip_suffix("/mcp"))
    {
        Some(slug) => Ok(slug.to_owned()),
        None => Err(Failure::new(format!("`{name}` has no route"))
            .hint("a server of packages runs at its host; only remote servers are called here")),
    }
}

fn show_progress(method: &str, params: Option<&RawValue>) {
    if method != "notifications/progress" {
        return;
    }
    let params: Value = params
        .and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default();
    let done = params.get("progress").and_then(Value::as_f64).unwrap_or_default();
    let total = params
        .get("total")
        .and_then(Value::as_f64)
        .map(|total| format!(" of {total}"))
        .unwrap_or_default();
    let message = params.get("message").and_then(Value::as_str).unwrap_or_default();
    let _ = writeln!(std::io::stderr().lock(), "progress {done}{total} {message}");
}

fn tell(error: &ClientError, tool: &str) -> Failure {
    match error {
        ClientError::Rpc { message, .. } if message.starts_with("Unknown tool") => {
            Failure::new(message.clone())
                .hint("`portreeve server tools NAME` shows the tools; `portreeve grant add` grants them")
        }
        ClientError::Rpc { code, message, .. } => Failure::new(format!("`{tool}`: {message} ({code})")),
        ClientError::Status { status: 401, .. } => Failure::new("the gateway wants a valid key")
            .hint("give one with `--key` or PORTREEVE_KEY; `portreeve key create NAME` makes one"),
        other => Failure::new(other.to_string()).hint("`portreeve doctor` looks for the cause"),
    }
}

/// What a person wants to see: the texts, and a word for everything else.
fn render(body: &Value) -> String {
    let blocks = body
        .get("content")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let mut lines: Vec<String> = blocks.iter().map(render_block).collect();
    if let (true, Some(structured)) = (lines.is_empty(), body.get("structuredContent")) {
        lines.push(serde_json::to_string_pretty(structured).unwrap_or_default());
    }
    if body.get("resultType").and_then(Value::as_str) == Some("input_required") {
        lines.push("The tool asks for input, which this command cannot give.".to_owned());
    }
    lines.join("\n")
}

fn render_block(block: &Value) -> String {
    let text = |key: &str| block.get(key).and_then(Value::as_str).unwrap_or_default();
    match text("type") {
        "text" => text("text").to_owned(),
        "image" | "audio" => format!(
            "[{} {}, {} bytes of base64]",
            text("type"),
            text("mimeType"),
            text("data").len()
        ),
        "resource_link" => format!("[resource {}]", text("uri")),
        kind => format!("[{kind}] {block}"),
    }
}
