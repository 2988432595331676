//! What a host reads out of a snippet, with the parsers that a host has: percent-decoding, base64, JSON, YAML, TOML, and a
//! real shell.

use std::collections::BTreeMap;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portreeve_registry::install::{Launch, Setup, Snippet, SnippetKind, Words};
use serde_json::Value;

/// What a host is to do. An answer is written `{{NAME}}`, whatever the host's own words for it are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    Http {
        url: String,
        headers: BTreeMap<String, String>,
    },
    Stdio {
        command: String,
        args: Vec<String>,
        env: BTreeMap<String, String>,
    },
}

/// What a host should have been told.
pub(super) fn meant(setup: &Setup) -> Told {
    let answer =
        |words: &Words| words.render(&setup.prompts, |prompt| format!("{{{{{}}}}}", prompt.variable()));
    let pairs = |pairs: &[(String, Words)]| {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), answer(value)))
            .collect()
    };
    match &setup.launch {
        Launch::Http { url, headers } => Told::Http {
            url: url.clone(),
            headers: pairs(headers),
        },
        Launch::Stdio { command, args, env } => Told::Stdio {
            command: command.clone(),
            args: args.iter().map(answer).collect(),
            env: pairs(env),
        },
        Launch::Bundle { .. } => panic!("a bundle is not told"),
    }
}

/// What the host reads; nothing for what is no configuration.
pub(super) fn read(snippet: &Snippet, setup: &Setup) -> Option<Told> {
    match (snippet.host, snippet.kind) {
        (_, SnippetKind::Link | SnippetKind::WebLink) => link(&snippet.text, setup),
        (_, SnippetKind::Command) => Some(command(&snippet.text, setup)),
        ("codex", SnippetKind::File { .. }) => Some(codex(&snippet.text, setup)),
        ("goose", SnippetKind::File { .. }) => Some(goose(&snippet.text, setup)),
        ("foundry", SnippetKind::File { .. }) => None,
        (_, SnippetKind::File { .. }) => Some(file(&snippet.text, setup)),
        ("vscode" | "vscode-insiders", SnippetKind::PowerShell) => Some(pasted_json(&snippet.text, setup)),
        (_, SnippetKind::PowerShell | SnippetKind::Value | SnippetKind::Markdown) => None,
    }
}

pub(super) fn percent_decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8()
        .unwrap()
        .into_owned()
}

fn query(text: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap();
        (name.to_owned(), percent_decoded(value))
    };
    text.split('&').map(pair).collect()
}

fn value_of<'a>(query: &'a [(String, String)], name: &str) -> &'a str {
    &query.iter().find(|(found, _)| found == name).unwrap().1
}

fn link(text: &str, setup: &Setup) -> Option<Told> {
    let parsed = url::Url::parse(text).unwrap();
    assert!(
        !matches!(parsed.scheme(), "javascript" | "data" | "file"),
        "{text}"
    );
    let (place, rest) = text.split_once('?').unwrap_or((text, ""));
    let from_json = |json: &str| config(&serde_json::from_str(json).unwrap(), setup);
    Some(match place {
        "vscode:mcp/install"
        | "vscode-insiders:mcp/install"
        | "vsweb+mcp:/install"
        | "https://vs-open.link/mcp-install" => {
            let payload: Value = serde_json::from_str(&percent_decoded(rest)).unwrap();
            assert_eq!(payload["name"], setup.name.as_str());
            assert_eq!(payload["version"], setup.version.as_str());
            config(&payload, setup)
        }
        "https://vscode.dev/redirect" | "https://insiders.vscode.dev/redirect" => {
            return link(value_of(&query(rest), "url"), setup);
        }
        "https://vscode.dev/redirect/mcp/install" | "https://insiders.vscode.dev/redirect/mcp/install" => {
            assert_eq!(value_of(&query(rest), "name"), setup.name);
            from_json(value_of(&query(rest), "config"))
        }
        "https://kiro.dev/launch/mcp/add" => from_json(value_of(&query(rest), "config")),
        "cursor://anysphere.cursor-deeplink/mcp/install"
        | "lmstudio://add_mcp"
        | "https://lmstudio.ai/install-mcp" => {
            assert_eq!(value_of(&query(rest), "name"), setup.key);
            let json = STANDARD.decode(value_of(&query(rest), "config")).unwrap();
            from_json(std::str::from_utf8(&json).unwrap())
        }
        "goose://extension" => goose_link(&query(rest), setup),
        "http://localhost:6274/" => Told::Http {
            url: value_of(&query(rest), "serverUrl").to_owned(),
            // The inspector's page asks for headers itself.
            headers: match meant(setup) {
                Told::Http { headers, .. } => headers,
                Told::Stdio { .. } => BTreeMap::new(),
            },
        },
        other => panic!("nobody reads {other}"),
    })
}

