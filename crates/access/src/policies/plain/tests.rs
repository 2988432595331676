//! Plain rules say what Cedar says: each form by itself, and whatever can be made of all of them, valid or not.

use std::str::FromStr as _;
use std::sync::{Arc, LazyLock};

use cedar_policy::PolicySet;
use portreeve_core::caller::Principal;
use portreeve_core::decision::{Action, Target};
use portreeve_core::grant::{Grant, Rights, ServerScope, Subject, ToolScope};
use portreeve_core::id::{GrantId, KeyId, UserId};
use portreeve_core::name::{GroupName, RegistryName, ServerName};
use portreeve_core::ports::Owned;
use portreeve_core::time::Timestamp;
use portreeve_core::tool::ToolAnnotations;
use proptest::prelude::*;

use super::eval::Failed;
use crate::facts::Facts;
use crate::policies::rulebook::Judge;
use crate::policies::scene::Scene;
use crate::policies::text::Rule;
use crate::policies::vocabulary::Kind;
use crate::policies::{Arguments, Asked, Asker, Engine, Rulebook, SPOKEN_OF, Via, law};
use crate::state::Holder;

static ENGINE: LazyLock<Engine> = LazyLock::new(Engine::new);

/// What people write, what nobody should, and what only Cedar understands.
const ATOMS: [&str; 62] = [
    "true",
    "false",
    "resource.read_only",
    "resource.destructive",
    "resource.idempotent == resource.open_world",
    r#"resource.name == "send""#,
    r#"resource.name != "com.acme/mail""#,
    r#"resource.name like "s*d""#,
    r#"resource.name like "com.*/*a*""#,
    r#"resource.name like "*\**""#,
    r#"resource.server == "com.acme/mail""#,
    r#"resource.namespace like "com*me""#,
    "resource has read_only",
    "resource has namespace && resource.namespace != \"org\"",
    "resource has server",
    "resource has name",
    r#"principal.name == "ada""#,
    r#"principal.name like "a*""#,
    r#"principal.name like "*\**""#,
    "principal has name",
    "principal is User",
    r#"principal is Key in Group::"interns""#,
    r#"principal is User in [Group::"interns", Group::"leads"]"#,
    "principal is Anonymous",
    r#"principal == User::"ada""#,
    r#"User::"ada" == principal"#,
    r#"principal != Client::"https://host.example/client.json""#,
    r#"principal in Group::"interns""#,
    r#"principal in [Group::"leads", User::"ada"]"#,
    r#"principal in User::"ada""#,
    "principal == resource",
    "resource is Tool",
    "resource is Server",
    r#"resource is Server in Namespace::"com.*""#,
    r#"resource == Tool::"com.acme/mail/send""#,
    r#"resource in Server::"com.acme/mail""#,
    r#"resource in Namespace::"com.acme""#,
    r#"resource in Namespace::"com.acme.*""#,
    r#"resource in Owner::"finance""#,
    r#"resource in [Registry::"default", Installation::"that"]"#,
    r#"resource in Installation::"this""#,
    r#"context.via == "key""#,
    r#"["session", "nothing"].contains(context.via)"#,
    "context has client",
    r#"context has client && context.client like "https://*""#,
    r#"context.client == "https://host.example/client.json""#,
    r#"context has environment && context.environment == "production""#,
    r#"context.environment == "test""#,
    r#"["send", "list", "a*b"].contains(resource.name)"#,
    r#"[User::"ada", Key::"deploy"].contains(principal)"#,
    r#"[true, false].contains(resource.read_only)"#,
    r#"["true"].contains(true)"#,
    r#""true" == true"#,
    r#""a""#,
    r#"true like "a""#,
    "principal",
    r#"context.given.contains("to")"#,
    r#"context.text.hasTag("to") && context.text.getTag("to") like "*@acme.example""#,
    r#"context.number.getTag("amount") + 9223372036854775807 > 0"#,
    "1 < 2",
    r#"action == Action::"call""#,
    "[principal, resource].contains(principal)",
];
const PRINCIPALS: [&str; 7] = [
    "principal",
    r#"principal == User::"ada""#,
    r#"principal in Group::"interns""#,
    "principal is User",
    r#"principal is Key in Group::"interns""#,
    "principal is Anonymous",
    r#"principal == Client::"cron""#,
];
const ACTIONS: [&str; 6] = [
    "action",
    r#"action == Action::"call""#,
    r#"action in Action::"use""#,
    r#"action == Action::"use""#,
    r#"action in [Action::"discover", Action::"view"]"#,
    r#"action in [Action::"use", Action::"publish"]"#,
];
const RESOURCES: [&str; 7] = [
    "resource",
    r#"resource == Tool::"com.acme/mail/send""#,
    r#"resource in Server::"com.acme/mail""#,
    r#"resource in Namespace::"com.*""#,
    "resource is Server",
    r#"resource is Tool in Owner::"finance""#,
    r#"resource in Installation::"this""#,
];

