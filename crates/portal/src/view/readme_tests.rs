//! What becomes of a README, above all of a bad one.

use super::*;

fn shown(readme: &str) -> String {
    Markup::of(readme, Some("https://github.com/acme/billing"))
        .as_str()
        .trim()
        .to_owned()
}

#[test]
fn a_readme_is_headings_lists_tables_and_code() {
    let readme = "# Billing\n\nSends **invoices**, `safely`.\n\n### Deep\n\n- [x] one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```sh\nrun \"it\"\n```\n";
    let shown = shown(readme);
    for part in [
        "<h3 id=\"readme-billing\">Billing</h3>",
        "<p>Sends <strong>invoices</strong>, <code>safely</code>.</p>",
        // No level is left out.
        "<h4 id=\"readme-deep\">Deep</h4>",
        "<li>☑ one</li>",
        "<thead><tr><th scope=\"col\">a</th><th scope=\"col\">b</th></tr></thead><tbody>",
        "<tr><td>1</td><td>2</td></tr>\n</tbody></table></div>",
        "aria-label=\"Code, sh\"><code>run &#34;it&#34;\n</code></pre>",
    ] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
}

#[test]
fn links_lead_to_the_web_into_the_readme_or_into_the_repository() {
    let rel = "rel=\"noopener noreferrer nofollow\"";
    for (written, address) in [
        (
            "[x](https://acme.example/a?b=1&c=2)",
            format!("<a href=\"https://acme.example/a?b=1&#38;c=2\" {rel}>x</a>"),
        ),
        (
            "[x](#getting-started)",
            "<a href=\"#readme-getting-started\">x</a>".to_owned(),
        ),
        (
            "[x](docs/a.md)",
            format!("<a href=\"https://github.com/acme/billing/blob/HEAD/docs/a.md\" {rel}>x</a>"),
        ),
        (
            "<desk@acme.example>",
            format!("<a href=\"mailto:desk@acme.example\" {rel}>desk@acme.example</a>"),
        ),
        ("[x](../../../evil)", "x".to_owned()),
        ("[x](javascript:alert(1))", "x".to_owned()),
        ("[x](JavaScript:alert)", "x".to_owned()),
        ("[x](data:text/html,y)", "x".to_owned()),
        ("[x](//evil.example/y)", "x".to_owned()),
        ("[x](vscode:mcp/install)", "x".to_owned()),
    ] {
        assert_eq!(shown(written), format!("<p>{address}</p>"), "{written}");
    }
    let homeless = Markup::of("[x](docs/a.md)", Some("https://git.acme.example/billing"));
    assert_eq!(homeless.as_str().trim(), "<p>x</p>");
}

#[test]
fn a_picture_is_a_link_and_no_request() {
    let shown = shown(
        "![a *ship*](https://acme.example/a.png)\n\n[![build](b.svg)](https://ci.example/)\n\n![](data:image/png;base64,AA)",
    );
    assert!(!shown.contains("<img"), "{shown}");
    assert!(
        shown.contains(
            "<a href=\"https://acme.example/a.png\" rel=\"noopener noreferrer nofollow\">Picture: a ship</a>"
        ),
        "{shown}"
    );
    assert!(
        shown.contains(
            "<a href=\"https://ci.example/\" rel=\"noopener noreferrer nofollow\">Picture: build</a>"
        ),
        "{shown}"
    );
    assert!(shown.ends_with("<p>Picture</p>"), "{shown}");
}

#[test]
fn nothing_that_is_html_comes_through() {
    for bad in [
        "<script>alert(1)</script>",
        "<p onclick=alert(1)>x</p>",
        "a <img src=x onerror=alert(1)> b",
        "<iframe\nsrc=https://evil.example></iframe>",
        "<!-- <script>alert(1)</script> -->",
        "<svg><style>@import url(x)</style></svg>",
        "`<script>`",
        "```<script>\"><script>alert(1)\n</script>\n```",
        "[\"><script>x](https://a.example/\"><script>)",
        "![\"onerror=alert(1)](https://a.example/\"onerror=x)",
        "# <b>x</b> \"><script>",
        "| <script> |\n|---|\n| <img src=x> |",
        "<https://a.example/<script>>",
        "<a href=\"java\tscript:alert(1)\">x</a>",
    ] {
        let shown = shown(bad);
        let tags: Vec<&str> = shown.split('<').skip(1).collect();
        for tag in tags {
            let name: String = tag
                .trim_start_matches('/')
                .chars()
                .take_while(char::is_ascii_alphanumeric)
                .collect();
            let known = [
                "p", "a", "code", "pre", "h3", "br", "div", "table", "thead", "tbody", "tr", "th", "td",
            ];
            assert!(known.contains(&name.as_str()), "{bad}\n{shown}");
            let inner = tag.split('>').next().unwrap_or_default();
            assert!(
                !inner.contains("onerror=a") || inner.contains("href=\"https"),
                "{bad}\n{shown}"
            );
            assert_eq!(inner.matches('"').count() % 2, 0, "{bad}\n{shown}");
        }
    }
}

#[test]
fn text_between_tags_stays() {
    let shown = shown("<p align=\"center\">\n  <b>Bills</b> for\n  everybody\n</p>\n");
    assert!(shown.contains("Bills"), "{shown}");
    assert!(shown.contains("everybody"), "{shown}");
    assert!(!shown.contains("center"), "{shown}");
}

#[test]
fn what_is_nested_without_end_is_shown_flat_and_quickly() {
    let deep = format!("{}x", ">".repeat(20_000));
    let shown = shown(&deep);
    assert!(
        shown.matches("<blockquote>").count() <= DEEPEST,
        "{}",
        shown.len()
    );
    assert_eq!(
        shown.matches("<blockquote>").count(),
        shown.matches("</blockquote>").count()
    );
    let headings = "# a\n".repeat(15_000);
    assert_eq!(Markup::of(&headings, None).as_str().matches(" id=").count(), 1);
}

#[test]
fn what_hides_becomes_visible() {
    assert_eq!(shown("pay\u{202e}now"), "<p>pay[U+202E]now</p>");
}
