//! Pictures: everything has a place of its own, the same bytes come out each time, and no text does any harm.

#![allow(clippy::cast_precision_loss, reason = "sizes of a test are small")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use support::{ROOT, Texts, example_texts, scene};
use topolint::analysis::Facts;
use topolint::change::{Mark, Side, compare};
use topolint::config::Config;
use topolint::lint::Terms;
use topolint::metadata::built_in_clients;
use topolint::model::{Loader, lower};
use topolint::render::{
    self, Layout, Plan, PlannedEdge, PlannedGroup, PlannedNode, Rect, Scene, Size, Theme, View, layout,
};

/// What is wrong with a layout: things that lie on each other.
fn wrong(plan: &Plan, layout: &Layout, name: impl Fn(usize) -> String) -> Vec<String> {
    let mut wrong = Vec::new();
    let labels: Vec<(usize, Rect)> =
        layout.edges.iter().enumerate().filter_map(|(index, edge)| Some((index, edge.label?))).collect();
    for (one, rect) in layout.nodes.iter().enumerate() {
        for (other, second) in layout.nodes.iter().enumerate().skip(one + 1) {
            if rect.overlaps(second) {
                wrong.push(format!("{} lies on {}", name(one), name(other)));
            }
        }
        for (edge, label) in &labels {
            if rect.overlaps(label) {
                wrong.push(format!("the label of {} lies on {}", ends(plan, *edge, &name), name(one)));
            }
        }
        for (title, _) in layout.titles.iter().zip(&plan.groups).filter(|(title, _)| title.overlaps(rect)) {
            wrong.push(format!("a title at {},{} lies on {}", title.x, title.y, name(one)));
        }
    }
    for (index, (edge, label)) in labels.iter().enumerate() {
        for title in layout.titles.iter().filter(|title| title.overlaps(label)) {
            wrong.push(format!("the label of {} lies on a title: {title:?}", ends(plan, *edge, &name)));
        }
        for (other, second) in labels.iter().skip(index + 1) {
            if label.overlaps(second) {
                wrong.push(format!("{} and {} share a label", ends(plan, *edge, &name), ends(plan, *other, &name)));
            }
        }
    }
    for (index, route) in layout.edges.iter().enumerate() {
        let edge = plan.edges[index];
        for point in route.samples() {
            for (node, rect) in
                layout.nodes.iter().enumerate().filter(|(node, _)| *node != edge.from && *node != edge.to)
            {
                if rect.grown(-1.0).contains(point) {
                    wrong.push(format!("{} leads through {}", ends(plan, index, &name), name(node)));
                }
            }
            for (other, label) in labels.iter().filter(|(other, _)| *other != index) {
                if label.grown(-1.0).contains(point) {
                    wrong.push(format!("{} strikes through {}", ends(plan, index, &name), ends(plan, *other, &name)));
                }
            }
            for title in layout.titles.iter().filter(|title| title.grown(-1.0).contains(point)) {
                wrong.push(format!("{} strikes through a title: {title:?}", ends(plan, index, &name)));
            }
        }
    }
    for (group, frame) in layout.groups.iter().enumerate().filter(|(_, frame)| frame.width > 0.0) {
        if layout.titles[group].width + 1e-6 < plan.groups[group].title.width {
            wrong.push(format!("the title of box {group} is cut"));
        }
        for other in (group + 1..plan.groups.len()).filter(|other| layout.groups[*other].width > 0.0) {
            let is_nested = around(plan, other).any(|outer| outer == group);
            if frame.overlaps(&layout.groups[other]) && !is_nested {
                wrong.push(format!("the boxes {group} and {other} lie on each other"));
            }
            if layout.titles[group].overlaps(&layout.titles[other]) {
                wrong.push(format!("the titles of {group} and {other} lie on each other"));
            }
        }
        for (node, rect) in layout.nodes.iter().enumerate().filter(|(node, _)| !is_inside(plan, *node, group)) {
            if frame.overlaps(rect) {
                wrong.push(format!("{} stands in a box that is not its own", name(node)));
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    wrong
}

fn is_inside(plan: &Plan, node: usize, group: usize) -> bool {
    plan.nodes[node].group.is_some_and(|own| around(plan, own).any(|own| own == group))
}

/// A box and those around it.
fn around(plan: &Plan, group: usize) -> impl Iterator<Item = usize> + '_ {
    std::iter::successors(Some(group), |group| plan.groups[*group].parent)
}

fn ends(plan: &Plan, edge: usize, name: &impl Fn(usize) -> String) -> String {
    format!("{} -> {}", name(plan.edges[edge].from), name(plan.edges[edge].to))
}

fn faults(scene: &Scene) -> Vec<String> {
    let plan = render::plan(scene);
    wrong(&plan, &render::layout(&plan), |node| scene.nodes[node].name.clone())
}

#[test]
fn in_every_example_everything_has_a_place_of_its_own() {
    let texts = example_texts();
    let roots = texts.0.keys().filter(|path| path.rsplit_once('.').is_some_and(|(_, ending)| ending == "topo"));
    let mut drawn = 0;
    for root in roots {
        let scene = scene(&texts, root, &View::default());
        assert_eq!(faults(&scene), [] as [String; 0], "{root}");
        drawn += 1;
    }
    assert!(drawn > 30, "only {drawn} examples");
}

#[test]
fn the_same_text_is_the_same_picture() {
    let drawn = || render::svg(&scene(&Texts::one(SHOP), ROOT, &View::default()), Theme::Auto);
    assert_eq!(drawn(), drawn());
}

/// One of each kind, a circle, a call to itself, and groups in groups.
const SHOP: &str = r#"
client web
group all { group inner "Inside" { service shop "A shop"; store db; cache memory } service other }
queue orders; external bank
web -> shop { timeout 1s }
shop -> db { timeout none }
shop -> memory { timeout 10ms; fallback "from db" }
shop ->> orders
orders ->> other { key forwarded }
other -> bank { timeout 2s; retries 3 }
other -> shop
shop -> shop
"#;

#[test]
fn every_kind_of_node_and_edge_has_a_place_of_its_own() {
    let scene = scene(&Texts::one(SHOP), ROOT, &View::default());
    assert_eq!(scene.nodes.len(), 7);
    assert_eq!(faults(&scene), [] as [String; 0]);
}

/// The picture of two versions of a text.
fn versions(before: &str, after: &str) -> Scene {
    let (old, new) = (Texts::one(before), Texts::one(after));
    let config = Config::default();
    let terms = Terms { config: &config, today: jiff::civil::date(2026, 11, 22), clients: built_in_clients() };
    let mut head = Loader::new(&new);
    let heads = [head.project(ROOT)];
    let mut base = Loader::new(&old);
    base.sources = head.sources.clone();
    let bases = [base.project(ROOT)];
    let side = |loader, projects| Side { loader, projects, config: &config, baseline: None };
    let found = compare(side(&base, &bases), side(&head, &heads), &terms);
    let scene = |loader: &Loader<'_>, project, outcome| {
        let (topology, _) = lower(loader, project, built_in_clients());
        let facts = Facts::new(&topology, built_in_clients());
        render::scene(&facts, &base.sources, outcome, &View::default())
    };
    let after = scene(&head, &heads[0], &found.outcome);
    render::versions(&scene(&base, &bases[0], &found.before), &after, &found.topologies[0], &found)
}

#[test]
fn what_came_went_and_changed_is_told_by_words() {
    let before = "client web; service shop; store db; service old; web -> shop { timeout 1s; retries none }; \
                  shop -> db { timeout 100ms; retries none }; shop -> old { timeout 1s; retries none }";
    let after = "client web; service shop; store db; service added; web -> shop { timeout 3s; retries none }; \
                 shop -> db { timeout 100ms; retries none }; shop ->> added";
    let scene = versions(before, after);
    let marks: Vec<(&str, Mark)> = scene.nodes.iter().map(|node| (node.name.as_str(), node.mark)).collect();
    assert!(marks.contains(&("added", Mark::New)) && marks.contains(&("old", Mark::Gone)), "{marks:?}");
    assert!(marks.contains(&("db", Mark::Same)), "{marks:?}");
    let calls: Vec<&str> = scene.edges.iter().flat_map(|edge| &edge.calls).map(|call| call.text.as_str()).collect();
    assert!(calls.contains(&"1 × 1 s → 1 × 3 s"), "{calls:?}");
    assert!(calls.iter().any(|text| text.starts_with("NEW")), "{calls:?}");
    assert!(calls.iter().any(|text| text.starts_with("GONE")), "{calls:?}");
    assert_eq!(faults(&scene), [] as [String; 0]);
    let svg = render::svg(&scene, Theme::Light);
    for class in ["mark-new", "mark-gone", "mark-changed"] {
        assert!(svg.contains(&format!("{class}\">")), "{class}");
    }
}

#[test]
fn what_is_only_renamed_or_moved_is_not_new() {
    let before =
        "client web; service shop; store db; web -> shop { timeout 1s }; shop -> db { timeout 100ms; retries 2 }";
    let after = "group all { service store-front; store db }; client web; web -> store-front { timeout 1s }; \
                 store-front -> db { timeout 100ms; retries 2 }";
    let scene = versions(before, after);
    assert!(scene.nodes.iter().all(|node| !matches!(node.mark, Mark::New | Mark::Gone)), "{:?}", scene.nodes);
    assert!(scene.edges.iter().all(|edge| edge.mark == Mark::Same), "{:?}", scene.edges);
}

/// A plan of so many nodes in boxes, some of them in each other, with about twice as many edges.
fn random_plan(seed: u64, nodes: usize) -> Plan {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut below = |most: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % most as u64).unwrap()
    };
    let boxes = nodes / 5;
    let mut size =
        |wide: usize, high: usize| Size { width: 40.0 + below(wide) as f64, height: 20.0 + below(high) as f64 };
    let sizes: Vec<Size> = (0..nodes * 3).map(|_| size(120, 60)).collect();
    let groups = (0..boxes).map(|index| PlannedGroup {
        parent: (index > 0 && below(3) == 0).then(|| below(index)),
        title: Size { width: 60.0, height: 16.0 },
    });
    let groups: Vec<PlannedGroup> = groups.collect();
    let group = |below: &mut dyn FnMut(usize) -> usize| (boxes > 0 && below(4) > 0).then(|| below(boxes));
    let planned = (0..nodes).map(|index| PlannedNode { size: sizes[index], group: group(&mut below) }).collect();
    let edges = (0..nodes * 2).map(|index| PlannedEdge {
        from: below(nodes),
        to: below(nodes),
        label: (below(5) > 0).then(|| sizes[nodes + index]),
    });
    let edges = edges.collect();
    Plan { nodes: planned, groups, edges, ranks: Vec::new() }
}

#[test]
fn in_random_pictures_everything_has_a_place_of_its_own() {
    for seed in 1..60 {
        let plan = random_plan(seed, 3 + usize::try_from(seed).unwrap() / 3);
        let found = wrong(&plan, &layout(&plan), |node| format!("n{node}"));
        assert_eq!(found, [] as [String; 0], "seed {seed}");
    }
}
