//! What may be listed, called and explained agree, and agree with a plain reading of grants and access policies.

use std::fmt::Write as _;

use portreeve_core::access_policy::AccessPolicy;
use portreeve_core::caller::{Caller, User};
use portreeve_core::decision::{Action, Target};
use portreeve_core::grant::{Grant, Rights, ServerScope, Subject, ToolScope};
use portreeve_core::id::{GrantId, UserId};
use portreeve_core::name::ServerName;
use portreeve_core::ports::Authorizer as _;
use portreeve_core::tool::ToolAnnotations;
use portreeve_core::user::UserOrigin;
use proptest::prelude::*;

use crate::house::{House, START};

const SERVERS: [&str; 3] = ["com.acme/mail", "com.acme.tools/lint", "io.x/y"];
const TOOLS: [&str; 2] = ["list", "send"];
const USERS: [&str; 2] = ["ada", "bob"];
const GROUPS: [&str; 2] = ["interns", "leads"];

/// The arguments of a call, as a plain reader knows them.
#[derive(Debug, Clone, Copy)]
struct Given {
    to: Option<&'static str>,
    amount: Option<i64>,
}

#[derive(Debug, Clone, Copy)]
enum Clause {
    ReadOnly,
    NamedSend,
    WithToken,
    InLeads,
    ToInside,
    AtMost(i64),
    HasTo,
}

#[derive(Debug, Clone)]
struct Rule {
    forbids: bool,
    /// Everybody, a user, or a group.
    who: Who,
    /// `discover` alone, `call` alone, or `use`.
    action: usize,
    /// Everywhere, one server, one tool (`call` only), or a namespace.
    place: usize,
    /// `when` with `&&`, or `unless` with `||`.
    clauses: Vec<(bool, Vec<Clause>)>,
}

#[derive(Debug, Clone, Copy)]
enum Who {
    Everybody,
    User(usize),
    Group(usize),
}

/// Who asks, for what, with which arguments.
struct Case<'a> {
    user: usize,
    groups: &'a [usize],
    server: usize,
    tool: usize,
    read_only: bool,
    given: Option<Given>,
}

// === the text of a rule ===

impl Clause {
    fn text(self) -> String {
        match self {
            Self::ReadOnly => "resource.read_only".to_owned(),
            Self::NamedSend => r#"resource.name == "send""#.to_owned(),
            Self::WithToken => r#"context.via == "token""#.to_owned(),
            Self::InLeads => r#"principal in Group::"leads""#.to_owned(),
            Self::ToInside => {
                r#"(context.text.hasTag("to") && context.text.getTag("to") like "*@acme.example")"#.to_owned()
            }
            Self::AtMost(most) => {
                format!(r#"(context.number.hasTag("amount") && context.number.getTag("amount") <= {most})"#)
            }
            Self::HasTo => r#"context.given.contains("to")"#.to_owned(),
        }
    }

    /// Whether it can be asked of a server.
    fn is_of_calls(self) -> bool {
        !matches!(self, Self::WithToken | Self::InLeads)
    }

    fn reads_arguments(self) -> bool {
        matches!(self, Self::ToInside | Self::AtMost(_) | Self::HasTo)
    }

    fn holds(self, case: &Case<'_>) -> bool {
        let given = case.given.unwrap_or(Given {
            to: None,
            amount: None,
        });
        match self {
            Self::ReadOnly => case.read_only,
            Self::NamedSend => TOOLS[case.tool] == "send",
            Self::WithToken => false,
            Self::InLeads => case.groups.contains(&1),
            Self::ToInside => given.to.is_some_and(|to| to.ends_with("@acme.example")),
            Self::AtMost(most) => given.amount.is_some_and(|amount| amount <= most),
            Self::HasTo => given.to.is_some(),
        }
    }
}

impl Rule {
    /// Clauses and places that strict validation takes for its action.
    fn sound(mut self) -> Self {
        if self.action != 1 {
            self.place %= 3;
            for (_, clauses) in &mut self.clauses {
                clauses.retain(|clause| !clause.is_of_calls());
            }
        }
        self.clauses.retain(|(_, clauses)| !clauses.is_empty());
        self
    }

    fn text(&self) -> String {
        let effect = if self.forbids { "forbid" } else { "permit" };
        let who = match self.who {
            Who::Everybody => "principal".to_owned(),
            Who::User(user) => format!("principal == User::\"{}\"", USERS[user]),
            Who::Group(group) => format!("principal in Group::\"{}\"", GROUPS[group]),
        };
        let action = [
            "action == Action::\"discover\"",
            "action == Action::\"call\"",
            "action in Action::\"use\"",
        ][self.action];
        let place = [
            "resource",
            "resource in Server::\"com.acme/mail\"",
            "resource in Namespace::\"com.acme.*\"",
            "resource == Tool::\"com.acme/mail/send\"",
        ][self.place];
        let mut text = format!("{effect} ({who}, {action}, {place})");
        for (is_when, clauses) in &self.clauses {
            let (word, operator) = if *is_when {
                ("when", " && ")
            } else {
                ("unless", " || ")
            };
            let all: Vec<String> = clauses.iter().map(|clause| clause.text()).collect();
            let _ = write!(text, "\n  {word} {{ {} }}", all.join(operator));
        }
        text.push(';');
        text
    }

