//! A topology as it runs: what is stated of each operation and call, in nanoseconds. Knows the rulings and no analysis.

use std::rc::Rc;

use topolint::model::{CallId, OperationId};
use topolint::vocabulary::ElementKind;

use super::clock::Instant;

/// How a call can fail. What lies before `Reset` means that nothing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Connect,
    Refused,
    Throttled,
    Reset,
    Timeout,
    Unavailable,
    Cancelled,
    Conflict,
    Error,
}

/// A set of classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Classes(pub u16);

/// A bound: known, known not to be there, or not stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    Is(Instant),
    None,
    Unsaid,
}

#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    pub first: Instant,
    pub cap: Instant,
    pub jitter: &'static str,
}

/// A proxy in between that tries again.
#[derive(Clone, Debug)]
pub struct Layer {
    pub tries: u64,
    pub classes: Classes,
    pub backoff: Option<Backoff>,
}

/// Which key a call sends; nothing where that is not stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySent {
    None,
    PerAttempt,
    PerRequest,
    Forwarded,
    /// Made from the business request: the same whenever it is made again.
    Derived,
}

#[derive(Clone, Debug)]
pub enum Step {
    Call(CallId),
    Group(Shape, Rc<[Step]>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Sequence,
    Parallel(usize),
    OneOf,
}

#[derive(Clone, Debug)]
pub enum Otherwise {
    Fails,
    GoesOn,
    Calls(Rc<[Step]>),
}

#[derive(Debug)]
pub struct Call {
    pub name: String,
    pub from: OperationId,
    pub to: OperationId,
    pub made: bool,
    pub waits: bool,
    pub local: bool,
    /// What an arrow to a whole store may mean: no call of its own.
    pub implied: bool,
    /// A read of a store after one of its cache: only on a miss.
    pub miss: bool,
    pub timeout: Bound,
    pub connect: Bound,
    pub cut: Instant,
    pub pool_wait: Instant,
    pub deadline: Instant,
    pub inherits: bool,
    /// All tries; `u64::MAX` without end. Of a delivery, how often the queue hands the message out.
    pub tries: u64,
    pub backoff: Option<Backoff>,
    pub classes: Classes,
    /// Copies, and the time between them.
    pub hedge: Option<(u64, Instant)>,
    pub times: (u64, u64),
    pub chance: f64,
    pub otherwise: Otherwise,
    pub layers: Vec<Layer>,
    pub key: Option<KeySent>,
    /// A delivery by a queue: after how long a message is handed out again, and where it goes at last.
    pub delivery: bool,
    pub dead_letter: Option<OperationId>,
    /// Whether the queue hands out again without saying how often.
    pub open_ended: bool,
    /// Into a store, cache or queue: whether doing it twice changes something, and whether a repeat stops there.
    pub writes: bool,
    pub stops: bool,
}

#[derive(Debug)]
pub struct Operation {
    pub name: String,
    pub kind: ElementKind,
    /// The longest own work.
    pub own: Instant,
    pub deadline: Instant,
    pub inherits: bool,
    pub cancels: bool,
    /// Whether own work done twice changes something.
    pub works: bool,
    /// A repeat of the key stops here for so long.
    pub barrier: Option<Instant>,
    pub body: Rc<[Step]>,
}

#[derive(Debug)]
pub struct World {
    pub operations: Vec<Operation>,
    pub calls: Vec<Call>,
    /// Where requests come from.
    pub roots: Vec<OperationId>,
}

impl Class {
    pub const ALL: [Self; 9] = [
        Self::Connect,
        Self::Refused,
        Self::Throttled,
        Self::Reset,
        Self::Timeout,
        Self::Unavailable,
        Self::Cancelled,
        Self::Conflict,
        Self::Error,
    ];

    /// Whether the callee may have worked for it.
    pub fn may_be_done(self) -> bool {
        self as u16 >= Self::Reset as u16
    }

    pub fn named(word: &str) -> Classes {
        match Self::ALL.iter().find(|class| format!("{class:?}").eq_ignore_ascii_case(word)) {
            Some(class) => Classes(1 << *class as u16),
            None => Classes::ANY,
        }
    }
}

impl Classes {
    pub const ANY: Self = Self(u16::MAX);
    pub const NONE: Self = Self(0);

    pub fn has(self, class: Class) -> bool {
        self.0 & (1 << class as u16) != 0
    }
}

impl World {
    pub fn operation(&self, id: OperationId) -> &Operation {
        &self.operations[id.index()]
    }

    /// What an operation does: each arrow of a client is a request of its own.
    pub fn body(&self, id: OperationId) -> Step {
        let own = self.operation(id);
        let shape = if own.kind == ElementKind::Client { Shape::OneOf } else { Shape::Sequence };
        Step::Group(shape, Rc::clone(&own.body))
    }

    pub fn call(&self, id: CallId) -> &Call {
        &self.calls[id.index()]
    }

    /// The calls of a step, those included that stand in for others.
    pub fn calls_of(&self, step: &Step) -> Vec<CallId> {
        let all = |steps: &[Step]| steps.iter().flat_map(|step| self.calls_of(step)).collect();
        match step {
            Step::Group(_, steps) => all(steps),
            Step::Call(id) => match &self.call(*id).otherwise {
                Otherwise::Calls(steps) => [vec![*id], all(steps)].concat(),
                _ => vec![*id],
            },
        }
    }

    pub fn call_ids(&self) -> impl Iterator<Item = CallId> + use<> {
        (0..self.calls.len()).map(CallId::at)
    }

    pub fn operation_ids(&self) -> impl Iterator<Item = OperationId> + use<> {
        (0..self.operations.len()).map(OperationId::at)
    }
}

impl Backoff {
    /// The shortest and the longest wait after this try, from 1.
    pub fn after(&self, number: u64) -> (Instant, Instant) {
        let factor: u64 = if self.jitter == "decorrelated" { 3 } else { 2 };
        let doubled = u32::try_from(number.min(40)).unwrap() - u32::from(factor == 2);
        let longest = self.first.saturating_mul(factor.saturating_pow(doubled)).min(self.cap);
        match self.jitter {
            // Nothing said of jitter may mean all of it.
            "full" | "" => (0, longest),
            "equal" => (longest / 2, longest),
            "decorrelated" => (longest.min(self.first), longest),
            _ => (longest, longest),
        }
    }
}
