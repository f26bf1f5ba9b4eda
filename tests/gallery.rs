//! Each example has a picture, and the picture is what `topolint render` writes today.
//! `UPDATE=1 cargo test --test gallery` draws them anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may stop")]

mod program;
mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use program::SURROUNDINGS;
use support::{Texts, example_texts, scene};
use topolint::render::{self, Theme, View};

const FOLDER: &str = "examples/pictures";

/// The names of the examples; what lies in the folder of an example is a part of it.
fn examples(texts: &Texts) -> Vec<String> {
    let names = texts.0.keys().filter_map(|path| path.strip_prefix("examples/")?.strip_suffix(".topo"));
    let is_part = |name: &str| {
        Path::new(name)
            .parent()
            .is_some_and(|folder| texts.0.contains_key(&format!("examples/{}.topo", folder.display())))
    };
    names.filter(|name| !is_part(name)).map(str::to_owned).collect()
}

/// All pictures on one page.
fn index(titles: &BTreeMap<String, String>) -> String {
    let mut page = String::from("# Pictures of the examples\n\nThey are what `topolint render` writes of each.\n");
    for (name, title) in titles {
        let _ = write!(page, "\n## {title}\n\n[{name}.topo](../{name}.topo)\n\n![{title}]({name}.svg)\n");
    }
    page
}

#[test]
fn every_example_has_the_picture_that_is_drawn_of_it() {
    let texts = example_texts();
    let (mut files, mut titles) = (BTreeMap::new(), BTreeMap::new());
    for name in examples(&texts) {
        let scene = scene(&texts, &format!("examples/{name}.topo"), &View::default());
        files.insert(format!("{FOLDER}/{name}.svg"), render::svg(&scene, Theme::Auto));
        titles.insert(name, scene.title);
    }
    assert!(files.len() > 30, "only {} examples", files.len());
    files.insert(format!("{FOLDER}/README.md"), index(&titles));
    let kept: Vec<&String> = texts.0.keys().filter(|path| path.starts_with(FOLDER)).collect();
    if std::env::var_os("UPDATE").is_some() {
        for path in kept.iter().filter(|path| !files.contains_key(path.as_str())) {
            fs::remove_file(path).unwrap();
        }
        for (path, content) in &files {
            fs::create_dir_all(Path::new(path).parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
    }
    let is_kept = |path: &String, content: &String| fs::read(path).is_ok_and(|kept| kept == content.as_bytes());
    let differing: Vec<&String> =
        files.iter().filter(|(path, content)| !is_kept(path, content)).map(|(path, _)| path).collect();
    assert!(differing.is_empty(), "`UPDATE=1 cargo test --test gallery` draws anew: {differing:?}");
    let stale: Vec<&String> =
        kept.into_iter().filter(|path| Path::new(path).exists() && !files.contains_key(path.as_str())).collect();
    assert!(stale.is_empty(), "pictures of what is no example any more: {stale:?}");
    assert!(drawn_by_the_program("examples/shop.topo") == files[&format!("{FOLDER}/shop.svg")]);
}

fn drawn_by_the_program(path: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_topolint"));
    for name in SURROUNDINGS {
        command.env_remove(name);
    }
    String::from_utf8(command.args(["render", path]).output().expect("the program").stdout).expect("text")
}
