//! How often edges cross in the pictures that are laid out here, and in those that an installed Graphviz lays out.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::format_collect, reason = "a test may fail")]

#[path = "generate/layered.rs"]
mod layered;
mod program;
mod support;

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Instant;

use layered::layered;
use program::tools::are_there;
use support::{ROOT, Texts, example_texts, scene};
use topolint::render::{self, Collapse, Scene, Theme, View};

type Way = Vec<(f64, f64)>;

/// How often the lines of a picture cross.
fn crossings(ways: &[Way]) -> usize {
    let side = |a: (f64, f64), b: (f64, f64), c: (f64, f64)| (b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0);
    let cross = |one: &[(f64, f64)], other: &[(f64, f64)]| {
        let (a, b, c, d) = (one[0], one[1], other[0], other[1]);
        side(a, b, c) * side(a, b, d) < 0.0 && side(c, d, a) * side(c, d, b) < 0.0
    };
    let span = |way: &Way| {
        let fold = |pick: fn(f64, f64) -> f64, start: f64| {
            way.iter().fold((start, start), |all, point| (pick(all.0, point.0), pick(all.1, point.1)))
        };
        (fold(f64::min, f64::MAX), fold(f64::max, f64::MIN))
    };
    let spans: Vec<_> = ways.iter().map(span).collect();
    let mut count = 0;
    for (index, one) in ways.iter().enumerate() {
        for (second, other) in ways.iter().enumerate().skip(index + 1) {
            let ((from, to), (start, end)) = (spans[index], spans[second]);
            if from.0 <= end.0 && start.0 <= to.0 && from.1 <= end.1 && start.1 <= to.1 {
                count += one.windows(2).map(|a| other.windows(2).filter(|b| cross(a, b)).count()).sum::<usize>();
            }
        }
    }
    count
}

fn ours(scene: &Scene) -> usize {
    let layout = render::layout(&render::plan(scene));
    let way = |edge: &render::Route| edge.samples().map(|point| (point.x, point.y)).collect();
    crossings(&layout.edges.iter().map(way).collect::<Vec<Way>>())
}

/// What an installed Graphviz makes of a scene.
fn graphviz(scene: &Scene, format: &str) -> Vec<u8> {
    let mut dot = Command::new("dot").arg(format).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut input, text) = (dot.stdin.take().unwrap(), render::dot(scene));
    let feeding = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let out = dot.wait_with_output().unwrap();
    feeding.join().unwrap().unwrap();
    out.stdout
}

fn of_graphviz(scene: &Scene) -> usize {
    let json: serde_json::Value = serde_json::from_slice(&graphviz(scene, "-Tjson")).unwrap();
    let point = |point: &serde_json::Value| (point[0].as_f64().unwrap(), point[1].as_f64().unwrap());
    let curves = |edge: &serde_json::Value| {
        let drawn = edge["_draw_"].as_array().cloned().unwrap_or_default();
        let curves = drawn.iter().filter(|step| step["op"] == "b");
        curves
            .flat_map(|step| sampled(&step["points"].as_array().unwrap().iter().map(point).collect::<Vec<_>>()))
            .collect()
    };
    let edges = json["edges"].as_array().cloned().unwrap_or_default();
    crossings(&edges.iter().map(curves).collect::<Vec<Way>>())
}

/// Points on cubic curves that follow each other.
fn sampled(points: &[(f64, f64)]) -> Way {
    let of = |part: f64, four: [f64; 4]| {
        let rest = 1.0 - part;
        let weights = [rest * rest * rest, 3.0 * rest * rest * part, 3.0 * rest * part * part, part * part * part];
        four.iter().zip(weights).map(|(point, weight)| point * weight).sum::<f64>()
    };
    let curve = |start: usize| {
        let four = [0, 1, 2, 3].map(|next| points[start + next]);
        (0..=12).map(move |step| {
            let part = f64::from(step) / 12.0;
            (of(part, four.map(|point| point.0)), of(part, four.map(|point| point.1)))
        })
    };
    (0..points.len().saturating_sub(3)).step_by(3).flat_map(curve).collect()
}

#[test]
fn lines_cross_hardly_more_often_than_those_of_graphviz() {
    let texts = example_texts();
    let roots = || texts.0.keys().filter(|path| path.rsplit_once('.').is_some_and(|(_, ending)| ending == "topo"));
    let drawn: Vec<(&String, Scene)> = roots().map(|root| (root, scene(&texts, root, &View::default()))).collect();
    let own: Vec<usize> = drawn.iter().map(|(_, scene)| ours(scene)).collect();
    // Graphviz 2.43 has 58: where it is not installed, at least that is known.
    assert!(own.iter().sum::<usize>() <= 40, "{own:?}");
    if !are_there(&["dot"]) {
        return;
    }
    let theirs: Vec<usize> = drawn.iter().map(|(_, scene)| of_graphviz(scene)).collect();
    for ((root, _), counts) in drawn.iter().zip(own.iter().zip(&theirs)).filter(|(_, counts)| *counts != (&0, &0)) {
        println!("{root}: {} crossings, {} of Graphviz", counts.0, counts.1);
    }
    let (own, theirs) = (own.iter().sum::<usize>(), theirs.iter().sum::<usize>());
    println!("{own} crossings, {theirs} of Graphviz");
    assert!(own * 10 <= theirs * 12, "{own} crossings, {theirs} of Graphviz");
}

/// Prints times, too: `cargo test --profile measured --test crossings -- --nocapture`.
#[test]
#[cfg_attr(debug_assertions, ignore = "large: in a release build")]
fn large_pictures_have_no_more_crossings_than_graphviz() {
    if !are_there(&["dot"]) {
        return;
    }
    for services in [22, 200] {
        let view = View { collapse: Collapse::Nothing, ..View::default() };
        let scene = scene(&Texts::one(layered(services)), ROOT, &view);
        let start = Instant::now();
        let drawn = render::svg(&scene, Theme::Auto).len();
        let (svg, start) = (start.elapsed(), Instant::now());
        let theirs = graphviz(&scene, "-Tsvg").len();
        let (dot, edges) = (start.elapsed(), scene.edges.len());
        println!("{services} nodes, {edges} edges: {drawn} bytes in {svg:?}; Graphviz {theirs} bytes in {dot:?}");
        let (ours, theirs) = (ours(&scene), of_graphviz(&scene));
        println!("  {ours} crossings; Graphviz {theirs}");
        assert!(ours * 5 <= theirs * 6, "{services} services: {ours} crossings, Graphviz has {theirs}");
    }
}
