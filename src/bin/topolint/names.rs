//! What a name on the command line means in a diagram.

use std::path::PathBuf;

use topolint::diagnostic::Problem;
use topolint::metadata::{Level, built_in_clients};
use topolint::model::{CallId, Loader, OperationId, Project, Topology, lower};
use topolint::rules::Rule;
use topolint::vocabulary::{did_you_mean, suggest};

use crate::arguments::Input;
use crate::check::{projects, wanted};
use crate::output::{self, Stop};

/// The topologies that a question is about. What keeps a part of their text from being read is said beside the answer.
pub(crate) fn topologies(paths: &[PathBuf], input: &Input) -> Result<Vec<Topology>, Stop> {
    let (folder, wanted) = wanted(paths, input)?;
    let mut loader = Loader::new(&folder);
    let projects = projects(&mut loader, &folder, &wanted)?;
    let read = projects.iter().map(|project| topology_with_mistakes(&loader, project));
    let (topologies, mistakes): (Vec<Topology>, Vec<usize>) = read.unzip();
    say_mistakes(mistakes.iter().sum());
    Ok(topologies)
}

/// What is wrong with a text is left out of an answer: that is said beside it.
pub(crate) fn say_mistakes(count: usize) {
    match count {
        0 => {}
        1 => output::notice("what 1 mistake in the text concerns is left out here; `topolint check` shows it"),
        many => {
            output::notice(&format!(
                "what {many} mistakes in the text concern is left out here; `topolint check` lists them"
            ));
        }
    }
}

/// A topology, and how many mistakes in its text keep a part of it from being read.
pub(crate) fn topology_with_mistakes(loader: &Loader<'_>, project: &Project) -> (Topology, usize) {
    let (topology, problems) = lower(loader, project, built_in_clients());
    let mistakes = mistakes(loader, project, &problems);
    (topology, mistakes)
}

/// How many of the problems of a project keep a part of its text from being read.
pub(crate) fn mistakes(loader: &Loader<'_>, project: &Project, problems: &[Problem]) -> usize {
    let is_error = |rule: &str| Rule::named(rule).is_some_and(|rule| rule.page().level == Level::Error);
    let of_text = loader.files_of(project).flat_map(|file| &file.problems);
    of_text.chain(problems).filter(|problem| is_error(problem.rule)).count()
}

/// What was probably meant by a name that means nothing in any of them.
pub(crate) fn meant(topologies: &[Topology], name: &str) -> String {
    let known: Vec<String> = topologies.iter().flat_map(elements).collect();
    let nodes = topologies.iter().flat_map(|topology| topology.node_ids().map(|node| topology.node_name(node)));
    did_you_mean(&suggest(name, known.iter().map(String::as_str).chain(nodes)))
        .unwrap_or_else(|| "`topolint facts` lists all operations and calls".to_owned())
}

/// The calls that `a->b` or `a:b` names; none if the text names no call at all.
pub(crate) fn calls_between(topology: &Topology, element: &str) -> Option<Vec<CallId>> {
    let ends = element.split_once("->>").or_else(|| element.split_once("->")).or_else(|| element.split_once(':'));
    let (from, to) = ends?;
    let (from, to) = (ends_of(topology, from.trim()), ends_of(topology, to.trim()));
    let arriving = |call: &CallId| to.contains(&topology.callee(*call)) && !topology.call(*call).implied;
    let mut calls: Vec<CallId> = from.iter().flat_map(|from| topology.calls_from(*from)).filter(arriving).collect();
    calls.sort_unstable();
    Some(calls)
}

/// The operations that an end of an arrow may mean: a queue or a store may be named alone.
pub(crate) fn ends_of(topology: &Topology, name: &str) -> Vec<OperationId> {
    let node = topology.node_named(name).map(|node| topology.node(node).operations.clone());
    node.or_else(|| topology.operation_named(name).map(|id| vec![id])).unwrap_or_default()
}

/// Names of all elements; a queue or a store may be named alone, so their operations count as well.
pub(crate) fn elements(topology: &Topology) -> Vec<String> {
    let operations = topology.operation_ids().map(|id| topology.operation_name(id));
    operations.chain(topology.call_ids().map(|id| topology.call_name(id))).collect()
}
