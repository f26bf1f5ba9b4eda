//! The words that make structure: nodes, boxes, and the blocks that arrange calls.

use std::sync::LazyLock;

use super::Places;
use crate::ids::IdMap;

/// What a structural word makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ElementKind {
    /// The whole.
    Topology,
    /// Further files.
    Include,
    /// A caller outside the system.
    Client,
    /// Our own running code.
    Service,
    /// A database or object store.
    Store,
    /// A store that may forget.
    Cache,
    /// A queue, topic or stream.
    Queue,
    /// Somebody else's system.
    External,
    /// Something a node can be asked to do.
    Operation,
    /// A box around nodes.
    Group,
    /// A reusable set of call attributes.
    Policy,
    /// What holds unless something nearer says otherwise.
    Defaults,
    /// Calls made at once.
    Parallel,
    /// One of several calls.
    OneOf,
    /// Calls one after another.
    Sequence,
    /// Facts about links.
    Network,
    /// A link between two places of one zone.
    Within,
    /// A link between two zones, regions or nodes.
    Between,
}

/// One structural word.
#[derive(Debug)]
pub struct Element {
    /// Identity in the code.
    pub kind: ElementKind,
    /// The word.
    pub name: &'static str,
    /// What follows it, in the notation of [`super::Form`].
    pub form: &'static str,
    /// Whether one statement may declare several, with commas between them.
    pub list: bool,
    /// Where it may stand.
    pub on: Places,
    /// The place that its block opens.
    pub opens: Places,
    /// Operations that a node of this kind has without declaring any.
    pub operations: &'static [&'static str],
    /// One sentence.
    pub documentation: &'static str,
}

const TOP: Places = Places::FILE;
const BOXES: Places = Places::FILE.or(Places::GROUP);
const STEPS: Places = Places::OPERATION.or(Places::NODE).or(Places::STEPS);

/// The table of structural words, in the order of the reference.
pub const ELEMENTS: &[Element] = &[
    element(
        ElementKind::Topology,
        "topology",
        "NAME [TEXT]",
        TOP,
        Places::TOPOLOGY,
        "The whole: its name, and what is true of all of it.",
    ),
    element(
        ElementKind::Include,
        "include",
        "TEXT",
        TOP,
        Places::NONE,
        "Reads further files: a path or a pattern relative to this file, each file once.",
    ),
    node(
        ElementKind::Client,
        "client",
        Places::CLIENT,
        &[],
        "A caller outside the system: person, browser, partner, scheduler.",
    ),
    node(ElementKind::Service, "service", Places::SERVICE, &[], "Our own running code."),
    node(ElementKind::Store, "store", Places::STORE, &["read", "write"], "A database or object store."),
    node(ElementKind::Cache, "cache", Places::CACHE, &["get", "set", "delete"], "A store that may forget."),
    node(
        ElementKind::Queue,
        "queue",
        Places::QUEUE,
        &["publish"],
        "A queue, topic or stream; it delivers over `->>` arrows that leave it.",
    ),
    node(ElementKind::External, "external", Places::EXTERNAL, &[], "Somebody else's system."),
    element(
        ElementKind::Operation,
        "operation",
        "NAME [TEXT]",
        Places::SERVICE.or(Places::EXTERNAL).or(Places::STORE).or(Places::CACHE),
        Places::OPERATION,
        "Something that the node can be asked to do; calls are made by operations.",
    ),
    element(
        ElementKind::Group,
        "group",
        "NAME [TEXT]",
        BOXES,
        Places::GROUP,
        "A box: what is inside has its attributes. Names stay flat, so moving a node changes no reference.",
    ),
    element(
        ElementKind::Policy,
        "policy",
        "NAME [TEXT]",
        BOXES,
        Places::POLICY,
        "A reusable set of call attributes, followed with `use`.",
    ),
    element(
        ElementKind::Defaults,
        "defaults",
        "",
        BOXES.or(Places::NODE).or(Places::TOPOLOGY),
        Places::DEFAULTS,
        "What holds for calls that leave from inside, and for nodes of a kind inside, unless something nearer says otherwise.",
    ),
    element(
        ElementKind::Parallel,
        "parallel",
        "| any [N]",
        STEPS,
        Places::STEPS,
        "Runs its calls at once and waits for all, with `any` for the first, with `any N` for N of them.",
    ),
    element(
        ElementKind::OneOf,
        "one-of",
        "",
        STEPS,
        Places::STEPS,
        "Makes exactly one of its calls: a traffic split. The worst case is the largest, not the sum.",
    ),
    element(
        ElementKind::Sequence,
        "sequence",
        "",
        STEPS,
        Places::STEPS,
        "Makes its calls one after another; for use inside the others.",
    ),
    element(ElementKind::Network, "network", "", TOP, Places::NETWORK, "Facts about links."),
    element(ElementKind::Within, "within", "zone", Places::NETWORK, Places::LINK, "Links inside one zone."),
    element(
        ElementKind::Between,
        "between",
        "zones | regions | NAME NAME",
        Places::NETWORK,
        Places::LINK,
        "Links between zones, between regions, or between two named ones.",
    ),
];

const fn element(
    kind: ElementKind,
    name: &'static str,
    form: &'static str,
    on: Places,
    opens: Places,
    documentation: &'static str,
) -> Element {
    Element { kind, name, form, list: false, on, opens, operations: &[], documentation }
}

const fn node(
    kind: ElementKind,
    name: &'static str,
    opens: Places,
    operations: &'static [&'static str],
    documentation: &'static str,
) -> Element {
    Element { kind, name, form: "NAME [TEXT]", list: true, on: BOXES, opens, operations, documentation }
}

/// Each by its word.
static BY_NAME: LazyLock<IdMap<&str, ElementKind>> =
    LazyLock::new(|| ELEMENTS.iter().map(|element| (element.name, element.kind)).collect());

/// Stands in where no row can be missing.
#[allow(clippy::indexing_slicing, reason = "checked when it is compiled")]
const FIRST: &Element = &ELEMENTS[0];

impl ElementKind {
    /// Its row in the table.
    #[must_use]
    pub fn element(self) -> &'static Element {
        // INVARIANT: the table has one row a kind, in order.
        ELEMENTS.get(self as usize).unwrap_or(FIRST)
    }

    /// The kind made by that word.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        BY_NAME.get(name).copied()
    }

    /// The word.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.element().name
    }

    /// Whether it makes a node.
    #[must_use]
    pub fn is_node(self) -> bool {
        Places::NODE.contains(self.element().opens) && self.element().opens != Places::NONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_stands_at_its_kind() {
        for (index, element) in ELEMENTS.iter().enumerate() {
            assert_eq!(element.kind as usize, index, "{}", element.name);
            assert_eq!(ElementKind::named(element.name), Some(element.kind), "{} stands twice", element.name);
        }
    }
}
