//! The changed part of a topology as a Mermaid picture, which pull requests show. What is new, changed and gone differs
//! by shape and by words, and by colour besides.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::change::{DrawnCall, DrawnNode, Mark, Picture};
use crate::report::escape;

/// So many calls are drawn.
const CALLS: usize = 80;

/// So many characters of a name or a text are shown.
const LONGEST: usize = 60;

/// The picture without its fence; nothing if there is nothing to show.
pub(super) fn mermaid(picture: &Picture) -> Option<String> {
    if picture.boxes.is_empty() {
        return None;
    }
    let mut text = String::from("flowchart LR\n");
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    for (number, node) in picture.boxes.iter().enumerate() {
        numbers.insert(&node.name, number);
        let _ = writeln!(text, "  {}", shape(number, node));
    }
    for call in picture.arrows.iter().take(CALLS) {
        if let (Some(from), Some(to)) = (numbers.get(call.from.as_str()), numbers.get(call.to.as_str())) {
            let _ = writeln!(text, "  n{from} {} n{to}", arrow(call));
        }
    }
    let colors = [
        (Mark::New, "new", "fill:#dafbe1,stroke:#1a7f37,color:#1f2328,stroke-width:3px"),
        (Mark::Changed, "changed", "fill:#fff8c5,stroke:#9a6700,color:#1f2328"),
        (Mark::Gone, "gone", "fill:#ffebe9,stroke:#cf222e,color:#1f2328,stroke-dasharray:6 4"),
    ];
    for (mark, name, color) in colors {
        let marked: Vec<String> = picture
            .boxes
            .iter()
            .enumerate()
            .filter(|(_, node)| node.mark == mark)
            .map(|(n, _)| format!("n{n}"))
            .collect();
        if !marked.is_empty() {
            let _ = writeln!(text, "  classDef {name} {color}\n  class {} {name}", marked.join(","));
        }
    }
    Some(text)
}

/// A rectangle; what is new is round, what was changed has a frame, what is gone is a hexagon.
fn shape(number: usize, node: &DrawnNode) -> String {
    let (name, kind) = (safe(&node.name), node.kind);
    match node.mark {
        Mark::Same => format!("n{number}[\"{name}<br>{kind}\"]"),
        Mark::Changed => format!("n{number}[[\"CHANGED {name}<br>{kind}\"]]"),
        Mark::New => format!("n{number}([\"NEW {name}<br>{kind}\"])"),
        Mark::Gone => format!("n{number}{{{{\"GONE {name}<br>{kind}\"}}}}"),
    }
}

fn arrow(call: &DrawnCall) -> String {
    let word = match call.mark {
        Mark::Same => "",
        Mark::Changed => "changed",
        Mark::New => "NEW",
        Mark::Gone => "GONE",
    };
    let waits = if call.is_awaited { "" } else { "not awaited" };
    let said: Vec<String> =
        [word.to_owned(), waits.to_owned(), safe(&call.text)].into_iter().filter(|part| !part.is_empty()).collect();
    let line = match (call.mark, call.is_awaited) {
        (Mark::Gone, _) => "--x",
        (Mark::New, true) => "==>",
        (_, true) => "-->",
        (_, false) => "-.->",
    };
    if said.is_empty() { line.to_owned() } else { format!("{line}|\"{}\"|", said.join(": ")) }
}

/// A name or a text, not too long.
fn safe(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => escape::mermaid(text.get(..end).unwrap_or("")) + "...",
        None => escape::mermaid(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_ends_its_quotes() {
        let name = "a\"]; click n0 href \"javascript:x\n```".to_owned();
        let node = DrawnNode { name, kind: "service", mark: Mark::New };
        let text = shape(0, &node);
        assert_eq!(text.matches('"').count(), 2, "{text}");
        assert!(!text.contains('`') && !text.contains('\n') && text.starts_with("n0([\"NEW a#34;#93;#59;"), "{text}");
    }

    #[test]
    fn marks_differ_by_shape_and_by_word() {
        let drawn = |mark| shape(0, &DrawnNode { name: "a".to_owned(), kind: "store", mark });
        let all = [Mark::Same, Mark::Changed, Mark::New, Mark::Gone].map(drawn);
        assert_eq!(
            all,
            [
                "n0[\"a<br>store\"]",
                "n0[[\"CHANGED a<br>store\"]]",
                "n0([\"NEW a<br>store\"])",
                "n0{{\"GONE a<br>store\"}}"
            ]
        );
    }
}
