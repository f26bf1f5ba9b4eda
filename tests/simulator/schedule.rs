//! What goes wrong, and when: for each call what becomes of the first request that is sent over it, of the second and so
//! on; for each operation how its first execution ends. Everything else that is open (jitter, branches, loops, how long
//! own work takes) is drawn from a seed, or always as long as it can be.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};
use std::rc::Rc;

use topolint::model::{CallId, OperationId};

use super::outage::Outage;
use super::random::Random;
use super::world::{Class, World};

/// What becomes of one request on its way and back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Play {
    /// The callee answers.
    Answer,
    /// It is answered at once, by somebody else.
    Echo,
    /// It never gets there, and the caller is told so.
    Refuse(Class),
    /// It never gets there, and nobody says so: a partition, a hang.
    Lose,
    /// The callee does all of it, and the answer is lost.
    LoseReply,
    /// The callee does all of it, and fails before it has said so.
    Crash(Class),
    /// Both ways take so many thousandths of the caller's wait.
    Slow(u64, u64),
    /// The answer comes at the last instant: a failure that is tried again as long as there are tries, then as said.
    Stall,
}

/// How an execution of an operation ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    Works,
    FailsAtOnce,
    /// When its own work is done.
    FailsAtWork,
    /// When its calls are done, too.
    FailsAtLast,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draw {
    Seed(u64),
    /// All that takes time takes as long as it can.
    Most,
    /// As short.
    Least,
}

#[derive(Clone, Debug)]
pub struct Schedule {
    pub plays: BTreeMap<CallId, Vec<Play>>,
    /// What becomes of all further requests.
    pub then: Play,
    pub own: BTreeMap<OperationId, Vec<Own>>,
    /// Fails at once, whenever it is executed.
    pub broken: Option<OperationId>,
    pub draw: Draw,
    /// The branches that are taken where one is to be taken, and the only calls that stall, if any are named.
    pub way: BTreeSet<CallId>,
    /// Further branches that are taken.
    pub taken: BTreeSet<CallId>,
    /// Calls that stall and fail even at their last try.
    pub failing: BTreeSet<CallId>,
    /// Calls that fail at once, whenever they are made.
    pub dead: BTreeSet<CallId>,
    /// The only operations whose own work takes time, if any are named.
    pub busy: Option<BTreeSet<OperationId>>,
    /// Whether a queue hands out again that does not say how often.
    pub redelivers: bool,
    /// Calls that somebody else answers at once.
    pub answered: BTreeSet<CallId>,
    /// Calls that are made as seldom as is stated.
    pub seldom: BTreeSet<CallId>,
    /// Calls that are not made.
    pub skipped: BTreeSet<CallId>,
    /// What is chosen where one thing is broken.
    pub choices: Option<Rc<Outage>>,
}

impl Schedule {
    pub fn healthy(draw: Draw) -> Self {
        Self {
            plays: BTreeMap::new(),
            then: Play::Answer,
            own: BTreeMap::new(),
            broken: None,
            draw,
            way: BTreeSet::new(),
            taken: BTreeSet::new(),
            failing: BTreeSet::new(),
            dead: BTreeSet::new(),
            busy: None,
            redelivers: false,
            answered: BTreeSet::new(),
            seldom: BTreeSet::new(),
            skipped: BTreeSet::new(),
            choices: None,
        }
    }

    /// Whether all takes as long as it can, and everything that is waited for answers at the last instant.
    pub fn hangs(&self) -> bool {
        self.draw == Draw::Most && self.busy.is_some()
    }

    /// Some calls and operations have bad luck, a few all the time.
    pub fn random(world: &World, seed: u64) -> Self {
        let mut random = Random::seeded(seed);
        let mut schedule = Self::healthy(Draw::Seed(seed));
        let luck = random.one_of(&[10, 40, 40, 80]);
        for id in world.call_ids().filter(|_| random.percent(luck)).collect::<Vec<_>>() {
            let count = random.up_to(6) + 1;
            schedule.plays.insert(id, (0..count).map(|_| play(&mut random)).collect());
        }
        for id in world.operation_ids().filter(|_| random.percent(luck / 4)).collect::<Vec<_>>() {
            let ends = [Own::Works, Own::FailsAtOnce, Own::FailsAtWork, Own::FailsAtLast];
            schedule.own.insert(id, (0..=random.up_to(4)).map(|_| random.one_of(&ends)).collect());
        }
        schedule.then =
            random.weighted(&[(6, Play::Answer), (1, Play::Lose), (1, Play::Slow(0, 999)), (2, Play::Stall)]);
        schedule.redelivers = random.percent(30);
        schedule
    }

