//! `topolint render`.

use std::io::Write as _;
use std::path::Path;

use topolint::analysis::Facts;
use topolint::lint::{Outcome, Terms, lint};
use topolint::metadata::built_in_clients;
use topolint::model::{Loader, Topology, lower};
use topolint::render::{self, Collapse, Scene, View};
use topolint::source::SourceMap;

use crate::arguments::{Annotate, GroupBy, Picture, Render, Selection, Theme};
use crate::check::{projects, today, wanted_of};
use crate::compare::{Base, Run, compared_with};
use crate::configuration::configuration;
use crate::files::Folder;
use crate::output::{self, Stop};
use crate::written;

/// Draws a topology; the exit code.
pub(crate) fn run(render: &Render) -> Result<u8, Stop> {
    let look = output::look(render.common.input.color);
    let format = format(render)?;
    let mut folder = Folder::around(&render.paths, render.common.input.max_file_size)?;
    let mut sources = SourceMap::default();
    let config = configuration(&render.common, &folder, &mut sources, look)?;
    let wanted = wanted_of(&render.paths, &mut folder, &config, &sources, look)?;
    let mut loader = Loader::new(&folder);
    loader.sources = sources;
    let projects = projects(&mut loader, &folder, &wanted)?;
    let [project] = projects.as_slice() else {
        let names: Vec<&str> = projects.iter().map(|project| project.root.as_str()).collect();
        return Err(format!(
            "error: a picture shows one topology, and there are {}: {}\n  help: name one of them",
            names.len(),
            names.join(", ")
        )
        .into());
    };
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
    let picture = match &render.against {
        None => one(render, run, &terms, format)?,
        Some(reference) => both(render, run, &Base::named(run, reference)?, &terms, format)?,
    };
    match &render.output {
        None => output::write(|out| out.write_all(&picture))?,
        Some(path) => written::all(&[((), path.clone())], |(), out| out.write_all(&picture))?,
    }
    Ok(0)
}

/// A picture of what is there.
fn one(render: &Render, run: Run<'_>, terms: &Terms<'_>, format: Picture) -> Result<Vec<u8>, Stop> {
    let Some(project) = run.projects.first() else { return Ok(Vec::new()) };
    let outcome = lint(run.loader, run.projects, terms);
    let (topology, _) = lower(run.loader, project, terms.clients);
    let facts = Facts::new(&topology, terms.clients);
    let scene = render::scene(&facts, &run.loader.sources, &outcome, &view(render, &topology)?);
    draw(render, format, &scene, &facts, &run.loader.sources, &outcome)
}

/// A picture of what is there, and of what was.
fn both(render: &Render, run: Run<'_>, base: &Base, terms: &Terms<'_>, format: Picture) -> Result<Vec<u8>, Stop> {
    let Some(project) = run.projects.first() else { return Ok(Vec::new()) };
    let (topology, _) = lower(run.loader, project, terms.clients);
    let asked = view(render, &topology)?;
    compared_with(run, base, terms, |loader, projects, found| {
        let now = Facts::new(&topology, terms.clients);
        let after = render::scene(&now, &loader.sources, &found.outcome, &asked);
        let old: Vec<Topology> = projects.iter().map(|project| lower(&loader, project, terms.clients).0).collect();
        let same_root = projects.iter().position(|old| old.root == project.root);
        let index = same_root.or_else(|| old.iter().position(|old| old.name == topology.name)).unwrap_or(0);
        let nothing = Topology::default();
        let old = old.get(index).unwrap_or(&nothing);
        // A node or operation that is asked for is looked up by its name on the other side, too.
        let asked = view(render, old).unwrap_or(asked);
        let before = render::scene(&Facts::new(old, terms.clients), &loader.sources, &found.before, &asked);
        let scene = match found.topologies.first() {
            Some(change) => render::versions(&before, after, change, &found),
            None => after,
        };
        draw(render, format, &scene, &now, &loader.sources, &found.outcome)
    })?
}

fn draw(
    render: &Render,
    format: Picture,
    scene: &Scene,
    facts: &Facts<'_>,
    sources: &SourceMap,
    outcome: &Outcome,
) -> Result<Vec<u8>, Stop> {
    match format {
        Picture::Html => Ok(render::html(scene, facts, sources, outcome, theme(render)).into_bytes()),
        Picture::Svg => Ok(render::svg(scene, theme(render)).into_bytes()),
        Picture::Png => png(scene, render),
    }
}

fn theme(render: &Render) -> render::Theme {
    match render.theme {
        Theme::Light => render::Theme::Light,
        Theme::Dark => render::Theme::Dark,
        Theme::Auto => render::Theme::Auto,
    }
}

fn png(scene: &Scene, render: &Render) -> Result<Vec<u8>, Stop> {
    let svg = render::svg(scene, theme(render));
    render::png(&svg, render.scale)
        .map_err(|error| format!("error: {error}\n  help: choose a smaller `--scale`").into())
}

/// The flag, then the ending of the file, then SVG.
fn format(render: &Render) -> Result<Picture, Stop> {
    let ending = render.output.as_deref().and_then(Path::extension).map(|ending| ending.to_string_lossy());
    match (render.format, ending.as_deref()) {
        (Some(format), _) => Ok(format),
        (None, None | Some("svg")) => Ok(Picture::Svg),
        (None, Some("png")) => Ok(Picture::Png),
        (None, Some("html" | "htm")) => Ok(Picture::Html),
        (None, Some(other)) => {
            Err(format!("error: no picture ends with `.{other}`\n  help: write to `.svg`, `.png` or `.html`").into())
        }
    }
}

fn view(render: &Render, topology: &Topology) -> Result<View, Stop> {
    let focus = render.focus.as_deref().map(|text| {
        let (name, depth) = text.rsplit_once(':').unwrap_or((text, "1"));
        let depth = depth
            .parse()
            .map_err(|_| format!("error: `--focus {text}` states no depth\n  help: write `--focus {name}:2`"))?;
        let node = topology.node_named(name).ok_or_else(|| format!("error: there is no node `{name}`"))?;
        Ok::<_, String>((node, depth))
    });
    let flow = render
        .flow
        .as_deref()
        .map(|name| topology.operation_named(name).ok_or_else(|| format!("error: there is no operation `{name}`")));
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
        focus: focus.transpose()?,
        only_findings: render.only_findings,
        flow: flow.transpose()?,
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
