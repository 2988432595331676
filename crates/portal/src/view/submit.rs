//! The form by which a server is handed in.

use crate::view::form::{Field, FormView};

/// An empty form. Who manages may grant and approve with it.
pub(crate) fn form(manages: bool) -> FormView {
    let form = FormView::new("submit", "/submit", "Hand it in")
        .field(Field::line("name", "Name").hint("In reverse-DNS form: com.acme/billing"))
        .field(
            Field::line("url", "URL of its MCP endpoint")
                .at("remotes")
                .hint("Streamable HTTP. The gateway calls it; hosts get the address of the gateway."),
        )
        .field(
            Field::text("members", "Members of a virtual server", 3)
                .at("_meta")
                .hint("Instead of a URL: routes of other servers, one to the line, as in mail or chat=c with a prefix."),
        )
        .field(Field::tick(
            "search_tools",
            "Show two tools that find and call those of its members, instead of all of them",
        ))
        .field(Field::line("version", "Version").hint("1.0.0 unless given"))
        .field(Field::line("title", "Title"))
        .field(Field::line("description", "What it does").hint("At most 100 characters"))
        .field(
            Field::text("document", "server.json", 8)
                .at("$")
                .hint("Instead of all of the above."),
        )
        .field(
            Field::text("owner_groups", "Groups that own it", 2)
                .at("ownerGroups")
                .hint("One to the line. Their members may publish it."),
        )
        .field(Field::text("tags", "Tags", 2).hint("One to the line."))
        .field(
            Field::text("metadata", "Values of custom properties", 3)
                .hint("One to the line: dataClass=internal"),
        );
    let form = form.field(Field::tick("draft", "Keep it as a draft: ask nobody yet"));
    if !manages {
        return form;
    }
    form.field(Field::tick(
        "internal",
        "Grant the private hosts that its URL needs",
    ))
    .field(Field::tick("approve", "Approve it at once"))
}
