//! The environment of a route as a word of policies.

use portreeve_core::caller::Caller;
use portreeve_core::decision::{Action, Target};
use portreeve_core::name::Environment;
use portreeve_core::ports::Authorizer as _;
use portreeve_core::tool::ToolAnnotations;

use crate::access_policies::mail;
use crate::house::House;

impl House {
    fn calls_in(&self, caller: &Caller, environment: Option<&str>) -> bool {
        let (server, annotations) = (mail(), ToolAnnotations::default());
        let target = Target::Tool {
            server: &server,
            tool: "send",
            annotations: &annotations,
            arguments: None,
        };
        let decision = match environment {
            None => self.access.may(caller, Action::CallTool, &target),
            Some(name) => {
                let environment: Environment = name.parse().unwrap();
                self.access
                    .may_in(caller, Action::CallTool, &target, &environment)
            }
        };
        decision.is_permit()
    }
}

#[tokio::test]
async fn a_rule_tells_environments_apart() {
    let house = House::started().await;
    let ada = house.ada().await;
    house
        .policy(
            "production",
            r#"forbid (principal in Group::"interns", action == Action::"call", resource)
            when { context has environment && context.environment == "production" };"#,
        )
        .await;
    assert!(!house.calls_in(&ada, Some("production")));
    assert!(house.calls_in(&ada, Some("test")));
    // What was kept of the one environment is not taken for another, nor for a question about no route.
    assert!(house.calls_in(&ada, None));
    assert!(!house.calls_in(&ada, Some("production")));
    let target = Target::Tool {
        server: &mail(),
        tool: "send",
        annotations: &ToolAnnotations::default(),
        arguments: None,
    };
    let production = Environment::production();
    let reasons = house
        .access
        .reasons(&ada, Action::CallTool, &target, Some(&production));
    let said = reasons.join("; ");
    assert!(said.contains("`context.environment` is \"production\""), "{said}");
}

#[tokio::test]
async fn a_server_is_hidden_in_one_environment() {
    let house = House::started().await;
    let ada = house.ada().await;
    house
        .policy(
            "hidden",
            r#"forbid (principal, action == Action::"discover", resource)
            when { context has environment && context.environment == "test" };"#,
        )
        .await;
    assert!(
        !house.calls_in(&ada, Some("test")),
        "who may not know of it calls nothing there"
    );
    assert!(house.calls_in(&ada, Some("production")) && house.finds(&ada));
}
