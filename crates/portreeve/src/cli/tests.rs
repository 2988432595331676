//! Tests of the command line: what it accepts, what it prints, what it says when something is wrong.

mod against_a_server;
mod governed;
mod rendering;
mod webhooks;

use std::path::Path;

use clap::CommandFactory;

use super::{Cli, Command, Global, Remote, answer};

/// One line for each command of [`Remote`]; the first test below fails when one is missing.
const REMOTE: &[&str] = &[
    "access list",
    "access show no-write",
    "access set no-write -f ../../docs/policies.md --description text --disabled",
    "access check -f ../../docs/policies.md",
    "access test",
    "access test no-write --as user:ada --group interns --server com.acme/mail --tool send --environment production",
    "access dry-run no-write --as user:ada",
    "access enable no-write",
    "access disable no-write",
    "access remove no-write",
    "access schema",
    "access request ask com.acme/billing --reason refunds --read-only --for 8h",
    "access request list --mine",
    "access request show 0190a0a0-0000-7000-8000-000000000001",
    "access request grant 0190a0a0-0000-7000-8000-000000000001 --for 30d",
    "access request grant 0190a0a0-0000-7000-8000-000000000001 --tool echo --tool list",
    "access request refuse 0190a0a0-0000-7000-8000-000000000001 --message no",
    "access request withdraw 0190a0a0-0000-7000-8000-000000000001",
    "server add com.acme/billing --url https://mcp.acme.example/mcp --approve",
    "server add com.acme/harbour --openapi ../registry/tests/it/openapi/harbour-3.2.yaml --dry-run",
    "server add com.acme/harbour --graphql https://api.acme.example/graphql --dry-run",
    "server openapi com.acme/harbour --version 1.0.0",
    "server list --search bill",
    "server show com.acme/billing",
    "server submit com.acme/billing",
    "server assess com.acme/billing",
    "server approve com.acme/billing --version 1.0.0 --internal",
    "server reject com.acme/billing --reason unclear",
    "server deprecate com.acme/billing --message old",
    "server retire com.acme/billing",
    "server icons com.acme/billing --fetch",
    "server members com.acme/all",
    "server add com.acme/all --member billing --member jira=j --search-tools",
    "server login com.acme/billing --bearer acme --at https://mcp.acme.example/mcp",
    "server logins com.acme/billing",
    "server logout com.acme/billing --at https://mcp.acme.example/mcp?a=b",
    "server remove com.acme/billing",
    "server tools com.acme/billing",
    "server install com.acme/billing --host vscode",
    "publish tests/samples/server.json",
    "search send mail --kind remote",
    "client create Editor --redirect http://127.0.0.1/callback --auth none",
    "client list",
    "client show dcr_0190a0a0",
    "client delete dcr_0190a0a0",
    "client mine",
    "client forget dcr_0190a0a0",
    "import registry https://registry.example --every 1h --approve-namespace com.acme",
    "import dump ../../openapi/management-v1.json --approve --dry-run",
    "import partners src --dry-run",
    "import git https://git.example/mcp.git",
    "import docker src",
    "import api-center ../../openapi/management-v1.json",
    "import clients --yes --home ../../docs --project ../../docs",
    "import list",
    "import show 0190a0a0-0000-7000-8000-000000000001",
    "import origins com.acme/billing",
    "import schedules",
    "import unschedule https://registry.example",
    "waiting list --kind version --flagged",
    "waiting approve --import 0190a0a0-0000-7000-8000-000000000001",
    "approval list",
    "approval show 0190a0a0-0000-7000-8000-000000000001",
    "approval allow 0190a0a0-0000-7000-8000-000000000001",
    "approval deny 0190a0a0-0000-7000-8000-000000000001 --message no",
    "tool approve com.acme/billing --all",
    "tool hide com.acme/billing refund",
    "tool unhide com.acme/billing refund",
    "server lifecycle com.acme/billing --stage preview",
    "server plan com.acme/billing --version 1.0.0",
    "server compare com.acme/billing 1.1.0 --from 1.0.0",
    "deployment list com.acme/billing",
    "deployment list --environment test --state active",
    "deployment set com.acme/billing test --url https://test.acme.example/mcp --major v1 --state active",
    "deployment remove com.acme/billing test",
    "deployment approve com.acme/billing --plan 0a1b",
    "deployment withdraw com.acme/billing",
    "environment list",
    "environment show test",
    "environment create staging --kind staging --title Staging",
    "environment edit staging --onboarding text",
    "environment delete staging",
    "server edit com.acme/billing --owner user:ada --tag finance --meta dataClass=internal",
    "server edit com.acme/billing --version 1.0.0 --version-meta dataClass=public",
    "metadata list",
    "metadata show dataClass",
    "metadata create dataClass --choice public --choice internal --required server",
    "metadata edit dataClass --optional server",
    "metadata delete dataClass",
    "metadata failing",
    "registry list",
    "registry show default",
    "registry create partners --visibility only --reader key:deploy --tag partner --environment production",
    "registry edit default --approver-differs on --auto-approve com.acme.*",
    "registry delete partners",
    "route list",
    "route show billing",
    "route set billing --anonymous off --state active --timeout 30s --protocol legacy --sessions principal",
    "policy list com.acme/billing",
    "policy set billing rate_limit --calls 5 --per 30s",
    "policy remove billing rate_limit",
    "export-policy copilot",
    "key create ci --expires 90d --group finance",
    "key list",
    "key revoke ci",
    "secret set github",
    "secret list",
    "secret delete github --force",
    "webhook list",
    "webhook show chat",
    "webhook create chat --to https://chat.example/hook --secret hook --event server.* --server com.acme/*",
    "webhook edit chat --secret hook-2 --enabled on",
    "webhook delete chat",
    "webhook test chat",
    "webhook deliveries chat --state dead --limit 5",
    "webhook delivery chat 0190a0a0-0000-7000-8000-000000000001",
    "webhook send-again chat",
    "webhook drop chat 0190a0a0-0000-7000-8000-000000000001",
    "webhook events",
    "grant add --key ci --server com.acme/billing --read-only",
    "grant add --key ci --namespace com.acme.* --publish",
    "grant add --group finance --all-servers",
    "grant add --key ci --server com.acme/billing --for 7d",
    "grant add --user ada --role approver --until 2027-01-31T18:00:00Z",
    "grant list",
    "grant remove 0190a0a0-0000-7000-8000-000000000001",
    "user list",
    "user create ada --display-name Ada --email ada@acme.example --group finance",
    "user show ada",
    "user disable ada",
    "user enable ada",
    "user delete ada",
    "user groups ada finance ops",
    "user reset ada",
    "user sessions ada --end",
    "user list-groups",
    "audit list --action server.* --outcome done",
    "audit verify",
    "usage --since 1h",
    "doctor",
    "whoami",
];