fn goose_link(query: &[(String, String)], setup: &Setup) -> Told {
    let all = |name: &str| -> Vec<String> {
        let named = query.iter().filter(|(found, _)| found == name);
        named.map(|(_, value)| value.clone()).collect()
    };
    assert_eq!(all("description"), std::slice::from_ref(&setup.description));
    match all("url").pop() {
        Some(url) => Told::Http {
            url,
            headers: BTreeMap::new(),
        },
        None => Told::Stdio {
            command: all("cmd").pop().unwrap(),
            args: all("arg"),
            env: all("env")
                .iter()
                .map(|pair| {
                    let (name, _) = pair.split_once('=').unwrap();
                    (name.to_owned(), format!("{{{{{}}}}}", name.to_uppercase()))
                })
                .collect(),
        },
    }
}

/// A text in which the host's own words for answers are written in ours.
fn answered(text: &str, setup: &Setup) -> String {
    // A name that begins another one comes after it.
    let mut prompts: Vec<_> = setup.prompts.iter().collect();
    prompts.sort_by_key(|prompt| std::cmp::Reverse(prompt.variable().len()));
    prompts.into_iter().fold(text.to_owned(), |text, prompt| {
        let name = prompt.variable();
        let ours = format!("{{{{{name}}}}}");
        [
            format!("${{input:{}}}", prompt.id),
            format!("${{env:{name}}}"),
            format!("${{{name}}}"),
            format!("$COPILOT_MCP_{name}"),
            format!("<{name}>"),
        ]
        .iter()
        .fold(text, |text, theirs| text.replace(theirs, &ours))
    })
}

fn pairs(value: &Value, setup: &Setup) -> BTreeMap<String, String> {
    let members = value.as_object().cloned().unwrap_or_default();
    let pair = |(name, value): (String, Value)| (name, answered(value.as_str().unwrap(), setup));
    members.into_iter().map(pair).collect()
}

fn config(config: &Value, setup: &Setup) -> Told {
    let url = ["url", "serverUrl", "httpUrl", "uri"]
        .iter()
        .find_map(|key| config[key].as_str());
    match url {
        Some(url) => Told::Http {
            url: url.to_owned(),
            headers: pairs(&config["headers"], setup),
        },
        None => Told::Stdio {
            command: config["command"]
                .as_str()
                .or(config["cmd"].as_str())
                .unwrap()
                .to_owned(),
            args: config["args"]
                .as_array()
                .unwrap()
                .iter()
                .map(|word| answered(word.as_str().unwrap(), setup))
                .collect(),
            env: pairs(&config["env"], setup),
        },
    }
}

fn file(text: &str, setup: &Setup) -> Told {
    let file: Value = serde_json::from_str(text).unwrap();
    let under = ["servers", "mcpServers", "context_servers"];
    let servers = under.iter().find_map(|key| file[key].as_object()).unwrap();
    assert_eq!(servers.len(), 1);
    let (key, server) = servers.iter().next().unwrap();
    assert!(*key == setup.key || *key == setup.name, "{key}");
    config(server, setup)
}

fn codex(text: &str, setup: &Setup) -> Told {
    let file: Value = toml::from_str(text).unwrap();
    let server = &file["mcp_servers"][&setup.key];
    let mut told = config(server, setup);
    match &mut told {
        Told::Http { headers, .. } => {
            headers.extend(pairs(&server["http_headers"], setup));
            for (name, variable) in pairs(&server["env_http_headers"], setup) {
                headers.insert(name, format!("{{{{{variable}}}}}"));
            }
            if let Some(variable) = server["bearer_token_env_var"].as_str() {
                headers.insert("Authorization".to_owned(), format!("Bearer {{{{{variable}}}}}"));
            }
        }
        Told::Stdio { env, .. } => {
            for name in server["env_vars"].as_array().into_iter().flatten() {
                let name = name.as_str().unwrap();
                env.insert(name.to_owned(), format!("{{{{{}}}}}", name.to_uppercase()));
            }
        }
    }
    told
}

fn goose(text: &str, setup: &Setup) -> Told {
    let file: Value = serde_saphyr::from_str(text).unwrap();
    let server = &file["extensions"][&setup.key];
    let mut told = config(server, setup);
    if let Told::Stdio { env, .. } = &mut told {
        env.extend(pairs(&server["envs"], setup));
        for name in server["env_keys"].as_array().unwrap() {
            let name = name.as_str().unwrap();
            env.insert(name.to_owned(), format!("{{{{{}}}}}", name.to_uppercase()));
        }
    }
    told
}