    // === read plainly ===

    fn is_about(&self, is_call: bool, case: &Case<'_>) -> bool {
        let who = match self.who {
            Who::Everybody => true,
            Who::User(user) => user == case.user,
            Who::Group(group) => case.groups.contains(&group),
        };
        let action = match self.action {
            0 => !is_call,
            1 => is_call,
            _ => true,
        };
        let place = match self.place {
            0 => true,
            1 => case.server == 0,
            2 => case.server < 2,
            _ => is_call && case.server == 0 && case.tool == 1,
        };
        who && action && place
    }

    fn says(&self, is_call: bool, case: &Case<'_>) -> bool {
        if !self.is_about(is_call, case) {
            return false;
        }
        let reads = |clause: &Clause| clause.reads_arguments();
        let any_call = case.given.is_none();
        if any_call && self.forbids && self.clauses.iter().any(|(_, all)| all.iter().any(reads)) {
            return false;
        }
        self.clauses.iter().all(|(is_when, clauses)| {
            let mut left = clauses.iter().filter(|clause| !(any_call && reads(clause)));
            if *is_when {
                left.all(|clause| clause.holds(case))
            } else {
                !left.any(|clause| clause.holds(case))
            }
        })
    }
}

fn permitted(rules: &[Rule], grants: &[(Who, Option<usize>, bool)], is_call: bool, case: &Case<'_>) -> bool {
    let forbidden = rules.iter().any(|rule| rule.forbids && rule.says(is_call, case));
    let by_rule = rules.iter().any(|rule| !rule.forbids && rule.says(is_call, case));
    let by_grant = grants.iter().any(|(who, server, reads_only)| {
        let who = match who {
            Who::User(user) => *user == case.user,
            Who::Group(group) => case.groups.contains(group),
            Who::Everybody => false,
        };
        let there = server.is_none_or(|server| server == case.server);
        who && there && (!is_call || !reads_only || case.read_only)
    });
    let may = !forbidden && (by_rule || by_grant);
    may && (!is_call || permitted(rules, grants, false, case))
}

// === what is generated ===

fn any_clause() -> impl Strategy<Value = Clause> {
    prop_oneof![
        Just(Clause::ReadOnly),
        Just(Clause::NamedSend),
        Just(Clause::WithToken),
        Just(Clause::InLeads),
        Just(Clause::ToInside),
        (0..3_i64).prop_map(|most| Clause::AtMost(most * 50)),
        Just(Clause::HasTo),
    ]
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let who = prop_oneof![
        Just(Who::Everybody),
        (0..2_usize).prop_map(Who::User),
        (0..2_usize).prop_map(Who::Group)
    ];
    let clauses = prop::collection::vec((any::<bool>(), prop::collection::vec(any_clause(), 1..3)), 0..3);
    (prop::bool::weighted(0.4), who, 0..3_usize, 0..4_usize, clauses).prop_map(
        |(forbids, who, action, place, clauses)| {
            Rule {
                forbids,
                who,
                action,
                place,
                clauses,
            }
            .sound()
        },
    )
}

fn any_grant() -> impl Strategy<Value = (Who, Option<usize>, bool)> {
    let who = prop_oneof![
        (0..2_usize).prop_map(Who::User),
        (0..2_usize).prop_map(Who::Group)
    ];
    (who, prop::option::of(0..3_usize), any::<bool>())
}

fn user(place: usize, groups: &[usize]) -> User {
    User {
        id: UserId::from_u128(place as u128 + 1),
        name: USERS[place].to_owned(),
        display_name: None,
        email: None,
        origin: UserOrigin::Local,
        external: None,
        groups: groups
            .iter()
            .map(|group| GROUPS[*group].parse().unwrap())
            .collect(),
        provider_groups: Vec::new(),
        created_at: START,
        disabled_at: None,
        signed_in_at: None,
    }
}

fn policy(name: String, text: String) -> AccessPolicy {
    AccessPolicy {
        name: name.parse().unwrap(),
        description: String::new(),
        text,
        tests: Vec::new(),
        enabled: true,
        revision: 1,
        updated_by: "system".to_owned(),
        created_at: START,
        updated_at: START,
    }
}

fn grant(place: usize, (who, server, reads_only): &(Who, Option<usize>, bool)) -> Grant {
    Grant {
        id: GrantId::from_u128(place as u128 + 1),
        subject: match who {
            Who::Group(group) => Subject::Group(GROUPS[*group].parse().unwrap()),
            Who::User(user) => Subject::User(UserId::from_u128(*user as u128 + 1)),
            Who::Everybody => unreachable!(),
        },
        rights: Rights::Use,
        servers: server.map_or(ServerScope::All, |server| {
            ServerScope::Server(SERVERS[server].parse().unwrap())
        }),
        tools: if *reads_only {
            ToolScope::ReadOnly
        } else {
            ToolScope::All
        },
        created_by: "system".to_owned(),
        created_at: START,
        expires_at: None,
        request: None,
    }
}

const CALLS: [Given; 5] = [
    Given {
        to: None,
        amount: None,
    },
    Given {
        to: Some("a@acme.example"),
        amount: Some(20),
    },
    Given {
        to: Some("x@evil.example"),
        amount: Some(70),
    },
    Given {
        to: Some("a@acme.example"),
        amount: None,
    },
    Given {
        to: None,
        amount: Some(1_000),
    },
];

fn json(given: Given) -> String {
    let mut object = serde_json::Map::new();
    if let Some(to) = given.to {
        object.insert("to".to_owned(), to.into());
    }
    if let Some(amount) = given.amount {
        object.insert("amount".to_owned(), amount.into());
    }
    serde_json::Value::Object(object).to_string()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn list_call_and_explanation_agree_with_a_plain_reading(
        rules in prop::collection::vec(any_rule(), 0..6),
        grants in prop::collection::vec(any_grant(), 0..4),
        groups in prop::collection::vec(prop::sample::subsequence(vec![0_usize, 1], 0..=2), 2..=2),
    ) {
        let house = House::empty();
        *house.memory.users.lock().unwrap() = (0..2).map(|place| user(place, &groups[place])).collect();
        *house.memory.grants.lock().unwrap() =
            grants.iter().enumerate().map(|(place, one)| grant(place, one)).collect();
        *house.memory.policies.lock().unwrap() = rules
            .iter()
            .enumerate()
            .map(|(place, rule)| policy(format!("rule-{place}"), rule.text()))
            .collect();
        house.refresh();
        for who in 0..2 {
            let caller = house.access.known_as(&format!("user:{}", USERS[who])).unwrap();
            for place in 0..SERVERS.len() * TOOLS.len() * 2 {
                let (server, rest) = (place / 4, place % 4);
                let case = Case { user: who, groups: &groups[who], server, tool: rest / 2, read_only: rest % 2 == 1, given: None };
                check(&house, &caller, (&rules, &grants), case)?;
            }
        }
    }
}

fn target<'a>(
    server: &'a ServerName,
    case: &Case<'_>,
    (annotations, arguments): (&'a ToolAnnotations, Option<&'a [u8]>),
) -> Target<'a> {
    Target::Tool {
        server,
        tool: TOOLS[case.tool],
        annotations,
        arguments,
    }
}

