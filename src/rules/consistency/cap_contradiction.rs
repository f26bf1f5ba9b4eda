//! What is to be available under a network partition, and consistent in a way that nothing available can be.

use crate::analysis::{Facts, Model};
use crate::diagnostic::{Diagnostic, Step};
use crate::metadata::Options;
use crate::model::{NodeId, OperationId, Stated};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let topology = facts.topology();
    let stores = topology.node_ids().filter(|id| topology.node(*id).kind == ElementKind::Store);
    let of_stores = stores.filter_map(|store| of_store(facts, store));
    let of_operations = topology.operation_ids().filter_map(|operation| of_operation(facts, operation));
    of_stores.chain(of_operations).collect()
}

fn of_store(facts: &Facts<'_>, store: NodeId) -> Option<Diagnostic> {
    let topology = facts.topology();
    let available = facts.cascade().node(store, Key::OnPartition).given().filter(is_available)?;
    let claimed = facts.cascade().node(store, Key::Model).given()?;
    let model = claimed.setting.words().find_map(Model::named).filter(|model| model.is_unavailable())?;
    let zones = facts.cascade().node(store, Key::Zones).given().map_or(0, |stated| stated.setting.names().count());
    // Which operation gives way is said of the operations themselves.
    let decided = |id: &OperationId| topology.operation(*id).settings.get(Key::OnPartition).is_some();
    if facts.is_single_copy(store) || zones == 1 || topology.node(store).operations.iter().any(decided) {
        return None;
    }
    let name = topology.node_name(store);
    let message = format!("`{name}` is to be available under a partition and to give `{}`: no store can", model.name());
    let mut diagnostic =
        contradiction(facts, name, message, [available, claimed], &format!("gives `{}`", model.name()));
    diagnostic.help = vec![
        format!("decide: `on-partition consistent` on `{name}`, and some requests are refused"),
        format!("or say which operation gives way: `on-partition available` on one operation of `{name}` alone"),
        format!("or promise less: `model causal` or weaker on `{name}`"),
    ];
    Some(diagnostic)
}

fn of_operation(facts: &Facts<'_>, operation: OperationId) -> Option<Diagnostic> {
    let topology = facts.topology();
    if matches!(topology.kind_of(operation), ElementKind::Store | ElementKind::Cache) {
        return None;
    }
    let available = facts.cascade().operation(operation, Key::OnPartition).given().filter(is_available)?;
    let needed = facts.cascade().operation(operation, Key::Needs).given()?;
    let needs = match needed.setting.words().find_map(Model::named) {
        Some(model) => model.is_unavailable().then(|| format!("`{}`", model.name()))?,
        None => format!("answers at most {} old", needed.setting.duration()?),
    };
    if topology.calls_from(operation).all(|call| !facts.is_awaited(call) || facts.is_local(call)) {
        return None;
    }
    let name = topology.operation_name(operation);
    let message = format!("`{name}` is to be available under a partition, and needs {needs}: both cannot be had");
    let mut diagnostic = contradiction(facts, &name, message, [available, needed], &format!("needs {needs}"));
    diagnostic.help = vec![
        format!("decide: `on-partition consistent` on `{name}`, and it refuses where it cannot know"),
        format!("or let it answer what it has: `needs causal` or weaker on `{name}`"),
    ];
    Some(diagnostic)
}

fn is_available(stated: &Stated<'_>) -> bool {
    stated.setting.says("available")
}

fn contradiction(facts: &Facts<'_>, name: &str, message: String, stated: [Stated<'_>; 2], claim: &str) -> Diagnostic {
    let [available, _] = stated;
    let span = prose::place(available).unwrap_or(facts.topology().scope(crate::model::ScopeId(0)).span);
    let mut diagnostic = Diagnostic::new(span, message).subject(name);
    diagnostic.cause = Some(name.to_owned());
    let texts = ["answers on both sides of a partition", claim];
    diagnostic.witness = stated
        .into_iter()
        .zip(texts)
        .filter_map(|(stated, text)| {
            let span = prose::place(stated)?;
            Some(Step { subject: name.to_owned(), span, text: text.to_owned(), value: None })
        })
        .collect();
    diagnostic.consequence = Some("cut off from the others, it has to refuse, or to answer what may be wrong".into());
    diagnostic
}