fn condition() -> impl Strategy<Value = String> {
    let atom = prop::sample::select(ATOMS.to_vec()).prop_map(|atom| format!("({atom})"));
    atom.prop_recursive(4, 24, 3, |inner| {
        let two = (inner.clone(), inner.clone());
        prop_oneof![
            3 => two.clone().prop_map(|(left, right)| format!("({left} && {right})")),
            3 => two.clone().prop_map(|(left, right)| format!("({left} || {right})")),
            1 => two.prop_map(|(left, right)| format!("({left} == {right})")),
            2 => inner.clone().prop_map(|of| format!("(!{of})")),
            1 => (inner.clone(), inner.clone(), inner)
                .prop_map(|(with, then, other)| format!("(if {with} then {then} else {other})")),
        ]
    })
}

fn rule() -> impl Strategy<Value = String> {
    let scope = (
        prop::sample::select(PRINCIPALS.to_vec()),
        prop::sample::select(ACTIONS.to_vec()),
        prop::sample::select(RESOURCES.to_vec()),
    );
    let clause = (prop::sample::select(vec!["when", "unless"]), condition());
    let clauses = prop::collection::vec(clause, 0..3);
    let effect = prop::sample::select(vec!["permit", "forbid"]);
    (effect, scope, clauses).prop_map(|(effect, (principal, action, resource), clauses)| {
        let clauses: Vec<String> = clauses
            .into_iter()
            .map(|(kind, body)| format!(" {kind} {{ {body} }}"))
            .collect();
        format!(
            "{effect} ({principal}, {action}, {resource}){};\n",
            clauses.concat()
        )
    })
}

/// Rules of a text that nobody validates, so that they may fail, too.
fn unchecked(text: &str) -> Vec<Arc<Rule>> {
    let set = PolicySet::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let name = |id: &cedar_policy::PolicyId| format!("policy:{}", AsRef::<str>::as_ref(id));
    let rules = set
        .policies()
        .map(|policy| ENGINE.rule(&name(policy.id()), policy));
    rules.filter_map(|rule| rule.ok().map(Arc::new)).collect()
}

fn facts() -> Facts {
    let owned = Owned {
        server: "com.acme/mail".parse().unwrap(),
        groups: vec!["finance".parse().unwrap()],
        tags: Vec::new(),
    };
    Facts::new(&[owned], &[])
}

fn asker<'a>(kind: Kind, name: &'a str, groups: &'a [GroupName]) -> Asker<'a> {
    Asker {
        kind,
        name,
        groups,
        client: None,
        via: match kind {
            Kind::User => Via::Session,
            Kind::Key => Via::Key,
            Kind::Client => Via::Token,
            Kind::Anonymous => Via::Nothing,
        },
        environment: None,
    }
}

