//! Virtual time: tasks are futures, an event is the moment at which one goes on. Instants are nanoseconds. Knows nothing
//! of topologies. What happens at the same instant happens in the order in which it was asked for.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

pub type Instant = u64;

/// Later than everything that happens.
pub const NEVER: Instant = u64::MAX / 4;

pub type Boxed<T> = Pin<Box<dyn Future<Output = T>>>;

/// An instant, an order among what happens then, and the task that goes on.
type Event = Reverse<(Instant, u64, usize)>;

#[derive(Default)]
pub struct Clock {
    now: Cell<Instant>,
    asked: Cell<u64>,
    current: Cell<usize>,
    halted: Cell<bool>,
    events: RefCell<BinaryHeap<Event>>,
    tasks: RefCell<Vec<Option<Boxed<()>>>>,
}

/// A task that somebody looks after: dropping this ends it, unless it was let go.
pub struct Task {
    clock: Weak<Clock>,
    id: usize,
}

impl Clock {
    pub fn now(&self) -> Instant {
        self.now.get()
    }

    /// Starts a task at this instant.
    pub fn spawn(self: &Rc<Self>, task: impl Future<Output = ()> + 'static) -> Task {
        let id = self.tasks.borrow().len();
        self.tasks.borrow_mut().push(Some(Box::pin(task)));
        self.wake(id, self.now());
        Task { clock: Rc::downgrade(self), id }
    }

    /// Runs until nothing happens any more, or `until`.
    pub fn run(&self, until: Instant) {
        while let Some(Reverse((at, _, id))) = self.next(until) {
            self.now.set(at);
            let Some(mut task) = self.tasks.borrow_mut()[id].take() else { continue };
            self.current.set(id);
            if task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
                self.tasks.borrow_mut()[id] = Some(task);
            }
        }
    }

    /// Nothing that was to happen happens.
    pub fn halt(&self) {
        self.halted.set(true);
    }

    /// Ends all tasks.
    pub fn stop(&self) {
        self.halt();
        let tasks = self.tasks.borrow().len();
        (0..tasks).for_each(|id| self.end(id));
    }

    /// Waits until an instant.
    pub async fn until(&self, at: Instant) {
        let mut asked = false;
        poll_fn(|_| {
            if self.now() >= at {
                return Poll::Ready(());
            }
            if !asked && at < NEVER {
                self.wake(self.current.get(), at);
            }
            asked = true;
            Poll::Pending
        })
        .await;
    }

    pub async fn sleep(&self, time: Instant) {
        self.until(self.now().saturating_add(time)).await;
    }

    /// What comes of it, if that is before an instant; what is not waited for any more is dropped.
    pub async fn before<T>(&self, at: Instant, mut what: Boxed<T>) -> Option<T> {
        let mut limit = Box::pin(self.until(at));
        poll_fn(|context| match what.as_mut().poll(context) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending => limit.as_mut().poll(context).map(|()| None),
        })
        .await
    }

    fn next(&self, until: Instant) -> Option<Event> {
        let next = !self.halted.get() && self.events.borrow().peek().is_some_and(|Reverse((at, ..))| *at <= until);
        if next { self.events.borrow_mut().pop() } else { None }
    }

    fn wake(&self, id: usize, at: Instant) {
        self.asked.set(self.asked.get() + 1);
        self.events.borrow_mut().push(Reverse((at, self.asked.get(), id)));
    }

    fn end(&self, id: usize) {
        // What is dropped may end further tasks.
        let task = self.tasks.borrow_mut()[id].take();
        drop(task);
    }
}

impl Task {
    /// It goes on by itself.
    pub fn let_go(mut self) {
        self.clock = Weak::new();
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if let Some(clock) = self.clock.upgrade() {
            clock.end(self.id);
        }
    }
}

/// Something that one task will know and others wait for.
pub struct Promise<T> {
    value: RefCell<Option<T>>,
    waiting: RefCell<Vec<usize>>,
}

impl<T: Clone> Promise<T> {
    pub fn new() -> Rc<Self> {
        Rc::new(Self { value: RefCell::new(None), waiting: RefCell::default() })
    }

    pub fn keep(&self, clock: &Clock, value: T) {
        *self.value.borrow_mut() = Some(value);
        for id in self.waiting.take() {
            clock.wake(id, clock.now());
        }
    }

    pub fn kept(&self) -> Option<T> {
        self.value.borrow().clone()
    }

    pub fn wait(self: &Rc<Self>, clock: &Rc<Clock>) -> Boxed<T>
    where
        T: 'static,
    {
        let (promise, clock) = (Rc::clone(self), Rc::clone(clock));
        Box::pin(poll_fn(move |_| {
            let kept = promise.kept();
            if kept.is_none() {
                promise.waiting.borrow_mut().push(clock.current.get());
            }
            kept.map_or(Poll::Pending, Poll::Ready)
        }))
    }
}
