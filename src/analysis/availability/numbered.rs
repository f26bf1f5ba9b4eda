//! Values by their numbers, each of them once. New ones may lie above those of another list, which is only read: what a
//! question adds is little, and what it leaves as it is stays where it is.

use crate::ids::IdMap;

use std::hash::Hash;

/// Values by their numbers.
#[derive(Debug)]
pub(super) struct Numbered<'b, T> {
    below: Option<&'b Numbered<'b, T>>,
    own: Vec<T>,
    numbers: IdMap<T, usize>,
}

impl<'b, T: Clone + Eq + Hash> Numbered<'b, T> {
    /// Nothing, or nothing new.
    pub(super) fn above(below: Option<&'b Self>) -> Self {
        Self { below, own: Vec::new(), numbers: IdMap::default() }
    }

    /// How many there are below.
    fn start(&self) -> usize {
        self.below.map_or(0, |below| below.start() + below.own.len())
    }

    pub(super) fn get(&self, number: usize) -> Option<&T> {
        match number.checked_sub(self.start()) {
            Some(own) => self.own.get(own),
            None => self.below?.get(number),
        }
    }

    pub(super) fn find(&self, value: &T) -> Option<usize> {
        self.below.and_then(|below| below.find(value)).or_else(|| self.numbers.get(value).copied())
    }

    /// The number of a value, which is added if it is new.
    pub(super) fn add(&mut self, value: T) -> usize {
        self.find(&value).unwrap_or_else(|| {
            let number = self.start() + self.own.len();
            self.own.push(value.clone());
            self.numbers.insert(value, number);
            number
        })
    }

    /// What does not lie below.
    pub(super) fn own(&self) -> &[T] {
        &self.own
    }
}

/// One value for each of some numbered things: those below, then its own.
#[derive(Debug)]
pub(super) struct Column<'b, T> {
    below: Option<&'b Column<'b, T>>,
    own: Vec<T>,
}

impl<'b, T: Copy> Column<'b, T> {
    /// Nothing, or nothing new.
    pub(super) fn above(below: Option<&'b Self>) -> Self {
        Self { below, own: Vec::new() }
    }

    fn start(&self) -> usize {
        self.below.map_or(0, |below| below.start() + below.own.len())
    }

    pub(super) fn get(&self, number: usize) -> Option<T> {
        match number.checked_sub(self.start()) {
            Some(own) => self.own.get(own).copied(),
            None => self.below?.get(number),
        }
    }

    /// The value of the next number.
    pub(super) fn push(&mut self, value: T) {
        self.own.push(value);
    }
}
