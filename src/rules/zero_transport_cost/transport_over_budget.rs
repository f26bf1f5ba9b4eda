//! Bytes that cost more to move than was meant to be spent.

use std::collections::BTreeMap;

use crate::analysis::{Facts, Traffic};
use crate::diagnostic::{Certainty, Diagnostic, Step};
use crate::metadata::{Options, TransportPrice, built_in_prices};
use crate::model::{CallId, NodeId, ScopeId, Setting};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let topology = facts.topology();
    let drawn: Vec<CallId> =
        topology.call_ids().filter(|call| !topology.call(*call).implied && facts.is_made(*call)).collect();
    // The calls that leave from inside of a box: each is in no more boxes than lie in each other.
    let mut inside: BTreeMap<ScopeId, Vec<CallId>> = BTreeMap::new();
    for call in &drawn {
        let around = topology.outwards(topology.node(topology.caller_node(*call)).scope);
        for id in around.filter(|id| topology.scope(*id).settings.get(Key::CostBudget).is_some()) {
            inside.entry(id).or_default().push(*call);
        }
    }
    let budgets = inside.into_iter().filter_map(|(id, calls)| {
        let row = topology.scope(id);
        let name = row.name.map_or(topology.name.as_str(), |name| topology.text(name));
        Some((name.to_owned(), row.settings.get(Key::CostBudget)?, calls))
    });
    let calls = drawn.iter().filter_map(|call| {
        let stated = facts.cascade().call(*call, &[Key::CostBudget]).given()?;
        Some((prose::call(facts, *call), stated.setting, vec![*call]))
    });
    budgets.chain(calls).filter_map(|(name, stated, calls)| finding(facts, &name, stated, &calls)).collect()
}

/// What the transport of one call costs.
struct Cost {
    call: CallId,
    per_second: f64,
    share: f64,
    price: Price,
}

enum Price {
    Stated,
    Listed(&'static TransportPrice),
}

fn cost(facts: &Facts<'_>, call: CallId, currency: &str) -> Option<Cost> {
    let topology = facts.topology();
    if facts.is_local(call) {
        return None;
    }
    let [from, to] = [topology.caller(call), topology.callee(call)].map(|operation| topology.node_id_of(operation));
    let (regions, _, share) = facts.places_apart(from, to)?;
    let stated = facts.crossing(call).and_then(|crossing| crossing.link.settings.get(Key::Price));
    let (per_byte, price) = if let Some(stated) = stated {
        let same = stated.word().is_some_and(|word| topology.text(word) == currency);
        (stated.money().filter(|_| same)?, Price::Stated)
    } else {
        let listed = listed(facts, from, to, regions).filter(|listed| listed.currency == currency)?;
        (listed.per_byte, Price::Listed(listed))
    };
    #[allow(clippy::cast_precision_loss, reason = "a number of bytes, as a factor")]
    let bytes = facts.bytes(call).all() as f64;
    let per_second = facts.call_rate(call, Traffic::Usual).per_second * bytes * share * per_byte;
    (per_second > 0.0).then_some(Cost { call, per_second, share, price })
}

/// What the provider of both ends charges.
fn listed(facts: &Facts<'_>, from: NodeId, to: NodeId, regions: bool) -> Option<&'static TransportPrice> {
    let topology = facts.topology();
    let provider = |node| Some(topology.text(facts.cascade().node(node, Key::Provider).given()?.setting.word()?));
    let (one, other) = (provider(from)?, provider(to)?);
    let fits = |row: &&TransportPrice| {
        row.regions == regions && row.provider.eq_ignore_ascii_case(one) && row.provider.eq_ignore_ascii_case(other)
    };
    built_in_prices().iter().find(fits)
}

const MONTH: f64 = 2_592_000.0;

fn finding(facts: &Facts<'_>, name: &str, stated: &Setting, calls: &[CallId]) -> Option<Diagnostic> {
    let topology = facts.topology();
    let currency = topology.text(stated.word()?);
    let budget = stated.money()?;
    let mut costs: Vec<Cost> = calls.iter().filter_map(|call| cost(facts, *call, currency)).collect();
    let all: f64 = costs.iter().map(|cost| cost.per_second).sum();
    if all <= budget {
        return None;
    }
    costs.sort_by(|one, other| {
        other
            .per_second
            .total_cmp(&one.per_second)
            .then_with(|| facts.call_rank(one.call).cmp(&facts.call_rank(other.call)))
    });
    // What holds without the prices that were only read somewhere, and without guessing which zone answers.
    let sure = |keep: &dyn Fn(&Cost) -> bool| {
        costs.iter().filter(|cost| keep(cost)).map(|cost| cost.per_second).sum::<f64>() > budget
    };
    let is_stated = |cost: &Cost| matches!(cost.price, Price::Stated);
    let certainty = if sure(&|cost| is_stated(cost) && cost.share >= 1.0) {
        Certainty::Proved
    } else if sure(&is_stated) {
        Certainty::Possible
    } else {
        Certainty::Heuristic
    };
    let (spent, meant) = (prose::number(all * MONTH), prose::number(budget * MONTH));
    let message = format!("the transport of `{name}` costs {spent} {currency} in 30 days, and {meant} are budgeted");
    let mut diagnostic = Diagnostic::new(stated.span, message).at(format!("{meant} {currency} in 30 days"));
    diagnostic.certainty = certainty;
    diagnostic.witness = costs.iter().take(6).map(|cost| step(facts, cost, currency)).collect();
    diagnostic.help = vec![
        "call what is in the same zone or region, where there is something: it costs nothing".to_owned(),
        "or send less: smaller answers, compressed, fewer calls".to_owned(),
        "or state what is really paid: `price` in `network`, or the `cost-budget`".to_owned(),
    ];
    let listed = costs.iter().find_map(|cost| if let Price::Listed(listed) = cost.price { Some(listed) } else { None });
    if let Some(listed) = listed {
        diagnostic.help.push(format!(
            "{} charges {} ({}), read {} in {}",
            listed.title, listed.written, listed.meaning, listed.date, listed.source
        ));
    }
    if costs.iter().any(|cost| cost.share < 1.0) {
        diagnostic.consequence =
            Some("counted as if each instance calls all zones alike: which zone answers is not stated".into());
    }
    diagnostic.cause = Some(format!("cost-budget {name}"));
    Some(diagnostic)
}

fn step(facts: &Facts<'_>, cost: &Cost, currency: &str) -> Step {
    let topology = facts.topology();
    let rate = prose::rate(facts.call_rate(cost.call, Traffic::Usual).per_second);
    let size = prose::size(facts.bytes(cost.call).all());
    let share = match cost.share {
        share if share < 1.0 => format!(" × {} % that cross", prose::number(share * 100.0)),
        _ => String::new(),
    };
    let text = format!("{rate} × {size}{share}: {} {currency}", prose::number(cost.per_second * MONTH));
    Step { subject: topology.call_name(cost.call), span: topology.call(cost.call).span, text, value: None }
}
