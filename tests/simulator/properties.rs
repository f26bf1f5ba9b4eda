//! What has to hold between what is said of a topology and what happens when it runs.

use std::collections::BTreeSet;
use std::rc::Rc;

use topolint::analysis::{Count, EffectSite, Extent, Facts};

use super::clock::NEVER;
use super::record::{Record, Site, What};
use super::run::play;
use super::schedule::Schedule;
use super::world::World;

/// What is said of a topology, looked up once.
pub struct Said {
    pub world: Rc<World>,
    exposed: BTreeSet<Site>,
    bounds: Vec<Option<u64>>,
    /// Whether a queue hands out again without saying how often: the bound counts the stated deliveries.
    open_ended: bool,
}

impl Said {
    pub fn of(facts: &Facts<'_>) -> Self {
        let world = Rc::new(World::read(facts.topology()));
        let site = |site| match site {
            EffectSite::Operation(id) => Site::Own(id),
            EffectSite::Write(id) => Site::Write(id),
        };
        let finite = |count: Count| count.finite();
        Self {
            exposed: facts.exposed().iter().map(|exposed| site(exposed.site)).collect(),
            bounds: world.operation_ids().map(|id| finite(facts.executions(id).bound)).collect(),
            open_ended: world.calls.iter().any(|call| call.open_ended),
            world,
        }
    }

    /// What a run shows to be wrong.
    pub fn wrong(&self, facts: &Facts<'_>, schedule: &Schedule, record: &Record) -> Vec<String> {
        let mut wrong = Vec::new();
        for (what, took) in &record.times {
            let (name, bound) = self.bound(facts, *what);
            if let Some(bound) = bound.filter(|bound| took > bound) {
                wrong.push(format!("{name} took {}, at most {} was proved", shown(*took), shown(bound)));
            }
        }
        for (id, count) in record.executions.iter().enumerate() {
            let bound = self.bounds[id].filter(|_| !(self.open_ended && schedule.redelivers));
            if let Some(bound) = bound.filter(|bound| *count as u64 > *bound) {
                let name = &self.world.operations[id].name;
                wrong.push(format!("{name} was executed {count} times, at most {bound} was proved"));
            }
        }
        for site in record.repeated().difference(&self.exposed).filter(|_| !record.expired) {
            wrong.push(format!("{} had its effect twice, which is not reported", self.name(*site)));
        }
        wrong
    }

    pub fn name(&self, site: Site) -> &str {
        match site {
            Site::Own(id) => &self.world.operation(id).name,
            Site::Write(id) => &self.world.call(id).name,
        }
    }

    /// The time that is proved not to be exceeded.
    pub fn bound(&self, facts: &Facts<'_>, what: What) -> (String, Option<u64>) {
        let times = facts.times();
        let operation = |id| self.world.operation(id).name.clone();
        let (name, time) = match what {
            What::Seen(id) => (operation(id), times.operation(id)),
            What::Worked(id) => (format!("the work of {}", operation(id)), times.work(id)),
            What::Called(id) if self.world.call(id).waits => (self.world.call(id).name.clone(), times.call(facts, id)),
            What::Called(_) => return (String::new(), None),
        };
        (name, time.at_most.map(nanoseconds))
    }

    /// Plays all roots under schedules of these seeds, and says what is wrong under the first that shows it.
    pub fn first_wrong(&self, facts: &Facts<'_>, seeds: impl Iterator<Item = u64>) -> (u64, Option<Wrong>) {
        let mut played = 0;
        for seed in seeds {
            let schedule = Schedule::random(&self.world, seed);
            for root in &self.world.roots {
                let record = play(&self.world, &schedule, *root, NEVER, false);
                played += 1;
                let wrong = self.wrong(facts, &schedule, &record);
                if !wrong.is_empty() {
                    return (played, Some(self.shrunk(facts, Wrong { schedule, root: *root, shows: wrong })));
                }
            }
        }
        (played, None)
    }

    /// The same disagreement with less going wrong, as long as there is one.
    fn shrunk(&self, facts: &Facts<'_>, wrong: Wrong) -> Wrong {
        let smaller = wrong.schedule.smaller().into_iter().find_map(|schedule| {
            let record = play(&self.world, &schedule, wrong.root, NEVER, false);
            let again = self.wrong(facts, &schedule, &record);
            (!again.is_empty()).then_some(Wrong { schedule, root: wrong.root, shows: again })
        });
        smaller.map_or(wrong, |smaller| self.shrunk(facts, smaller))
    }

    /// A disagreement for people: what was said, what goes wrong, and what then happens.
    pub fn report(&self, wrong: &Wrong) -> String {
        let record = play(&self.world, &wrong.schedule, wrong.root, NEVER, true);
        let schedule = wrong.schedule.written(&self.world);
        let root = &self.world.operation(wrong.root).name;
        let log: Vec<String> = record.log.into_iter().take(60).collect();
        format!("{}\n\nfrom {root}:\n{schedule}\n\n{}", wrong.shows.join("\n"), log.join("\n"))
    }
}

/// A schedule under which something happens that was said not to.
pub struct Wrong {
    pub schedule: Schedule,
    pub root: topolint::model::OperationId,
    pub shows: Vec<String>,
}

pub fn nanoseconds(extent: Extent) -> u64 {
    extent.finite().map_or(NEVER, topolint::model::Duration::nanoseconds)
}

pub fn shown(time: u64) -> String {
    if time >= NEVER { "for ever".to_owned() } else { topolint::model::Duration::from_nanoseconds(time).to_string() }
}
