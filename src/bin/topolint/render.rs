//! `topolint render`.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use topolint::analysis::Facts;
use topolint::lint::{Finding, Terms, lint_facts};
use topolint::metadata::built_in_clients;
use topolint::model::{Loader, NodeId, OperationId, Project, Topology, is_pattern, lower};
use topolint::render::{self, Collapse, Scene, View};
use topolint::source::{SourceMap, clean};
use topolint::vocabulary::{did_you_mean, suggest};

use crate::arguments::{Annotate, Engine, GroupBy, Picture, Render, Selection, Theme};
use crate::check::{projects, today, wanted_of};
use crate::compare::{Base, Run, compared_with};
use crate::configuration::configuration;
use crate::files::Folder;
use crate::names::{ends_of, mistakes, say_mistakes};
use crate::output::{self, Stop};
use crate::{graphviz, watch, written};

/// Nobody needs more pixels for one of the picture.
const MOST_SCALE: f64 = 32.0;

/// Without being asked to draw all, no more nodes are placed.
const MOST_NODES: usize = 2_000;

/// Draws a topology; the exit code.
pub(crate) fn run(render: &Render) -> Result<u8, Stop> {
    let format = format(render)?;
    if render.watch {
        if render.paths.iter().any(|path| path.as_os_str() == "-") {
            return Err("error: standard input is never saved\n  help: name files, or leave `--watch` out"
                .to_owned()
                .into());
        }
        return watch::run(|| {
            let mut files = render.paths.clone();
            files.extend(render.common.config.clone());
            let made = once(render, format, &mut files);
            (files, made)
        });
    }
    once(render, format, &mut Vec::new()).map(|()| 0)
}

/// Draws it, and tells which files it is made of.
fn once(render: &Render, format: Picture, files: &mut Vec<PathBuf>) -> Result<(), Stop> {
    let look = output::look(render.common.input.color);
    let mut folder = Folder::around(&render.paths, render.common.input.limits())?;
    let mut sources = SourceMap::default();
    let config = configuration(&render.common, &folder, &mut sources, look);
    files.extend(folder.configurations().chain(names(&sources)));
    let config = config?;
    let wanted = wanted_of(&render.paths, &mut folder, &config, &sources, look)?;
    let mut loader = Loader::new(&folder);
    loader.sources = sources;
    let projects = projects(&mut loader, &folder, &wanted);
    let included = loader.looked_up().filter(|path| !is_pattern(path)).map(|path| folder.full(path));
    files.extend(names(&loader.sources).chain(included));
    let projects = projects?;
    let [project] = projects.as_slice() else { return Err(several(&projects).into()) };
    let clients = built_in_clients();
    let run = Run {
        paths: &render.paths,
        common: &render.common,
        selection: &Selection::default(),
        folder: &folder,
        loader: &loader,
        wanted: &wanted,
        projects: std::slice::from_ref(project),
        baseline: None,
        look,
    };
    let terms = Terms { config: &config, today: render.today.unwrap_or_else(today), clients };
    let Some(reference) = &render.against else {
        let picture = one(render, run, project, &terms, format)?;
        return write(render, &folder, &loader.sources, &picture);
    };
    let (picture, sources) = both(render, run, project, &Base::named(run, reference)?, &terms, format)?;
    write(render, &folder, &sources, &picture)
}

fn write(render: &Render, folder: &Folder, made_of: &SourceMap, picture: &[u8]) -> Result<(), Stop> {
    match &render.output {
        None => output::write(|out| out.write_all(picture)),
        Some(path) => written::all(&[((), path.clone())], folder, made_of, |(), out| out.write_all(picture)),
    }
}

fn names(sources: &SourceMap) -> impl Iterator<Item = PathBuf> {
    sources.iter().map(|(_, source)| PathBuf::from(&source.name))
}

