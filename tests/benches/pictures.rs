//! Where the time of a picture goes: what it shows, where everything is, and how it is written. `cargo bench --bench
//! pictures` runs it.

#[path = "../generate/layered.rs"]
mod layered;
#[path = "../support/mod.rs"]
mod support;

use layered::layered;
use support::{ROOT, Texts};
use topolint::analysis::Facts;
use topolint::config::Config;
use topolint::lint::{Terms, lint_facts};
use topolint::metadata::built_in_clients;
use topolint::model::{Loader, lower};
use topolint::render::{self, Collapse, Scene, Theme, View};

fn main() {
    divan::main();
}

/// Looks at what a picture is made of, and at how long it takes to make the scene.
fn with_scene(services: usize, collapse: Collapse, then: impl FnOnce(&dyn Fn() -> Scene)) {
    let files = Texts::one(layered(services));
    let mut loader = Loader::new(&files);
    let project = loader.project(ROOT);
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
