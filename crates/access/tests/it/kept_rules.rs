//! Access policies as they are kept: saved with their tests, tried before, explained after.

use portreeve_access::{AccessError, DryRunOf, KnownTool, PolicyError, Standing};
use portreeve_core::access_policy::{Expected, PolicyTest};
use portreeve_core::decision::{Action, Target};
use portreeve_core::ports::Authorizer as _;
use portreeve_core::tool::ToolAnnotations;

use crate::access_policies::{READS, mail, new};
use crate::house::House;

/// The manual, whose examples must be right.
const MANUAL: &str = include_str!("../../../../docs/policies.md");

fn tests(json: &str) -> Vec<PolicyTest> {
    serde_json::from_str(json).unwrap()
}

#[tokio::test]
async fn a_policy_that_fails_its_tests_is_not_saved() {
    let house = House::started().await;
    let mut policy = new(
        "interns",
        r#"forbid (principal in Group::"interns", action == Action::"call", resource) unless { resource.read_only };"#,
    );
    policy.tests = tests(
        r#"[{"who": "user:ada", "groups": ["interns"], "action": "call", "server": "com.acme/mail", "tool": "send", "expect": "forbid"},
            {"who": "user:ada", "groups": ["interns"], "action": "call", "server": "com.acme/mail", "tool": "list",
             "annotations": {"readOnlyHint": true}, "expect": "permit"},
            {"who": "nobody", "action": "call", "server": "com.acme/mail", "tool": "list", "expect": "nothing"}]"#,
    );
    let set = |policy| async {
        house
            .access
            .set_access_policy(&house.admin(), policy, Standing::Any)
            .await
    };
    let Err(PolicyError::Tests { failed, .. }) = set(policy.clone()).await else {
        panic!("it was saved");
    };
    let said: Vec<String> = failed.iter().map(ToString::to_string).collect();
    assert_eq!(failed.len(), 2, "{said:?}");
    assert!(said[0].starts_with(
        "test 2 (user:ada call `list` of `com.acme/mail`): expected `permit`, but the text says `nothing`"
    ));
    assert!(said[1].contains("`who` is `user:NAME`"));

    policy.tests.truncate(2);
    policy.tests[1].expect = Expected::Nothing;
    let saved = set(policy.clone()).await.unwrap();
    assert_eq!(saved.revision, 1);
    assert_eq!(house.events(), ["user:admin policy.create policy:interns"]);
    let run = house
        .access
        .test_access_policies(&house.admin(), None)
        .await
        .unwrap();
    assert!(run.len() == 2 && run.iter().all(portreeve_access::TestOutcome::is_passed));

    // What somebody else changed is not overwritten.
    let stale = house
        .access
        .set_access_policy(&house.admin(), policy.clone(), Standing::At(7))
        .await;
    assert!(matches!(stale, Err(PolicyError::Changed { .. })));
    let taken = house
        .access
        .set_access_policy(&house.admin(), policy, Standing::New)
        .await;
    assert!(matches!(
        taken,
        Err(PolicyError::Access(AccessError::NameTaken { .. }))
    ));
}

#[tokio::test]
async fn a_full_list_says_what_to_do() {
    let house = House::started().await;
    let text = r#"forbid (principal in Group::"interns", action == Action::"call", resource);"#;
    house.policy("first", text).await;
    let first = house.memory.policies.lock().unwrap()[0].clone();
    let more = (1..portreeve_access::MOST_POLICIES).map(|number| {
        let name = format!("more-{number}").parse().unwrap();
        portreeve_core::access_policy::AccessPolicy {
            name,
            ..first.clone()
        }
    });
    house.memory.policies.lock().unwrap().extend(more);
    let admin = house.admin();
    let refused = house
        .access
        .set_access_policy(&admin, new("one-more", text), Standing::Any)
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("remove one first"), "{refused}");
    // What is there can still be changed.
    let changed = house
        .access
        .set_access_policy(&admin, new("first", text), Standing::Any);
    assert_eq!(changed.await.unwrap().revision, 2);
}

