//! Access policies: read strictly, and stronger than every grant.

use std::sync::Arc;

use portreeve_access::{NewPolicy, NewUser, PolicyError, Standing, Switch};
use portreeve_core::caller::Caller;
use portreeve_core::decision::{Action, Decision, Target};
use portreeve_core::grant::{ServerScope, Subject, ToolScope};
use portreeve_core::name::ServerName;
use portreeve_core::ports::Authorizer as _;
use portreeve_core::tool::ToolAnnotations;

use crate::house::House;

pub(crate) const READS: ToolAnnotations = ToolAnnotations {
    read_only_hint: true,
    destructive_hint: false,
    idempotent_hint: true,
    open_world_hint: false,
};

pub(crate) fn new(name: &str, text: &str) -> NewPolicy {
    NewPolicy {
        name: name.parse().unwrap(),
        description: String::new(),
        text: text.to_owned(),
        tests: Vec::new(),
        enabled: true,
    }
}

impl House {
    pub(crate) async fn policy(&self, name: &str, text: &str) {
        let saved = self
            .access
            .set_access_policy(&self.admin(), new(name, text), Standing::Any)
            .await;
        if let Err(PolicyError::Text { problems, .. }) = &saved {
            panic!("{problems:#?}");
        }
        saved.unwrap();
        self.refresh();
    }

    async fn problems(&self, text: &str) -> Vec<String> {
        match self
            .access
            .set_access_policy(&self.admin(), new("wrong", text), Standing::Any)
            .await
        {
            Err(PolicyError::Text { problems, .. }) => problems
                .iter()
                .map(|one| {
                    let hint = one.hint.as_deref().unwrap_or("no hint");
                    format!("{}:{} {} ({hint})", one.line, one.column, one.problem)
                })
                .collect(),
            other => panic!("{other:?}"),
        }
    }

    /// Ada, an intern, who may use everything.
    pub(crate) async fn ada(&self) -> Caller {
        let user = NewUser {
            name: "ada".to_owned(),
            display_name: None,
            email: None,
            groups: vec!["interns".parse().unwrap()],
        };
        let user = self.access.create_user(&self.admin(), user).await.unwrap();
        self.refresh();
        self.may_use(Subject::User(user.id), ServerScope::All, ToolScope::All)
            .await;
        self.access.known_as("user:ada").unwrap()
    }

    fn asks(&self, caller: &Caller, tool: &str, annotations: &ToolAnnotations) -> Arc<Decision> {
        self.calls(caller, (tool, annotations), None)
    }

    fn calls(
        &self,
        caller: &Caller,
        (tool, annotations): (&str, &ToolAnnotations),
        arguments: Option<&str>,
    ) -> Arc<Decision> {
        let target = Target::Tool {
            server: &mail(),
            tool,
            annotations,
            arguments: arguments.map(str::as_bytes),
        };
        self.access.may(caller, Action::CallTool, &target)
    }

    pub(crate) fn finds(&self, caller: &Caller) -> bool {
        let server = mail();
        let target = Target::Server(&server);
        self.access.may(caller, Action::Discover, &target).is_permit()
    }
}

pub(crate) fn mail() -> ServerName {
    "com.acme/mail".parse().unwrap()
}

fn named(decision: &Decision) -> Vec<&str> {
    decision.policies.iter().map(|name| &**name).collect()
}

#[tokio::test]
async fn a_forbid_wins_over_every_grant_and_is_named() {
    let house = House::started().await;
    let ada = house.ada().await;
    let writes = ToolAnnotations::default();
    assert!(house.asks(&ada, "send", &writes).is_permit());

    let text = r#"forbid (principal in Group::"interns", action == Action::"call", resource)
        unless { resource.read_only };"#;
    house.policy("no-write", text).await;
    let refused = house.asks(&ada, "send", &writes);
    assert!(!refused.is_permit());
    assert_eq!(named(&refused), ["policy:no-write"]);
    assert!(house.asks(&ada, "list", &READS).is_permit());
    assert!(house.finds(&ada));

    // The local administrator was granted nothing to use, and is no intern.
    let switched = house
        .access
        .switch_access_policy(
            &house.admin(),
            &"no-write".parse().unwrap(),
            Switch::Off,
            Standing::At(1),
        )
        .await
        .unwrap();
    assert!(!switched.enabled && switched.revision == 2);
    house.refresh();
    assert!(house.asks(&ada, "send", &writes).is_permit());
}

