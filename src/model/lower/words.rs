//! Words: what to say of one that is unknown, or that stands where it says nothing.

use super::Lowering;
use super::read::Written;
use crate::diagnostic::{Diagnostic, Edit};
use crate::model::Settings;
use crate::model::clients::ClientKind;
use crate::model::setting::{Reference, Setting, State};
use crate::source::Span;
use crate::syntax::Plain;
use crate::vocabulary::{ATTRIBUTES, ELEMENTS, ElementKind, Key, Places, did_you_mean, suggest};

impl Lowering<'_> {
    pub(super) fn unknown_attribute(&mut self, written: &Written<'_>, place: Places, settings: &mut Settings) {
        let word = self.text(written.name);
        let wanted = self.suggested < super::names::MAX_SUGGESTIONS;
        self.suggested += 1;
        let here = if wanted { words(place) } else { Vec::new() };
        let mut near = suggest(word, here.iter().copied());
        if near.is_empty() && wanted {
            near = suggest(
                word,
                ATTRIBUTES.iter().map(|attribute| attribute.name).chain(ELEMENTS.iter().map(|element| element.name)),
            );
        }
        let mut diagnostic = Diagnostic::new(written.name, format!("`{word}` is no word of the language"));
        let kind = written.values.first().and_then(|value| ElementKind::named(self.text(value.span)));
        diagnostic = match (did_you_mean(&near), kind) {
            (_, Some(kind)) => diagnostic.help(format!("the kind comes first: `{} {word}`", kind.name())),
            (Some(question), None) => diagnostic.help(question),
            (None, None) if self.topology.node_named(word.split('.').next().unwrap_or(word)).is_some() => {
                diagnostic.help(format!("what is said of `{word}` stands in the block where it is declared"))
            }
            (None, None) => diagnostic
                .help("`topolint reference` lists all words; what is only for people goes into a comment or a label"),
        };
        if let [only] = near.as_slice() {
            diagnostic = diagnostic.fix(
                format!("write `{only}`"),
                false,
                vec![Edit { span: written.name, replacement: (*only).to_owned() }],
            );
        }
        // A statement that is read in part has been reported already.
        if !written.flawed {
            self.problem("unknown-attribute", diagnostic);
        }
        // It may have declared anything that is named in it.
        let end =
            written.block.map_or(written.values.last().map_or(written.name, |last| last.span), |block| block.span);
        self.remember_unread(written.name.to(end));
        match near.as_slice() {
            // What was probably meant has been written, so that nothing else misses it.
            [only] if Key::named(only).is_some() => {
                if let Some(key) = Key::named(only).filter(|key| settings.get(*key).is_none()) {
                    settings.push(Setting::new(key, State::Unreadable, written.name));
                }
            }
            _ => settings.flawed = true,
        }
    }

    pub(super) fn misplaced_attribute(&mut self, name: Span, key: Key, place: Places) {
        let attribute = key.attribute();
        let (places, here) = (list_or(&attribute.on.names()), describe(place));
        let diagnostic = Diagnostic::new(name, format!("`{key}` stands on {places}, not on {here}"));
        let boxed = place.intersects(Places::NODE | Places::BOX);
        self.problem(
            "misplaced-attribute",
            if attribute.on == Places::CALL && boxed {
                let values = if attribute.form.is_empty() { "" } else { " …" };
                diagnostic.help(format!(
                    "for all calls that leave from here, write `defaults {{ call {{ {key}{values} }} }}`"
                ))
            } else {
                diagnostic.help(format!(
                    "{} {}",
                    attribute.documentation.trim_end_matches('.'),
                    "(`topolint reference` shows where it may stand)"
                ))
            },
        );
    }

    /// A broker fills in what its queues leave unstated; clients and meshes do that for calls.
    pub(super) fn refuse_clients(&mut self, setting: &Setting, place: Places) {
        let clients = self.clients;
        let of_queue = place.intersects(Places::QUEUE);
        let named = setting.references().iter().filter_map(|reference| match reference {
            Reference::Client(index) => clients.get(*index),
            _ => None,
        });
        for client in named.filter(|client| (client.kind == ClientKind::Broker) != of_queue) {
            let (name, there) = (&client.name, describe(place));
            let (kind, of, help) = match client.kind {
                ClientKind::Broker => ("a broker", "queues", format!("write `via {name}` on the queue")),
                ClientKind::Library => {
                    ("a client", "calls", format!("write `via {name}` on the calls that go through it"))
                }
                ClientKind::Proxy => {
                    ("a proxy", "calls", format!("write `via {name}` on the calls that go through it"))
                }
            };
            let message = format!("`{name}` is {kind}: it says what {of} leave unstated, and nothing on {there}");
            self.problem("misplaced-attribute", Diagnostic::new(setting.span, message).help(help));
        }
    }

    pub(super) fn not_in_policy(&mut self, name: Span, key: Key) {
        let diagnostic = Diagnostic::new(name, format!("`{key}` stands on a call, not in a policy"));
        self.problem("misplaced-attribute", diagnostic.help("write it on each call that it is about"));
    }

    pub(super) fn misplaced_element(&mut self, plain: &Plain, kind: ElementKind, place: Places) {
        let diagnostic = Diagnostic::new(plain.name, format!("`{}` cannot stand on {}", kind.name(), describe(place)));
        let help = format!("it may stand in: {}", list_or(&kind.element().on.names()));
        self.problem("misplaced-attribute", diagnostic.help(help));
    }
}

/// The words that may stand in a place.
fn words(place: Places) -> Vec<&'static str> {
    let attributes =
        ATTRIBUTES.iter().filter(|attribute| attribute.on.intersects(place)).map(|attribute| attribute.name);
    let elements = ELEMENTS.iter().filter(|element| element.on.intersects(place)).map(|element| element.name);
    attributes.chain(elements).collect()
}

/// A place in words.
fn describe(place: Places) -> String {
    let names = place.names();
    let name = names.iter().find(|name| **name != "operation").or(names.first()).copied().unwrap_or("this");
    match name {
        _ if place == Places::FILE => "a file".to_owned(),
        name if name.starts_with('`') => format!("a {name} block"),
        name if name.starts_with("the ") => name.to_owned(),
        name if name.starts_with(['a', 'e', 'i', 'o']) => format!("an {name}"),
        name => format!("a {name}"),
    }
}

pub(super) fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn list_or(names: &[&str]) -> String {
    match names.split_last() {
        Some((last, [])) => format!("a {last}"),
        Some((last, first)) => format!("a {} or {last}", first.join(", ")),
        None => "nothing".to_owned(),
    }
}