#[tokio::test]
async fn only_who_manages_changes_policies() {
    let house = House::started().await;
    let ada = house.ada().await;
    let text = "forbid (principal, action, resource);";
    let refused = house
        .access
        .set_access_policy(&ada, new("mine", text), Standing::Any)
        .await;
    assert!(matches!(
        refused,
        Err(PolicyError::Access(AccessError::Forbidden { .. }))
    ));
    assert!(house.access.access_policies(&ada).await.is_err());

    // Even a policy that forbids everything to everybody leaves the way back.
    house.policy("all", text).await;
    assert!(!house.finds(&ada));
    house
        .access
        .remove_access_policy(&house.admin(), &"all".parse().unwrap(), Standing::Any)
        .await
        .unwrap();
    house.refresh();
    assert!(house.finds(&ada));
}

#[tokio::test]
async fn a_dry_run_tells_who_gains_and_who_loses() {
    let house = House::started().await;
    house.ada().await;
    house.key("deploy", None).await;
    let tool = |name: &str, annotations| KnownTool {
        server: mail(),
        name: name.to_owned(),
        annotations,
        environments: Vec::new(),
    };
    let tools = [tool("list", READS), tool("send", ToolAnnotations::default())];
    let mut of = DryRunOf {
        name: "tried".parse().unwrap(),
        text: Some(
            r#"forbid (principal in Group::"interns", action == Action::"call", resource) unless { resource.read_only };
            permit (principal == Key::"deploy", action in Action::"use", resource) when { resource in Server::"com.acme/mail" };
            forbid (principal == User::"ada", action == Action::"call", resource) when { context.given.contains("bcc") };"#
                .to_owned(),
        ),
        who: Vec::new(),
        from: 0,
        limit: 500,
    };
    let lines = |run: &portreeve_access::DryRun| -> Vec<String> {
        run.changes
            .iter()
            .map(|change| {
                let tool = change.tool.as_deref().unwrap_or("-");
                format!("{} {} {tool}", change.who, change.change)
            })
            .collect()
    };
    let run = house.access.dry_run(&house.admin(), &of, &tools).await.unwrap();
    let all = [
        "user:ada depends list",
        "user:ada loses send",
        "key:deploy gains -",
        "key:deploy gains list",
        "key:deploy gains send",
    ];
    assert_eq!(lines(&run), all);
    assert_eq!(run.next, None);

    // The same in pieces.
    of.limit = 2;
    let mut pieces = Vec::new();
    loop {
        let run = house.access.dry_run(&house.admin(), &of, &tools).await.unwrap();
        pieces.extend(lines(&run));
        match run.next {
            Some(next) => of.from = next,
            None => break,
        }
    }
    assert_eq!(pieces, all);
    assert!(house.memory.policies.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_explanation_names_the_rule_and_what_it_read() {
    let house = House::started().await;
    let ada = house.ada().await;
    house
        .policy(
            "limit",
            r#"@id("amount") forbid (principal, action == Action::"call", resource)
                when { resource.name == "pay" && context.number.hasTag("amount") && context.number.getTag("amount") > 100 };"#,
        )
        .await;
    let target = Target::Tool {
        server: &mail(),
        tool: "pay",
        annotations: &ToolAnnotations::default(),
        arguments: Some(br#"{"amount": 250}"#),
    };
    let reasons = house
        .access
        .reasons(&ada, Action::CallTool, &target, None)
        .join("; ");
    assert!(
        reasons.contains(
            "`policy:limit#amount` forbids: `resource.name` is \"pay\", argument `amount` (number) is 250"
        ),
        "{reasons}"
    );
    assert!(
        reasons.contains("other arguments, or a change of `policy:limit#amount`"),
        "{reasons}"
    );
}

/// Text between three backticks and `cedar` is an example, and a comment in it that begins with `// expect` a test of it.
#[tokio::test]
async fn the_examples_of_the_manual_are_right() {
    let house = House::started().await;
    let mut examples = 0;
    for piece in MANUAL.split("```cedar\n").skip(1) {
        let text = piece.split("```").next().unwrap();
        let tests: String = text
            .lines()
            .filter_map(|line| line.strip_prefix("// expect: "))
            .collect::<Vec<_>>()
            .join(",");
        let mut policy = new("example", text);
        policy.tests =
            serde_json::from_str(&format!("[{tests}]")).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert!(!policy.tests.is_empty(), "{text}");
        if let Err(error) = house
            .access
            .set_access_policy(&house.admin(), policy, Standing::Any)
            .await
        {
            panic!("{text}\n{error:#?}");
        }
        examples += 1;
    }
    assert!(examples >= 10, "{examples} examples");
    let schema = portreeve_access::Access::policy_schema();
    assert!(
        MANUAL.contains(schema.trim_end()),
        "the manual shows another schema"
    );
}