/// The words of a command line.
fn words(line: &str) -> Vec<&str> {
    std::iter::once("portreeve")
        .chain(line.split_whitespace())
        .collect()
}

fn parse(line: &str) -> Cli {
    Cli::read(words(line)).unwrap_or_else(|error| panic!("`{line}`: {error}"))
}

fn refusal(line: &str) -> String {
    match Cli::read(words(line)) {
        Ok(_) => panic!("`{line}` is accepted"),
        Err(error) => {
            assert_eq!(error.exit_code(), 2, "`{line}`");
            error.to_string()
        }
    }
}

fn remote(cli: Cli) -> (Global, Remote) {
    match cli.command {
        Command::Remote(command) => (cli.global, command),
        other => panic!("{other:?} runs in this process"),
    }
}

/// Compares with a committed file, or writes it when `UPDATE_GOLDEN` is set.
fn golden(file: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(file);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, actual).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        expected,
        actual,
        "{} differs: UPDATE_GOLDEN=1 writes it anew",
        path.display()
    );
}

/// The commands below a command, as the words that lead to them.
fn leaves(command: &clap::Command, words: &str, found: &mut Vec<String>) {
    let mut below = command
        .get_subcommands()
        .filter(|command| command.get_name() != "help")
        .peekable();
    if below.peek().is_none() {
        found.push(words.to_owned());
    }
    for command in below {
        let words = format!("{words} {}", command.get_name());
        leaves(command, words.trim(), found);
    }
}