fn several(projects: &[Project]) -> String {
    const MOST: usize = 8;
    let names = projects.iter().map(|project| format!("`{}`", clean(&project.root)));
    let more = projects.len().saturating_sub(MOST);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let names = names.take(MOST).collect::<Vec<String>>().join(", ");
    let count = projects.len();
    format!("error: a picture shows one topology, and there are {count}\n  help: name one of them: {names}{more}")
}

/// A picture of what is there.
fn one(render: &Render, run: Run<'_>, project: &Project, terms: &Terms<'_>, format: Picture) -> Result<Vec<u8>, Stop> {
    let (topology, problems) = lower(run.loader, project, terms.clients);
    let mistakes = mistakes(run.loader, project, &problems);
    let facts = Facts::new(&topology, terms.clients);
    let outcome = lint_facts(run.loader, project, &facts, problems, terms);
    let asked = view(render, &topology)?;
    boxes_exist(&asked, &facts, &run.loader.sources)?;
    let mut scene = render::scene(&facts, &run.loader.sources, &outcome, &asked);
    say_mistakes(mistakes);
    let folded = scene.notes.iter().find(|note| note.contains("`--collapse none`"));
    if let Some(folded) = folded.filter(|_| asked.collapse == Collapse::Auto) {
        output::notice(folded);
    }
    if mistakes > 0 {
        scene.notes.push("what is wrong with the text is left out: `topolint check` shows it".to_owned());
    }
    let drawn = draw(render, format, scene, &facts, &run.loader.sources, &outcome.shown().collect::<Vec<_>>());
    if !render.watch {
        // The process ends: the system takes back everything at once, faster than piece by piece.
        std::mem::forget((outcome, facts));
        std::mem::forget(topology);
    }
    drawn
}

/// A picture of what is there, and of what was; and all texts that it is made of.
fn both(
    render: &Render,
    run: Run<'_>,
    project: &Project,
    base: &Base,
    terms: &Terms<'_>,
    format: Picture,
) -> Result<(Vec<u8>, SourceMap), Stop> {
    let (topology, _) = lower(run.loader, project, terms.clients);
    compared_with(run, base, terms, |loader, projects, found| {
        let now = Facts::new(&topology, terms.clients);
        let old: Vec<Topology> = projects.iter().map(|project| lower(&loader, project, terms.clients).0).collect();
        let same_root = projects.iter().position(|old| old.root == project.root);
        let index = same_root.or_else(|| old.iter().position(|old| old.name == topology.name)).unwrap_or(0);
        let nothing = Topology::default();
        let old = old.get(index).unwrap_or(&nothing);
        // A node or operation that is asked for is looked up by its name on either side.
        let (asked, was_asked) = (view(render, &topology), view(render, old));
        let asked = asked.map_err(|stop| if was_asked.is_ok() { only_there(render, base) } else { stop })?;
        let after = render::scene(&now, &loader.sources, &found.outcome, &asked);
        let was_asked = was_asked.unwrap_or(asked);
        let before = render::scene(&Facts::new(old, terms.clients), &loader.sources, &found.before, &was_asked);
        let scene = match found.topologies.first() {
            Some(change) => render::versions(&before, &after, change, &found),
            None => after,
        };
        let all: Vec<&Finding> = found.outcome.shown().chain(found.fixed_findings()).collect();
        let picture = draw(render, format, scene, &now, &loader.sources, &all)?;
        Ok((picture, loader.sources))
    })?
}

/// What is asked for went: its surroundings are drawn around what stayed.
fn only_there(render: &Render, base: &Base) -> Stop {
    let name = render.focus.as_deref().or(render.flow.as_deref()).unwrap_or_default();
    let help = "name something that is on both sides: what went from its surroundings is drawn, too";
    format!("error: `{}` is only in `{}`\n  help: {help}", clean(name), base.name()).into()
}