/// The words that a real shell makes of a command, with the answers in its environment.
pub(super) fn shell_words(command: &str, setup: &Setup) -> Vec<String> {
    let program = command.split(' ').next().unwrap();
    // A function of that name prints what it is called with.
    let script = format!(
        "told() {{ for word in \"$@\"; do printf '%s\\0' \"$word\"; done; }}\n{}",
        command.replacen(program, "told", 1)
    );
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(script).env_clear();
    for prompt in &setup.prompts {
        shell.env(prompt.variable(), format!("{{{{{}}}}}", prompt.variable()));
    }
    let output = shell.output().unwrap();
    assert!(
        output.stderr.is_empty(),
        "{command}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_terminator('\0').map(str::to_owned).collect()
}

/// What `code` reads where PowerShell, and `cmd.exe` behind it, read the line before: nothing in it means anything to them.
fn pasted_json(text: &str, setup: &Setup) -> Told {
    let (program, word) = text.split_once(" --add-mcp ").unwrap();
    assert!(matches!(program, "code" | "code-insiders"), "{text}");
    let word = word.strip_prefix('\'').and_then(|word| word.strip_suffix('\''));
    let json = word.unwrap().replace("\\\"", "\"");
    let is_read = |c: char| !(c.is_ascii_alphanumeric() || " -_.,:/{}[]\"@\\".contains(c));
    assert!(!json.contains(is_read), "{text}");
    let payload: Value = serde_json::from_str(&json).unwrap();
    let asked = payload["inputs"].as_array().into_iter().flatten();
    let asked: Vec<&str> = asked
        .map(|input| input["description"].as_str().unwrap())
        .collect();
    let meant: Vec<&str> = setup
        .prompts
        .iter()
        .map(|prompt| prompt.description.as_str())
        .collect();
    assert_eq!(asked, meant);
    config(&payload, setup)
}

fn command(text: &str, setup: &Setup) -> Told {
    let program = text.split(' ').next().unwrap();
    let words = shell_words(text, setup);
    match (
        program,
        words.iter().map(String::as_str).collect::<Vec<_>>().as_slice(),
    ) {
        ("code" | "code-insiders", ["--add-mcp", json]) => {
            config(&serde_json::from_str(json).unwrap(), setup)
        }
        ("claude" | "codex", ["mcp", "add", rest @ ..]) => flags(rest, &setup.key),
        ("gemini", ["mcp", "add", "--transport", "http", key, url]) => {
            assert_eq!(*key, setup.key);
            Told::Http {
                url: (*url).to_owned(),
                headers: BTreeMap::new(),
            }
        }
        ("npx", ["-y", "@modelcontextprotocol/inspector"]) => meant(setup),
        ("npx", ["-y", "@modelcontextprotocol/inspector", rest @ ..]) => flags(rest, ""),
        other => panic!("nobody reads {other:?}"),
    }
}

/// The options of `claude mcp add`, `codex mcp add` and the inspector.
fn flags(words: &[&str], key: &str) -> Told {
    let (mut url, mut headers, mut env) = (None, BTreeMap::new(), BTreeMap::new());
    let mut rest = words.iter();
    let mut named = key.is_empty();
    while let Some(word) = rest.next() {
        match *word {
            "--transport" => assert_eq!(rest.next(), Some(&"http")),
            "--url" => url = rest.next().map(|url| (*url).to_owned()),
            "--bearer-token-env-var" => {
                headers.insert(
                    "Authorization".to_owned(),
                    format!("Bearer {{{{{}}}}}", rest.next().unwrap()),
                );
            }
            "--header" => {
                let (name, value) = rest.next().unwrap().split_once(": ").unwrap();
                headers.insert(name.to_owned(), value.to_owned());
            }
            "--env" | "-e" => {
                let (name, value) = rest.next().unwrap().split_once('=').unwrap();
                env.insert(name.to_owned(), value.to_owned());
            }
            "--" => {
                let command = (*rest.next().unwrap()).to_owned();
                let args = rest.map(|word| (*word).to_owned()).collect();
                return Told::Stdio { command, args, env };
            }
            word if !named => {
                assert_eq!(word, key);
                named = true;
            }
            word => url = Some(word.to_owned()),
        }
    }
    Told::Http {
        url: url.unwrap(),
        headers,
    }
}