    /// The same with a little less going wrong.
    pub fn smaller(&self) -> Vec<Self> {
        let mut all = vec![Self { then: Play::Answer, ..self.clone() }, Self { redelivers: false, ..self.clone() }];
        all.push(Self { draw: Draw::Most, ..self.clone() });
        for (id, plays) in &self.plays {
            let mut gone = self.clone();
            gone.plays.remove(id);
            all.push(gone);
            for at in 0..plays.len() {
                let mut calmer = self.clone();
                calmer.plays.get_mut(id).unwrap()[at] = Play::Answer;
                all.push(calmer);
            }
        }
        for id in self.own.keys() {
            let mut gone = self.clone();
            gone.own.remove(id);
            all.push(gone);
        }
        all.retain(|smaller| smaller.weight() < self.weight());
        all
    }

    fn weight(&self) -> usize {
        let plays: usize = self.plays.values().flatten().map(|play| if *play == Play::Answer { 1 } else { 3 }).sum();
        let rest = [self.then != Play::Answer, self.redelivers, self.draw != Draw::Most];
        plays + self.plays.len() + self.own.len() + rest.into_iter().filter(|it| *it).count()
    }

    /// As a list for people.
    pub fn written(&self, world: &World) -> String {
        let mut lines = Vec::new();
        for (id, plays) in &self.plays {
            let bad = plays.iter().enumerate().filter(|(_, play)| **play != Play::Answer);
            lines.extend(bad.map(|(at, play)| format!("{}: request {} {play}", world.call(*id).name, at + 1)));
        }
        for (id, ends) in &self.own {
            lines.push(format!("{}: its executions end like this: {ends:?}", world.operation(*id).name));
        }
        lines.extend(self.broken.map(|id| format!("{}: fails at once, always", world.operation(id).name)));
        let names = |calls: &BTreeSet<CallId>| {
            let names: Vec<&str> = calls.iter().map(|id| world.call(*id).name.as_str()).collect();
            names.join(", ")
        };
        let of = if self.way.is_empty() { String::new() } else { format!(" of {}", names(&self.way)) };
        lines.extend((self.then != Play::Answer).then(|| format!("every other request{of} {}", self.then)));
        lines.extend((!self.failing.is_empty()).then(|| format!("fail even at last: {}", names(&self.failing))));
        lines.extend((!self.taken.is_empty()).then(|| format!("are chosen: {}", names(&self.taken))));
        lines.extend((!self.dead.is_empty()).then(|| format!("fail at once: {}", names(&self.dead))));
        lines.extend((!self.answered.is_empty()).then(|| format!("are answered at once: {}", names(&self.answered))));
        lines.extend((!self.skipped.is_empty()).then(|| format!("are not made: {}", names(&self.skipped))));
        lines.push(match self.draw {
            _ if self.choices.is_some() => "what is open is chosen so that it is executed most often".to_owned(),
            Draw::Seed(seed) => format!("what is open is drawn from {seed}"),
            Draw::Most => "what is open takes as long as it can".to_owned(),
            Draw::Least => "what is open takes no longer than it must".to_owned(),
        });
        lines.join("\n")
    }
}

fn play(random: &mut Random) -> Play {
    let class = random.one_of(&Class::ALL);
    let some = random.up_to(1_000);
    random.weighted(&[
        (5, Play::Answer),
        (2, Play::Refuse(random_undone(class))),
        (2, Play::Lose),
        (3, Play::LoseReply),
        (3, Play::Crash(if class.may_be_done() && class != Class::Timeout { class } else { Class::Reset })),
        (2, Play::Slow(some, 999 - some)),
        (2, Play::Stall),
    ])
}

fn random_undone(class: Class) -> Class {
    if class.may_be_done() { Class::Refused } else { class }
}

impl Display for Play {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer => formatter.write_str("is answered"),
            Self::Echo => formatter.write_str("is answered at once"),
            Self::Refuse(class) => write!(formatter, "never gets there ({class:?})"),
            Self::Lose => formatter.write_str("is lost"),
            Self::LoseReply => formatter.write_str("is served, its answer lost"),
            Self::Crash(class) => write!(formatter, "is served, then fails ({class:?})"),
            Self::Slow(there, back) => write!(formatter, "takes {there} ‰ of the wait there and {back} ‰ back"),
            Self::Stall => formatter.write_str("is answered at the last instant"),
        }
    }
}
