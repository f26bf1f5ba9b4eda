//! Where the time of a picture goes: what it shows, where everything is, and how it is written. `cargo bench --bench
//! pictures` runs it.

use std::fmt::Write as _;

use topolint::analysis::Facts;
use topolint::config::Config;
use topolint::lint::{Terms, lint_facts};
use topolint::metadata::built_in_clients;
use topolint::model::{FileError, Files, Loader, lower};
use topolint::render::{self, Collapse, Scene, Theme, View};

fn main() {
    divan::main();
}

struct One(String);

impl Files for One {
    fn matching(&self, _: &str) -> Result<Vec<String>, FileError> {
        Ok(Vec::new())
    }

    fn read(&self, _: &str) -> Result<Vec<u8>, FileError> {
        Ok(self.0.clone().into_bytes())
    }
}

/// Services in layers of 20, in boxes of 10, each of which calls two of the next layers.
fn topology(services: usize) -> String {
    let mut text = String::new();
    for number in 0..services {
        if number % 10 == 0 {
            let _ = writeln!(text, "{}group g{number} {{", if number > 0 { "}\n" } else { "" });
        }
        let _ = writeln!(text, "service s{number} {{ operation read {{");
        for callee in [number + 20, number + 27 + number % 5].into_iter().filter(|callee| *callee < services) {
            let timeout = 50 + callee % 700;
            let _ = writeln!(text, "-> s{callee}.read {{ timeout {timeout}ms; retries {} }}", callee % 3);
        }
        text.push_str("} }\n");
    }
    text + "}\n"
}

/// Looks at what a picture is made of, and at how long it takes to make the scene.
fn with_scene(services: usize, collapse: Collapse, then: impl FnOnce(&dyn Fn() -> Scene)) {
    let files = One(topology(services));
    let mut loader = Loader::new(&files);
    let project = loader.project("bench.topo");
    let config = Config::default();
    let terms = Terms { config: &config, today: jiff::civil::date(2026, 11, 22), clients: built_in_clients() };
    let (topology, problems) = lower(&loader, &project, terms.clients);
    let facts = Facts::new(&topology, terms.clients);
    let outcome = lint_facts(&loader, &project, &facts, problems, &terms);
    let view = View { collapse, ..View::default() };
    then(&|| render::scene(&facts, &loader.sources, &outcome, &view));
}

const SIZES: [usize; 3] = [22, 200, 1_000];
const VERY_MANY: [usize; 1] = [10_000];

#[divan::bench(args = SIZES, sample_count = 10)]
fn placing(bencher: divan::Bencher<'_, '_>, services: usize) {
    with_scene(services, Collapse::Nothing, |scene| {
        let plan = render::plan(&scene());
        bencher.bench_local(|| render::layout(&plan));
    });
}

#[divan::bench(args = SIZES, sample_count = 10)]
fn drawing(bencher: divan::Bencher<'_, '_>, services: usize) {
    with_scene(services, Collapse::Nothing, |scene| bencher.bench_local(|| render::svg(&scene(), Theme::Auto)));
}

#[divan::bench(args = VERY_MANY, sample_count = 10)]
fn drawing_boxes(bencher: divan::Bencher<'_, '_>, services: usize) {
    with_scene(services, Collapse::Auto, |scene| bencher.bench_local(|| render::svg(&scene(), Theme::Auto)));
}