#[test]
fn every_command_has_a_line_in_the_list() {
    let mut found = Vec::new();
    leaves(&Cli::command(), "", &mut found);
    found.retain(|words| {
        let first = words.split(' ').next().unwrap_or_default();
        !matches!(
            first,
            "serve" | "call" | "why" | "config" | "partner" | "completions"
        )
    });
    for words in found {
        let listed = REMOTE
            .iter()
            .any(|line| *line == words || line.starts_with(&format!("{words} ")));
        assert!(listed, "`{words}` has no line in REMOTE");
    }
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn the_help_is_as_committed() {
    fn collect(command: &mut clap::Command, words: &str, text: &mut String) {
        text.push_str(&format!("=== {words} --help\n{}\n", command.render_long_help()));
        let names: Vec<_> = command
            .get_subcommands()
            .map(|command| command.get_name().to_owned())
            .collect();
        for name in names.iter().filter(|name| *name != "help") {
            if let Some(command) = command.find_subcommand_mut(name) {
                collect(command, &format!("{words} {name}"), text);
            }
        }
    }
    let mut command = Cli::command().term_width(100);
    command.build();
    let mut text = String::new();
    collect(&mut command, "portreeve", &mut text);
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    golden("help.txt", &(lines.join("\n") + "\n"));
}

#[test]
fn a_command_with_a_url_of_its_own_finds_portreeve_too() {
    for line in [
        "--url http://p:1 --key k server add a/b --url http://up:2",
        "server add a/b --portreeve-url http://p:1 --url http://up:2 --key k",
        "server --url http://p:1 --key k add a/b --url http://up:2",
    ] {
        let cli = parse(line);
        assert_eq!(cli.global.url.as_str(), "http://p:1/", "{line}");
        assert_eq!(
            cli.global.key.as_ref().map(|key| key.expose()),
            Some("k"),
            "{line}"
        );
        let text = format!("{:?}", cli.command);
        assert!(text.contains("http://up:2"), "{text}");
    }
    let cli = parse("--key mine grant add --key ci --all-servers");
    assert_eq!(cli.global.key.as_ref().map(|key| key.expose()), Some("mine"));
    assert!(format!("{:?}", cli.command).contains("\"ci\""));
    let cli = parse("grant add --key ci --all-servers --portreeve-key mine");
    assert_eq!(cli.global.key.as_ref().map(|key| key.expose()), Some("mine"));
}

#[test]
fn a_typed_data_directory_is_told_from_an_inherited_one() {
    assert!(parse("audit verify --data /d").global.data_typed);
    assert!(parse("--data /d audit verify").global.data_typed);
    assert!(!parse("audit verify").global.data_typed);
}

#[test]
fn a_key_is_never_printed() {
    let cli = parse("--key prv_secret whoami");
    assert!(!format!("{cli:?}").contains("prv_secret"));
}

#[test]
fn wrong_usage_is_told() {
    for (line, expected) in [
        ("", "Usage:"),
        ("server add com.acme/billing", "--url <URL>"),
        (
            "server add com.acme/billing --url http://x --file f",
            "cannot be used with",
        ),
        ("tool approve com.acme/billing", "<TOOL|--all>"),
        ("tool approve com.acme/billing a --all", "cannot be used with"),
        ("route set billing", "--anonymous"),
        ("route set billing --timeout 30", "`30s`"),
        ("policy set billing rate_limit --calls 5", "--per"),
        ("grant add --server com.acme/billing", "--key <KEY>|--user <USER>"),
        ("grant add --key ci", "--server"),
        ("grant add --key ci --manage --for 7d", "cannot be used with"),
        (
            "grant add --key ci --all-servers --until tomorrow",
            "`2027-01-31T18:00:00Z`",
        ),
        (
            "grant add --key ci --all-servers --manage --read-only",
            "cannot be used with",
        ),
        ("grant add --key ci --server a/b --manage", "cannot be used with"),
        ("audit list --outcome maybe", "permitted"),
        ("serve --tls-cert c.pem", "--tls-key"),
        (
            "call com.acme/billing pay --arg a=1 --json-args {}",
            "cannot be used with",
        ),
        ("--url nonsense whoami", "invalid value"),
    ] {
        let told = refusal(line);
        assert!(told.contains(expected), "`{line}`: {told}");
    }
}

#[tokio::test]
async fn an_unreachable_server_is_named_with_what_to_do() {
    for line in REMOTE {
        // Port 1 of the loopback is a port where nothing listens.
        let (global, command) = remote(parse(&format!(
            "--url http://127.0.0.1:1 --data /nonexistent {line}"
        )));
        let failure = answer(&global, command).await.unwrap_err().to_string();
        assert!(
            failure.starts_with("error: cannot reach Portreeve at http://127.0.0.1:1/"),
            "`{line}`: {failure}"
        );
        assert!(failure.contains("\nhint: "), "`{line}`: {failure}");
        assert!(failure.contains("`portreeve serve`"), "`{line}`: {failure}");
    }
}

#[test]
fn completions_know_the_commands() {
    let Command::Completions(shell) = parse("completions bash").command else {
        panic!("not completions");
    };
    let mut script = Vec::new();
    shell.write(&mut script).unwrap();
    let script = String::from_utf8(script).unwrap();
    assert!(script.contains("portreeve__subcmd__server") || script.contains("portreeve__server"));
}