/// Every question, judged by whoever can and by Cedar alone.
fn compare(text: &str) {
    let book = Rulebook::of_rules(&unchecked(text));
    let groups: Vec<GroupName> = vec!["interns".parse().unwrap()];
    let askers = [
        Asker {
            environment: Some("production"),
            ..asker(Kind::User, "ada", &groups)
        },
        asker(Kind::User, "b*b", &[]),
        asker(Kind::Key, "deploy", &groups),
        Asker {
            client: Some("https://host.example/client.json"),
            environment: Some("test"),
            ..asker(Kind::Client, "cron", &[])
        },
        asker(Kind::Anonymous, "anonymous", &[]),
    ];
    let servers: [ServerName; 2] = ["com.Acme/mail", "org.other/x"].map(|name| name.parse().unwrap());
    let registry = RegistryName::main();
    let tools = [
        ("send", ToolAnnotations::default()),
        (
            "a*b",
            ToolAnnotations {
                read_only_hint: true,
                destructive_hint: false,
                ..ToolAnnotations::default()
            },
        ),
    ];
    let arguments = Arguments::read(br#"{"to": "bob@acme.example", "amount": 20}"#);
    let asked = [
        Asked::AnyCall,
        Asked::ThisCall(None),
        Asked::ThisCall(arguments.as_ref()),
    ];
    let mut questions = vec![
        (Action::View, Target::Installation),
        (Action::View, Target::Registry(&registry)),
    ];
    for server in &servers {
        questions
            .extend([Action::Discover, Action::Read, Action::View].map(|of| (of, Target::Server(server))));
        questions.extend(tools.iter().map(|(tool, annotations)| {
            let target = Target::Tool {
                server,
                tool,
                annotations,
                arguments: None,
            };
            (Action::CallTool, target)
        }));
    }
    let facts = facts();
    for asker in &askers {
        for (action, target) in &questions {
            let of_calls = *action == Action::CallTool;
            for asked in asked.iter().take(if of_calls { asked.len() } else { 1 }) {
                let put = |judge| book.ask_of(&ENGINE, (asker, &facts), (*action, target), (*asked, judge));
                let (said, by_cedar) = (put(Judge::Whoever), put(Judge::Cedar));
                assert_eq!(said, by_cedar, "{text}{asker:?} {action:?} {target:?} {asked:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn plain_rules_and_cedar_say_the_same(rules in prop::collection::vec(rule(), 1..4)) {
        let text = rules.concat();
        compare(&text);
        law(&text);
    }
}

#[test]
fn every_form_says_the_same() {
    for atom in ATOMS {
        compare(&format!(
            "permit (principal, action, resource) when {{ {atom} }};"
        ));
    }
}

#[test]
fn every_scope_says_the_same() {
    let mut text = String::new();
    for principal in PRINCIPALS {
        for action in ACTIONS {
            for resource in RESOURCES {
                text.push_str(&format!("forbid ({principal}, {action}, {resource});\n"));
            }
        }
    }
    compare(&text);
}

/// What a condition comes to for Ada, an intern, who calls `com.acme/mail/send` in production; the outer `None` is Cedar's.
fn judged(condition: &str) -> Option<Result<bool, Failed>> {
    let text = format!("permit (principal, action, resource) when {{ {condition} }};");
    let rules = unchecked(&text);
    let groups: Vec<GroupName> = vec!["interns".parse().unwrap()];
    let ada = Asker {
        environment: Some("production"),
        ..asker(Kind::User, "ada", &groups)
    };
    let server = "com.acme/mail".parse().unwrap();
    let target = Target::Tool {
        server: &server,
        tool: "send",
        annotations: &ToolAnnotations::default(),
        arguments: None,
    };
    let facts = facts();
    let scene = Scene::of_rules((&ada, &facts), Action::CallTool, &target).unwrap();
    let plain = rules[0].wording(true).unwrap().plain.as_ref()?;
    Some(plain.holds(&scene))
}

#[test]
fn every_simple_form_is_plain() {
    for (condition, holds) in [
        ("true", true),
        ("!resource.read_only && resource.destructive", true),
        (
            "resource.read_only || resource.idempotent || resource.open_world",
            true,
        ),
        (r#"resource.name == "send""#, true),
        (r#"resource.name == "Send""#, false),
        (r#"resource.name != "send""#, false),
        (r#"resource.server like "com.*/m*l""#, true),
        (r#"resource.name like "s\*d""#, false),
        (r#"principal.name like "a*""#, true),
        ("resource has namespace", false),
        ("resource has read_only", true),
        (
            r#"context has environment && context.environment == "production""#,
            true,
        ),
        (r#"context has client && context.client == "x""#, false),
        (r#"context.via == "session""#, true),
        (r#"["send", "list"].contains(resource.name)"#, true),
        (r#"principal in Group::"interns""#, true),
        (r#"principal in [Group::"leads", Group::"finance"]"#, false),
        (r#"principal is User in Group::"interns""#, true),
        (r#"principal is Key"#, false),
        (r#"principal == User::"ada""#, true),
        (r#"resource in Server::"com.acme/mail""#, true),
        (r#"resource in Namespace::"com.*""#, true),
        (r#"resource in Owner::"finance""#, true),
        (r#"resource == Tool::"com.acme/mail/send""#, true),
        ("resource is Tool", true),
        ("if resource.read_only then false else resource.destructive", true),
        (r#""true" == true"#, false),
        // What is not reached cannot fail.
        (r#"true || context.client == "x""#, true),
        (r#"false && resource.namespace == "x""#, false),
    ] {
        assert_eq!(judged(condition), Some(Ok(holds)), "{condition}");
    }
}

#[test]
fn what_is_not_there_fails_and_what_is_not_simple_is_cedars() {
    for condition in [
        r#"context.client == "x""#,
        r#"resource.namespace == "x""#,
        r#"true && "a""#,
        r#"resource.read_only like "a""#,
    ] {
        assert_eq!(judged(condition), Some(Err(Failed)), "{condition}");
    }
    for condition in [
        "1 < 2",
        r#"context.given.contains("to")"#,
        r#"context.text.hasTag("to")"#,
        "context has text",
        r#"action == Action::"call""#,
        "resource in [resource]",
        r#"["a"].containsAll(["a"])"#,
        r#"{name: "a"}.name == "a""#,
    ] {
        assert_eq!(judged(condition), None, "{condition}");
    }
}

#[test]
fn grants_are_judged_as_cedar_judges_them() {
    let group: GroupName = "finance".parse().unwrap();
    let key = KeyId::from_u128(7);
    let subjects = [
        (Subject::Key(key), Holder::Principal(Principal::Key(key))),
        (
            Subject::User(UserId::LOCAL_ADMIN),
            Holder::Principal(Principal::User(UserId::LOCAL_ADMIN)),
        ),
        (Subject::Group(group.clone()), Holder::Group(group.clone())),
    ];
    let scopes = [
        ServerScope::All,
        ServerScope::Server("com.acme/Mail".parse().unwrap()),
        ServerScope::Namespace("com.*".parse().unwrap()),
        ServerScope::Owner(group),
        ServerScope::Registry(RegistryName::main()),
    ];
    let tools = [
        ToolScope::All,
        ToolScope::ReadOnly,
        ToolScope::Named(vec!["send".to_owned()]),
        ToolScope::Named(Vec::new()),
    ];
    for (subject, holder) in &subjects {
        let mut grants = Vec::new();
        for servers in &scopes {
            for rights in [Rights::Use, Rights::View, Rights::Manage] {
                for tools in &tools {
                    let id = u128::try_from(grants.len()).unwrap();
                    grants.push(Grant {
                        id: GrantId::from_u128(id),
                        subject: subject.clone(),
                        rights,
                        servers: servers.clone(),
                        tools: tools.clone(),
                        created_by: "user:admin".to_owned(),
                        created_at: Timestamp::from_millis(0),
                        expires_at: None,
                        request: None,
                    });
                }
            }
        }
        for some in std::iter::once(&grants[..]).chain(grants.chunks(1)) {
            agree(holder, some);
        }
        // Of two grants with one identity the first is in force, here as there.
        let mut twice = [grants[3].clone(), grants[0].clone()];
        twice[1].id = twice[0].id;
        agree(holder, &twice);
    }
    agree(&Holder::Principal(Principal::System), &[]);
}

/// Every question about one holder's grants, and about what Portreeve itself may.
fn agree(holder: &Holder, grants: &[Grant]) {
    let slice = match holder {
        Holder::Principal(Principal::System) => ENGINE.compile_system(),
        _ => ENGINE.compile(holder, grants),
    };
    let facts = facts();
    let servers: [ServerName; 2] = ["com.Acme/mail", "org.other/x"].map(|name| name.parse().unwrap());
    let registry = RegistryName::main();
    let (writes, reads) = (
        ToolAnnotations::default(),
        ToolAnnotations {
            read_only_hint: true,
            ..ToolAnnotations::default()
        },
    );
    let mut targets = vec![Target::Installation, Target::Registry(&registry)];
    for server in &servers {
        targets.push(Target::Server(server));
        for (tool, annotations) in [("send", &writes), ("list", &reads), ("Send", &writes)] {
            targets.push(Target::Tool {
                server,
                tool,
                annotations,
                arguments: None,
            });
        }
    }
    for target in &targets {
        let granted = slice.about(target);
        assert!(!granted.needs_cedar, "{grants:?}");
        for action in SPOKEN_OF.into_iter().chain([Action::Audit, Action::Manage]) {
            let plainly = ENGINE.decide(&slice, (holder, &facts), action, target);
            let by_cedar = ENGINE.decide_by_cedar(granted, (holder, &facts), action, target);
            assert_eq!(plainly, by_cedar, "{action:?} {target:?} {grants:?}");
        }
    }
}
