//! Where the time goes: parsing, lowering, linting and reporting of one large file. `cargo bench` runs it.

#[path = "../generate/large.rs"]
mod large;
#[path = "../oracle/random.rs"]
mod random;
#[path = "../support/mod.rs"]
mod support;

use divan::counter::BytesCount;
use large::Large;
use support::{ROOT, Texts};
use topolint::config::Config;
use topolint::lint::{Terms, lint};
use topolint::metadata::built_in_clients;
use topolint::model::{Loader, lower};
use topolint::report::{Look, concise, human, json};
use topolint::source::SourceMap;
use topolint::syntax::parse;

fn main() {
    divan::main();
}

fn topology(services: usize) -> String {
    Large::of(services, 7).one_file()
}

const SIZES: [usize; 2] = [1_000, 10_000];

#[divan::bench(args = SIZES, sample_count = 10)]
fn parsing(bencher: divan::Bencher<'_, '_>, services: usize) {
    let text = topology(services);
    let mut sources = SourceMap::default();
    let id = sources.add("bench.topo", text.clone());
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| parse(&sources, id));
}

#[divan::bench(args = SIZES, sample_count = 10)]
fn lowering(bencher: divan::Bencher<'_, '_>, services: usize) {
    let text = topology(services);
    let files = Texts::one(text.as_str());
    let mut loader = Loader::new(&files);
    let project = loader.project(ROOT);
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| lower(&loader, &project, built_in_clients()));
}

#[divan::bench(args = SIZES, sample_count = 10)]
fn lowering_and_linting(bencher: divan::Bencher<'_, '_>, services: usize) {
    let text = topology(services);
    let files = Texts::one(text.as_str());
    let config = Config::default();
    let terms = Terms { config: &config, today: jiff::civil::date(2026, 11, 22), clients: built_in_clients() };
    let loaded = || {
        let mut loader = Loader::new(&files);
        let project = [loader.project(ROOT)];
        (loader, project)
    };
    let bencher = bencher.counter(BytesCount::of_str(&text)).with_inputs(loaded);
    bencher.bench_local_refs(|(loader, project)| lint(loader, project, &terms));
}

#[divan::bench(args = SIZES, sample_count = 5)]
fn reporting(bencher: divan::Bencher<'_, '_>, services: usize) {
    let text = topology(services);
    let files = Texts::one(text.as_str());
    let mut loader = Loader::new(&files);
    let project = [loader.project(ROOT)];
    let config = Config::default();
    let terms = Terms { config: &config, today: jiff::civil::date(2026, 11, 22), clients: built_in_clients() };
    let outcome = lint(&mut loader, &project, &terms);
    bencher.bench_local(|| {
        let people = (concise(&loader.sources, &outcome), human(&loader.sources, &outcome, Look::default(), false));
        (people, json(&loader.sources, &outcome, &mut std::io::sink()))
    });
}