#[tokio::test]
async fn a_permit_is_as_good_as_a_grant() {
    let house = House::started().await;
    let (_, secret) = house.key("deploy", None).await;
    let key = house.access.authenticate(secret.expose()).unwrap();
    assert!(!house.asks(&key, "list", &READS).is_permit());
    house
        .policy(
            "deploy",
            r#"permit (principal == Key::"deploy", action in Action::"use", resource in Namespace::"com.acme.*");"#,
        )
        .await;
    let permitted = house.asks(&key, "list", &READS);
    assert_eq!(named(&permitted), ["policy:deploy"]);
    assert!(house.finds(&key));
    // It says nothing of other keys, and nothing of the management side.
    let (_, other) = house.key("other", None).await;
    let other = house.access.authenticate(other.expose()).unwrap();
    assert!(!house.asks(&other, "list", &READS).is_permit());
    let view = house.access.may(&key, Action::View, &Target::Server(&mail()));
    assert!(!view.is_permit());
}

#[tokio::test]
async fn who_may_not_know_of_a_server_calls_nothing_there() {
    let house = House::started().await;
    let ada = house.ada().await;
    house
        .policy(
            "hidden",
            r#"forbid (principal, action == Action::"discover", resource == Server::"com.acme/mail");"#,
        )
        .await;
    assert!(!house.finds(&ada));
    assert_eq!(named(&house.asks(&ada, "list", &READS)), ["policy:hidden"]);
    // So is a key without a grant, which an open route would let in like a stranger.
    let (_, secret) = house.key("deploy", None).await;
    let key = house.access.authenticate(secret.expose()).unwrap();
    assert_eq!(named(&house.asks(&key, "list", &READS)), ["policy:hidden"]);
    // Whoever is nobody any more is told what forbids strangers, and may nothing.
    let revoked = Caller {
        key: None,
        ..key.clone()
    };
    assert_eq!(named(&house.asks(&revoked, "list", &READS)), ["policy:hidden"]);
    // Strangers are told the same, and what else is open to them stays so.
    let stranger = Caller::anonymous();
    assert_eq!(named(&house.asks(&stranger, "list", &READS)), ["policy:hidden"]);
    let elsewhere: ServerName = "com.acme/notes".parse().unwrap();
    let open = house
        .access
        .may(&stranger, Action::Discover, &Target::Server(&elsewhere));
    assert!(!open.is_permit() && open.policies.is_empty());
}

