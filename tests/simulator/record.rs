//! What was observed in a run: how long everything took, how often, what changed and how often.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use topolint::model::{CallId, OperationId};

use super::clock::{Instant, NEVER};
use super::run::Run;
use super::world::World;

/// Where something changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Site {
    Own(OperationId),
    Write(CallId),
}

/// What takes time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// An operation as its caller sees it.
    Seen(OperationId),
    /// All of its work.
    Worked(OperationId),
    /// All attempts of a call.
    Called(CallId),
}

#[derive(Default)]
pub struct Record {
    /// The longest of each.
    pub times: BTreeMap<What, Instant>,
    pub executions: Vec<usize>,
    /// How often, for one step of the business request.
    pub effects: HashMap<(Site, u64), u32>,
    /// Writes that were made before.
    pub stored: HashSet<(CallId, u64)>,
    /// Callees that worked on when their caller had given up.
    pub outlived: BTreeSet<CallId>,
    /// Whether a key came again after it was forgotten.
    pub expired: bool,
    /// Whether somebody no longer waited for what was still to come.
    pub late: bool,
    /// Whether a repeat of a key was answered with what came of the first.
    pub stopped: bool,
    /// Whether more was going on than is played.
    pub exhausted: bool,
    /// When the request was answered, if ever.
    pub answered: Option<Instant>,
    pub over: bool,
    pub logs: bool,
    pub log: Vec<String>,
}

impl Record {
    pub fn new(world: &World, logs: bool) -> Self {
        Self { executions: vec![0; world.operations.len()], logs, ..Self::default() }
    }

    pub fn effect(&mut self, site: Site, path: u64) {
        *self.effects.entry((site, path)).or_default() += 1;
    }

    /// Effects that happened more than once.
    pub fn repeated(&self) -> BTreeSet<Site> {
        self.effects.iter().filter(|(_, count)| **count > 1).map(|((site, _), _)| *site).collect()
    }
}

/// Something that takes time, from now until this is dropped; without end if it is still there when nothing happens any
/// more.
pub struct Span {
    run: Rc<Run>,
    what: What,
    from: Instant,
    /// For whom it is done, and since when nobody waits for it.
    by: Option<(CallId, Rc<Cell<Option<Instant>>>)>,
}

impl Span {
    pub fn new(run: &Rc<Run>, what: What, by: Option<(CallId, Rc<Cell<Option<Instant>>>)>) -> Self {
        Self { run: Rc::clone(run), what, from: run.clock.now(), by }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        let (mut record, now) = (self.run.record.borrow_mut(), self.run.clock.now());
        let endless = record.over && !record.exhausted;
        let time = if endless { NEVER } else { now - self.from };
        let longest = record.times.entry(self.what).or_default();
        *longest = time.max(*longest);
        if let Some((call, gone)) = &self.by
            && gone.get().is_some_and(|gone| gone < now || endless)
        {
            record.outlived.insert(*call);
        }
    }
}
