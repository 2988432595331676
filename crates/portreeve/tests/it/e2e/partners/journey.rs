//! J5, the steps that work on files: a vendor engineer begins, checks and hands in; the pull request check gives its verdict.

use std::fs;

use serde_json::{Value, json};

use super::desk::{Desk, portreeve, portreeve_json, with_outcome};
use super::vendor::Manners;

#[test]
fn j5_1_a_new_partner_is_right_in_form_and_told_what_to_fill_in() {
    let files = tempfile::TempDir::new().unwrap();
    let folder = files.path().join("partners/acme");
    let path = folder.to_str().unwrap();
    let made = portreeve(&["partner", "init", path]);
    assert!(made.status.success(), "{made:?}");
    assert!(folder.join("partner.toml").exists() && folder.join("servers/acme.json").exists());
    let (code, verdict) = portreeve_json(&["partner", "check", path, "--offline"]);
    let item = &verdict["items"][0];
    assert_eq!((code, item["name"].as_str()), (1, Some("acme")));
    assert_eq!(with_outcome(item, "refused"), ["placeholders"], "{verdict:#}");
    // What is there is not written over.
    let again = portreeve(&["partner", "init", path]);
    assert_eq!(again.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&again.stderr).contains("is there already"),
        "{again:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn j5_3_the_pull_request_check_gives_its_verdict_as_a_comment() {
    let desk = Desk::start().await;
    let (path, config) = (desk.partner("harbour"), desk.text("check.toml"));
    let check = [
        "partner",
        "check",
        &path,
        "--internal",
        "--config",
        &config,
        "--markdown",
    ];
    let good = portreeve(&check);
    let text = String::from_utf8_lossy(&good.stdout).into_owned();
    assert!(good.status.success(), "{text}");
    assert!(text.starts_with("### Partner check: passed"), "{text}");
    assert!(text.contains("| harbour | passed | verified |"), "{text}");
    desk.vendor.behave(Manners {
        tools: None,
        ..Manners::good()
    });
    let bad = portreeve(&check);
    let text = String::from_utf8_lossy(&bad.stdout).into_owned();
    assert_eq!(bad.status.code(), Some(1));
    assert!(text.starts_with("### Partner check: 1 partner to mend"), "{text}");
    assert!(
        text.contains("| refused | tools | `harbour/servers/harbour.json: tools` |"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn j5_4_a_bad_pull_request_fails_with_one_line_for_each_problem() {
    let desk = Desk::start().await;
    let (mut manifest, mut server) = (desk.manifest("bad"), desk.server("bad"));
    manifest["servers"]["bad"]
        .as_table_mut()
        .unwrap()
        .insert("login".to_owned(), "oauth".into());
    let good = server["remotes"][0]["url"].as_str().unwrap().to_owned();
    server["remotes"] = json!([
        {"type": "streamable-http", "url": good},
        {"type": "streamable-http", "url": "https://placeholder.harbour-double.systems/mcp"},
    ]);
    desk.write("bad", &manifest, &server);
    desk.vendor.behave(Manners {
        is_shut: true,
        ..Manners::good()
    });
    let (code, verdict) = desk.check(&desk.partner("bad"), "check.toml");
    assert_eq!(code, 1);
    let findings = verdict["items"][0]["findings"].as_array().unwrap();
    let refused = |check: &str| -> Vec<&Value> {
        findings
            .iter()
            .filter(|one| one["check"] == check && one["level"] == "refused")
            .collect()
    };
    for (check, field, evidence) in [
        (
            "placeholders",
            "remotes[1].url",
            "placeholder.harbour-double.systems",
        ),
        ("endpoints", "remotes[0].url", "partner `harbour`"),
        ("oauth", "authorization.resource", "404"),
    ] {
        let [one] = refused(check)[..] else {
            panic!("{check}: {verdict:#}")
        };
        assert_eq!(one["field"], field, "{one}");
        assert!(one["evidence"].as_str().unwrap().contains(evidence), "{one}");
    }
    // On a terminal each of them is one line of what, with its evidence and its mend.
    let output = portreeve(&["partner", "check", &desk.partner("bad"), "--offline"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("refused ["))
        .collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert_eq!(
        text.matches("\n  mend: ").count(),
        text.lines().filter(|line| line.contains(" [")).count(),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_may_be_shown_by_a_well_known_file() {
    let desk = Desk::start().await;
    let record = fs::read_to_string(desk.at("partners/harbour/proof.json")).unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    let certificate = rcgen::generate_simple_self_signed(vec![super::desk::DOMAIN.to_owned()]).unwrap();
    let (cert, key) = (desk.at("site.pem"), desk.at("site.key"));
    fs::write(&cert, certificate.cert.pem()).unwrap();
    fs::write(&key, certificate.signing_key.serialize_pem()).unwrap();
    let line = format!("{}\n", record["key"].as_str().unwrap());
    let proxy = crate::doubles::proxied_host(&cert, &key, line).await;
    let both = format!(
        "{}{}",
        fs::read_to_string(&cert).unwrap(),
        fs::read_to_string(desk.at("cert.pem")).unwrap()
    );
    fs::write(desk.at("both.pem"), both).unwrap();
    let elsewhere = fs::read_to_string(desk.at("elsewhere.toml")).unwrap();
    let config = elsewhere.replace("cert.pem", "both.pem").replace(
        "[registry.auth]",
        &format!("proxy = \"http://{proxy}\"\nno_proxy = [\"127.0.0.1\"]\n[registry.auth]"),
    );
    fs::write(desk.at("proxied.toml"), config).unwrap();
    let (code, verdict) = desk.check(&desk.partner("harbour"), "proxied.toml");
    assert_eq!(
        (code, verdict["items"][0]["tier"].as_str()),
        (0, Some("verified")),
        "{verdict:#}"
    );
}