/// To whom, of which server, and whether only tools that read.
type Granted = (Who, Option<usize>, bool);

fn check(
    house: &House,
    caller: &Caller,
    (rules, grants): (&[Rule], &[Granted]),
    case: Case<'_>,
) -> Result<(), TestCaseError> {
    let server: ServerName = SERVERS[case.server].parse().unwrap();
    let annotations = ToolAnnotations {
        read_only_hint: case.read_only,
        ..ToolAnnotations::default()
    };
    let may = |action, target: &Target<'_>| {
        let decision = house.access.may(caller, action, target);
        let explained = house.access.explain(caller, action, target);
        prop_assert_eq!(explained.permitted, decision.is_permit());
        prop_assert_eq!(&explained.policies[..], &decision.policies[..]);
        Ok(decision.is_permit())
    };
    let text = || rules.iter().map(Rule::text).collect::<Vec<_>>().join("\n");
    let found = may(Action::Discover, &Target::Server(&server))?;
    prop_assert_eq!(
        found,
        permitted(rules, grants, false, &case),
        "discover {}\n{}",
        server,
        text()
    );
    let listed = may(Action::CallTool, &target(&server, &case, (&annotations, None)))?;
    prop_assert_eq!(
        listed,
        permitted(rules, grants, true, &case),
        "list {}\n{}",
        server,
        text()
    );
    for given in CALLS {
        let arguments = json(given);
        let called = may(
            Action::CallTool,
            &target(&server, &case, (&annotations, Some(arguments.as_bytes()))),
        )?;
        let case = Case {
            given: Some(given),
            ..case
        };
        let plainly = permitted(rules, grants, true, &case);
        prop_assert_eq!(
            called,
            plainly,
            "call {} {} {}\n{}",
            server,
            TOOLS[case.tool],
            arguments,
            text()
        );
        prop_assert!(!called || listed, "what can be called is listed");
    }
    // Strangers hold nothing, and what is forbidden to everybody is forbidden to them.
    let stranger = house.access.may(
        &Caller::anonymous(),
        Action::CallTool,
        &target(&server, &case, (&annotations, None)),
    );
    prop_assert!(!stranger.is_permit());
    Ok(())
}