#[tokio::test]
async fn a_call_is_decided_by_its_arguments_and_a_list_by_what_could_be() {
    let house = House::started().await;
    let ada = house.ada().await;
    let writes = ToolAnnotations::default();
    house
        .policy(
            "inside",
            r#"forbid (principal, action == Action::"call", resource == Tool::"com.acme/mail/send")
            unless { context.text.hasTag("to") && context.text.getTag("to") like "*@acme.example" };"#,
        )
        .await;
    let call = |arguments| house.calls(&ada, ("send", &writes), arguments);
    assert!(house.access.reads_arguments());
    assert!(call(None).is_permit());
    assert!(call(Some(r#"{"to": "bob@acme.example"}"#)).is_permit());
    for refused in [
        r#"{"to": "bob@evil.example"}"#,
        r#"{"to": ["bob@acme.example"]}"#,
        r#"{}"#,
        // What cannot be read in one way only is not permitted.
        r#"{"to": "bob@acme.example", "to": "x"}"#,
        "[]",
    ] {
        assert_eq!(named(&call(Some(refused))), ["policy:inside"], "{refused}");
    }
    // No policy reads the arguments of another tool, so nobody looks at them.
    assert!(house.calls(&ada, ("other", &writes), Some("[]")).is_permit());

    // What is forbidden whatever the arguments are is not listed.
    house
        .policy(
            "never",
            r#"forbid (principal, action == Action::"call", resource) when { resource.name == "send" };"#,
        )
        .await;
    assert!(!call(None).is_permit());
}

/// Whom nothing permits an open route lets in, unless something forbids.
#[tokio::test]
async fn what_forbids_by_arguments_is_about_whom_nothing_permits_too() {
    let house = House::started().await;
    let writes = ToolAnnotations::default();
    let (_, secret) = house.key("deploy", None).await;
    let key = house.access.authenticate(secret.expose()).unwrap();
    house
        .policy(
            "inside",
            r#"forbid (principal, action == Action::"call", resource == Tool::"com.acme/mail/send")
            when { context.given.contains("bcc") };
            forbid (principal, action == Action::"call", resource == Tool::"com.acme/mail/wipe")
            unless { context.flag.hasTag("dry_run") && context.flag.getTag("dry_run") };"#,
        )
        .await;
    for caller in [Caller::anonymous(), key] {
        let call = |tool, arguments| house.calls(&caller, (tool, &writes), arguments);
        let harmless = call("send", Some(r#"{"to": "bob"}"#));
        assert!(!harmless.is_permit() && harmless.policies.is_empty());
        assert!(call("send", None).policies.is_empty());
        assert_eq!(
            named(&call("send", Some(r#"{"bcc": "eve"}"#))).len(),
            1,
            "{}",
            caller.label
        );
        // A key without a name is no way to say that of the top.
        for refused in ["{}", r#"{"": {"dry_run": true}}"#] {
            let refused = call("wipe", Some(refused));
            assert!(!refused.is_permit() && refused.policies.len() == 1, "{refused:?}");
        }
        assert!(call("wipe", Some(r#"{"dry_run": true}"#)).policies.is_empty());
    }
}

#[tokio::test]
async fn a_permit_with_arguments_shows_the_tool_and_permits_those_calls() {
    let house = House::started().await;
    let (_, secret) = house.key("deploy", None).await;
    let key = house.access.authenticate(secret.expose()).unwrap();
    house
        .policy(
            "small",
            r#"permit (principal == Key::"deploy", action == Action::"call", resource)
                when { resource.name == "pay" && context.number.hasTag("amount") && context.number.getTag("amount") <= 100 };
            permit (principal == Key::"deploy", action == Action::"discover", resource);"#,
        )
        .await;
    let call = |tool, arguments| {
        house
            .calls(&key, (tool, &ToolAnnotations::default()), arguments)
            .is_permit()
    };
    assert!(call("pay", None));
    assert!(!call("steal", None));
    assert!(call("pay", Some(r#"{"amount": 100}"#)));
    assert!(call("pay", Some(r#"{"amount": 99.5}"#)));
    for refused in [
        r#"{"amount": 100.5}"#,
        r#"{"amount": 1e300}"#,
        r#"{"amount": "100"}"#,
        "{}",
    ] {
        assert!(!call("pay", Some(refused)), "{refused}");
    }
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_with_its_place() {
    let house = House::started().await;
    let wrong = r#"permit (principal, action == Action::"manage", resource);
forbid (principal == Usr::"ada", action == Action::"call", resource);
forbid (principal, action, resource) when { context.text.getTag("to") == "x" };
"#;
    let problems = house.problems(wrong).await;
    let all = problems.join("\n");
    assert!(all.contains("1:") && all.contains("grants alone"), "{all}");
    assert!(all.contains("2:") && all.contains("Usr"), "{all}");
    assert!(all.contains("3:"), "{all}");
    let deep = format!(
        "permit (principal, action, resource) when {{ {}",
        "(".repeat(30_000)
    );
    for (text, place, said) in [
        ("", "1:1", "no rule"),
        ("permit (principal, action, resource)", "1:", "ends with `;`"),
        (
            "permit (principal, action, resource) when { 1 + };",
            "1:",
            "unexpected",
        ),
        (
            r#"forbid (principal, action == Action::"call", resource == Tool::"com.acme/Mail/send");"#,
            "1:1",
            "lower case",
        ),
        (
            r#"permit (principal is Anonymous, action == Action::"call", resource);"#,
            "1:1",
            "without a credential",
        ),
        (
            "@id(\"a\")\nforbid (principal, action, resource);\n@id(\"a\")\nforbid (principal, action, resource);",
            "4:1",
            "there twice",
        ),
        (
            r#"forbid (principal, action == Action::"call", resource) when { context.text.getTag("to") like "*" };"#,
            "1:",
            "hasTag",
        ),
        (deep.as_str(), "1:1", "nested too deeply"),
        (
            r#"forbid (principal, action == Action::"discover", resource) when { context.given.contains("to") };"#,
            "1:",
            "arguments are of calls alone",
        ),
    ] {
        let problems = house.problems(text).await;
        assert!(
            problems
                .iter()
                .any(|one| one.starts_with(place) && one.contains(said)),
            "{text}: {problems:#?}"
        );
    }
}
