//! What must hold of any text that somebody may want to save as a policy: asked by property tests and by the fuzz target.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use portreeve_core::caller::{Caller, Principal};
use portreeve_core::decision::{Action, Target};
use portreeve_core::id::UserId;
use portreeve_core::name::{GroupName, RegistryName, ServerName};
use portreeve_core::tool::ToolAnnotations;

use super::rulebook::Judge;
use super::text::Rule;
use super::{Arguments, Asked, Asker, Engine, Rulebook, SPOKEN_OF, Said};
use crate::facts::Facts;

/// Reading the words of policies takes longer than a question does.
static ENGINE: OnceLock<Engine> = OnceLock::new();

/// Calls that conditions may tell apart.
const CALLS: [&[u8]; 3] = [
    b"{}",
    br#"{"to": "bob@acme.example", "amount": 20}"#,
    br#"{"to": ["eve@evil.example"], "amount": 1e30, "force": true}"#,
];

/// A text is refused with problems at places in it, or read as rules that answer every question by their names, and as
/// Cedar alone would answer it.
pub fn law(text: &str) {
    let engine = ENGINE.get_or_init(Engine::new);
    let lines = text.matches('\n').count() + 1;
    let rules = match engine.rules("any", text) {
        Ok(rules) => rules,
        Err(problems) => {
            assert!(!problems.is_empty(), "it is refused for nothing");
            for one in problems {
                let is_there = (1..=lines).contains(&one.line) && one.column >= 1;
                assert!(is_there && !one.problem.is_empty(), "{one:?}");
            }
            return;
        }
    };
    let names: HashSet<Arc<str>> = rules.iter().map(|rule| Arc::clone(&rule.name)).collect();
    assert!(!rules.is_empty() && names.len() == rules.len(), "{names:?}");
    assert!(
        names.iter().all(|name| name.starts_with("policy:any")),
        "{names:?}"
    );
    let again: Vec<_> = engine.rules("any", text).into_iter().flatten().collect();
    let named = |rules: &[Arc<Rule>]| {
        rules
            .iter()
            .map(|rule| Arc::clone(&rule.name))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        named(&again),
        named(&rules),
        "the same text is read in the same way"
    );
    let book = Rulebook::of_rules(&rules);
    let mut ada = Caller::acting_for(Principal::User(UserId::LOCAL_ADMIN), "user:ada");
    ada.groups = "interns".parse::<GroupName>().into_iter().collect();
    let callers = [ada, Caller::anonymous()];
    let Ok(server) = "com.acme/mail".parse::<ServerName>() else {
        return;
    };
    for asker in callers.iter().filter_map(Asker::of) {
        let elsewhere = Asker {
            client: Some("https://host.example/client.json"),
            environment: Some("production"),
            ..asker
        };
        asks(engine, (&book, &names), &asker, &server);
        asks(engine, (&book, &names), &elsewhere, &server);
    }
}

/// Every action is answered, and by rules that there are.
fn asks(
    engine: &Engine,
    (book, names): (&Rulebook, &HashSet<Arc<str>>),
    asker: &Asker<'_>,
    server: &ServerName,
) {
    let (annotations, facts) = (ToolAnnotations::default(), Facts::default());
    let tool = Target::Tool {
        server,
        tool: "send",
        annotations: &annotations,
        arguments: None,
    };
    let ask = |action: Action, target: &Target<'_>, asked: Asked<'_>| {
        let put = |judge| book.ask_of(engine, (asker, &facts), (action, target), (asked, judge));
        let (said, depends) = put(Judge::Whoever);
        let by_cedar = put(Judge::Cedar);
        assert_eq!((said.clone(), depends), by_cedar, "{action:?} {asked:?}");
        if let Said::Forbid(by) | Said::Permit(by) = &said {
            let are_there = by.iter().all(|name| names.contains(name));
            assert!(!by.is_empty() && are_there, "{by:?}");
        }
        said
    };
    for action in SPOKEN_OF {
        let target = if action == Action::CallTool {
            tool
        } else {
            Target::Server(server)
        };
        let any = ask(action, &target, Asked::AnyCall);
        ask(action, &Target::Installation, Asked::AnyCall);
        ask(action, &Target::Registry(&RegistryName::main()), Asked::AnyCall);
        if action != Action::CallTool {
            continue;
        }
        ask(action, &target, Asked::ThisCall(None));
        for raw in CALLS {
            let arguments = Arguments::read(raw);
            let said = ask(action, &target, Asked::ThisCall(arguments.as_ref()));
            // Whatever permits a call shows the tool, unless something forbids it there.
            assert!(
                !matches!(said, Said::Permit(_)) || any != Said::Nothing,
                "{said:?}"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WORDS: [&str; 38] = [
        "permit (",
        "forbid (",
        "principal",
        "principal == User::\"ada\"",
        "principal in Group::\"interns\"",
        "principal is Anonymous",
        ", action",
        ", action == Action::\"call\"",
        ", action in Action::\"use\"",
        ", action in [Action::\"view\", Action::\"publish\"]",
        ", action == Action::\"manage\"",
        ", resource)",
        ", resource == Tool::\"com.acme/mail/send\")",
        ", resource in Namespace::\"com.acme.*\")",
        ", resource == Server::\"com.Acme/mail\")",
        " when {",
        " unless {",
        " context.text.hasTag(\"to\") && context.text.getTag(\"to\") like \"*@acme.example\"",
        " context.given.contains(\"to\")",
        " context.number.hasTag(\"amount\") && context.number.getTag(\"amount\") + 9223372036854775807 > 0",
        " resource.read_only",
        " context == {}",
        " ||",
        " &&",
        " !",
        " };",
        ";",
        "\n@id(\"a\")\n",
        "// é\r\n",
        "\"",
        " principal.name like \"a*\\*\"",
        " [\"send\", \"list\"].contains(resource.name)",
        " context has client && context.client != \"x\"",
        " principal is User in Group::\"interns\"",
        " resource in [Server::\"com.acme/mail\", Registry::\"default\"]",
        " if resource is Tool then",
        " resource.destructive else",
        " unless { context has environment && context.environment == \"production\" };",
    ];

    fn any_text() -> impl Strategy<Value = String> {
        let soup = prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..14);
        let rule = (
            0..2_usize,
            2..6_usize,
            6..11_usize,
            11..15_usize,
            15..17_usize,
            prop_oneof![17..22_usize, 30..35_usize],
        );
        let rule = rule.prop_map(|(effect, who, action, place, kind, clause)| {
            let parts = [effect, who, action, place, kind, clause].map(|at| WORDS[at]);
            format!("{} }};\n", parts.concat())
        });
        prop_oneof![
            soup.prop_map(|words| words.concat()),
            prop::collection::vec(rule, 1..4).prop_map(|rules| rules.concat()),
            any::<String>(),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

        #[test]
        fn any_text_is_refused_with_its_places_or_read_as_rules(text in any_text()) {
            law(&text);
        }
    }

    #[test]
    fn the_laws_are_asked_of_texts_that_are_read() {
        for text in [
            "permit (principal, action, resource);",
            r#"forbid (principal, action == Action::"call", resource) when { context.given.contains("to") };"#,
        ] {
            assert!(
                ENGINE.get_or_init(Engine::new).rules("any", text).is_ok(),
                "{text}"
            );
            law(text);
        }
    }
}
