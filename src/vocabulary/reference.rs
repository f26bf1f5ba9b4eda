//! The language reference, written from the table.

use std::fmt::Write as _;

use super::{ATTRIBUTES, Attribute, Cascade, ELEMENTS, Places};

const OPENING: &str = "\
# The topo language: reference

Written by `topolint reference` from the vocabulary of the tool itself.

A file is a list of statements, each on a line of its own or ended by `;`. A statement is `name value …`, perhaps with
a block in braces, or a call: `a -> b` (the caller waits) or `a ->> b` (it does not). `#` starts a comment.

In the tables, lower-case words stand for themselves, `a | b` for either, `[a]` for perhaps; `, …` takes a list with
commas. Upper-case words stand for values:

| word | value |
| --- | --- |
| `D`, `D..D` | duration: `500us` `300ms` `1.2s` `5m` `24h` `7d`; a range has a unit on both ends |
| `R` | rate: `200/s` `10/min` `6/h` `1/d` |
| `P` | percentage: `99.95%` |
| `SIZE`, `BANDWIDTH` | `20kB` `1MiB`; `100Mbps` `1Gbps` |
| `PRICE`, `COST` | `0.02 USD/GB`; `500 USD/month` |
| `N`, `N..N` | whole number: `3` `100_000`; a range `2..5` |
| `QUANTILE` | `p50` `p99` `p99.9` |
| `DATE` | `2027-03-31` |
| `NAME`, `TEXT` | a word of your own; a text in double quotes |
| `NODE`, `OPERATION`, `QUEUE`, `POLICY` | the name of something declared; an operation is `node.operation` |
| `CLIENT` | an entry of the dated table of client defaults: `topolint explain via` |
| `RULE` | a rule or a family of rules |

Every attribute has three states: a value, `none` (known not to be there), or unstated (unknown). Where the column
*none* is empty the thing always exists, and `none` is an error.

The column *reaches* says how it cascades; the most specific statement wins, and `topolint explain --where
'a->b.timeout'` shows which one did:

- *down*: topology, file, groups, node, operation; within one box `defaults { KIND { … } }` beats what it says of all.
- *total*: a total of what it is written on, never passed on.
- *caller*: the call, its policies, then `defaults { call { … } }` around the caller, then the table of `via`.
- *both*: as *caller*, and a callee, its node or its group may insist on it for every call that arrives.
- *here*: only what it is written on.

What may stand on a group may also stand in a file and in the `topology` block: all three are boxes. What may stand on
an operation may also stand on a node that declares none, and means its unnamed one.
";

/// The whole reference as Markdown.
#[must_use]
pub fn reference() -> String {
    let mut page = String::from(OPENING);
    elements(&mut page);
    page.push_str("\n## Attributes\n");
    let mut section = "";
    for attribute in ATTRIBUTES {
        if attribute.section != section {
            section = attribute.section;
            let _ = write!(
                page,
                "\n### {section}\n\n| attribute | on | reaches | meaning | none |\n| --- | --- | --- | --- | --- |\n"
            );
        }
        let _ = writeln!(page, "{}", row(attribute));
    }
    page
}

fn elements(page: &mut String) {
    page.push_str(
        "\n## Elements\n\n| word | stands in | meaning | operations of its own |\n| --- | --- | --- | --- |\n",
    );
    for element in ELEMENTS {
        let operations = element.operations.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let _ = writeln!(
            page,
            "| {} | {} | {} | {operations} |",
            syntax(element.name, element.form, element.list, element.opens),
            places(element.on),
            element.documentation,
        );
    }
}

fn row(attribute: &Attribute) -> String {
    let reaches = match attribute.cascade {
        Cascade::Down => "down",
        Cascade::Amount => "total",
        Cascade::Call => "caller",
        Cascade::Insisted => "both",
        Cascade::Own => "here",
    };
    format!(
        "| {} | {} | {reaches} | {} | {} |",
        syntax(attribute.name, attribute.form, attribute.list, attribute.block),
        places(attribute.on),
        attribute.documentation,
        attribute.none,
    )
}

/// The word with its value and its block; a value that may be left out stands in brackets.
fn syntax(name: &str, form: &str, list: bool, opens: Places) -> String {
    let value = form.strip_prefix("| ").map_or_else(|| form.to_owned(), |optional| format!("[{optional}]"));
    let more = if list { ", …" } else { "" };
    let block = if opens == Places::NONE { "" } else { " { … }" };
    let written = format!("{} {block}", format!("{name} {value}{more}").trim_end());
    format!("`{}`", written.trim_end().replace("  ", " ").replace('|', "\\|"))
}

fn places(places: Places) -> String {
    places.names().join(", ")
}