fn draw(
    render: &Render,
    format: Picture,
    scene: Scene,
    facts: &Facts<'_>,
    sources: &SourceMap,
    found: &[&Finding],
) -> Result<Vec<u8>, Stop> {
    let is_drawn = matches!(format, Picture::Svg | Picture::Png);
    if render.engine == Engine::Dot && !is_drawn {
        return Err("error: Graphviz draws SVG and PNG here\n  help: leave `--engine dot` out".to_owned().into());
    }
    let is_placed = is_drawn || matches!(format, Picture::Html | Picture::Json);
    if scene.nodes.len() > MOST_NODES && render.collapse != ["none"] && is_placed {
        return Err(too_many(scene.nodes.len()).into());
    }
    let scene = &if is_drawn || format == Picture::Html { thinned(scene) } else { scene };
    if render.engine == Engine::Dot {
        let name = if format == Picture::Png { "png" } else { "svg" };
        return graphviz::draw(render::dot(scene), name, render.scale, render.engine_timeout);
    }
    match format {
        Picture::Html => Ok(render::html(scene, facts, sources, found, theme(render)).into_bytes()),
        Picture::Svg => Ok(render::svg(scene, theme(render)).into_bytes()),
        Picture::Png => png(scene, render),
        Picture::Dot => Ok(render::dot(scene).into_bytes()),
        Picture::Mermaid => Ok(render::mermaid(scene).into_bytes()),
        Picture::D2 => Ok(render::d2(scene).into_bytes()),
        Picture::Json => {
            let mut out = Vec::new();
            render::scene_json(scene, &mut out).map_err(|error| format!("error: cannot write the scene: {error}"))?;
            Ok(out)
        }
    }
}

/// A scene as it is drawn; what is left out of it is said.
fn thinned(scene: Scene) -> Scene {
    let known = scene.notes.len();
    let scene = render::thinned(scene);
    for note in scene.notes.iter().skip(known) {
        output::notice(note);
    }
    scene
}

fn theme(render: &Render) -> render::Theme {
    match render.theme {
        Theme::Light => render::Theme::Light,
        Theme::Dark => render::Theme::Dark,
        Theme::Auto => render::Theme::Auto,
    }
}

fn too_many(nodes: usize) -> String {
    format!(
        "error: the picture would have {nodes} nodes, more than anybody reads\n  help: `--group-by owner` draws an owner as \
         one node, `--focus NODE:2` what is near a node, `--only-findings` what something is found on; `--collapse none` \
         draws each of them, which takes long"
    )
}

fn png(scene: &Scene, render: &Render) -> Result<Vec<u8>, Stop> {
    let svg = render::svg(scene, theme(render));
    if let [first, rest @ ..] = render::glyphless(&svg).as_slice() {
        let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
        output::notice(&format!("the font of PNG lacks `{first}`{more}: a box stands for each, and SVG shows them"));
    }
    render::png(&svg, render.scale).map_err(|error| {
        let help = match error.fitting(render.scale) {
            Some(scale) => format!("`--scale {scale}` fits, and SVG has no limit"),
            None => "choose a smaller `--scale`".to_owned(),
        };
        format!("error: {error}\n  help: {help}").into()
    })
}

/// The flag, then the ending of the file, then SVG.
fn format(render: &Render) -> Result<Picture, Stop> {
    if !(render.scale > 0.0 && render.scale <= MOST_SCALE) {
        let help = format!("choose a factor above 0, {MOST_SCALE} at most");
        return Err(format!("error: nothing is drawn `--scale {}` times as large\n  help: {help}", render.scale).into());
    }
    let ending = render.output.as_deref().and_then(Path::extension).map(|ending| ending.to_string_lossy());
    let Some(ending) = ending.filter(|_| render.format.is_none()) else {
        return Ok(render.format.unwrap_or(Picture::Svg));
    };
    let unknown = || {
        let ending = clean(&ending).into_owned();
        format!(
            "error: no picture ends with `.{ending}`\n  help: write to .svg, .png, .html, .dot, .mmd, .d2 or .json, or say `--format`"
        )
    };
    Ok(Picture::of_ending(&ending).ok_or_else(unknown)?)
}

fn view(render: &Render, topology: &Topology) -> Result<View, Stop> {
    let focus = render.focus.as_deref().map(|text| focus(text, topology)).transpose()?;
    let flow = render.flow.as_deref().map(|name| flow(name, topology)).transpose()?;
    let collapse = match render.collapse.as_slice() {
        [word] if word == "auto" => Collapse::Auto,
        [word] if word == "none" => Collapse::Nothing,
        [word] if word == "all" => Collapse::All,
        names => Collapse::Only(names.to_vec()),
    };
    Ok(View {
        annotate: match render.annotate {
            Annotate::None => render::Annotate::Nothing,
            Annotate::Numbers => render::Annotate::Numbers,
            Annotate::Findings => render::Annotate::Findings,
            Annotate::All => render::Annotate::All,
        },
        focus,
        only_findings: render.only_findings,
        flow,
        group_by: match render.group_by {
            GroupBy::Group => render::GroupBy::Group,
            GroupBy::Owner => render::GroupBy::Owner,
            GroupBy::Region => render::GroupBy::Region,
            GroupBy::Zone => render::GroupBy::Zone,
            GroupBy::Trust => render::GroupBy::Trust,
        },
        collapse,
    })
}

/// Refuses to draw boxes as nodes that there are not.
fn boxes_exist(view: &View, facts: &Facts<'_>, sources: &SourceMap) -> Result<(), Stop> {
    let Collapse::Only(names) = &view.collapse else { return Ok(()) };
    let known = render::boxes(facts, sources, view.group_by);
    let Some(unknown) = names.iter().find(|name| !known.contains(*name)) else { return Ok(()) };
    let help = did_you_mean(&suggest(unknown, known.iter().map(String::as_str)));
    let first: Vec<&str> = known.iter().take(8).map(String::as_str).collect();
    let help = help.unwrap_or_else(|| match first.as_slice() {
        [] => "there are no boxes here: `--group-by owner` makes some".to_owned(),
        first => format!("there are `{}`", clean(&first.join("`, `"))),
    });
    Err(format!("error: there is no box `{}`\n  help: {help}", clean(unknown)).into())
}

/// `orders` or `orders:2`.
fn focus(text: &str, topology: &Topology) -> Result<(NodeId, usize), Stop> {
    let (name, depth) = text.rsplit_once(':').unwrap_or((text, "1"));
    if name.is_empty() {
        return Err("error: `--focus` names no node\n  help: write `--focus orders` or `--focus orders:2`"
            .to_owned()
            .into());
    }
    let depth = depth.parse().map_err(|_| {
        format!("error: `--focus {}` states no depth\n  help: write `--focus {}:2`", clean(text), clean(name))
    })?;
    let nodes = || topology.node_ids().map(|node| topology.node_name(node));
    let unknown = || {
        let help = did_you_mean(&suggest(name, nodes()));
        let help = help.unwrap_or_else(|| "`topolint facts` lists what there is".to_owned());
        format!("error: there is no node `{}`\n  help: {help}", clean(name))
    };
    Ok((topology.node_named(name).ok_or_else(unknown)?, depth))
}

/// An operation, or the only one of a node.
fn flow(name: &str, topology: &Topology) -> Result<OperationId, Stop> {
    match ends_of(topology, name).as_slice() {
        [operation] => Ok(*operation),
        [] => {
            let names: Vec<String> = topology.operation_ids().map(|id| topology.operation_name(id)).collect();
            let help = did_you_mean(&suggest(name, names.iter().map(String::as_str)));
            let help = help.unwrap_or_else(|| "`topolint facts` lists all operations".to_owned());
            Err(format!("error: there is no operation `{}`\n  help: {help}", clean(name)).into())
        }
        several => {
            let names: Vec<String> = several.iter().take(5).map(|id| topology.operation_name(*id)).collect();
            let help = format!("name one, such as `{}`", names.join("`, `"));
            Err(format!("error: `{}` has {} operations\n  help: {help}", clean(name), several.len()).into())
        }
    }
}
