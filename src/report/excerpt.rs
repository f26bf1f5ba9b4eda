//! The lines of a file that are shown: as they are, or cut around what is said of them where they are too long.

use std::collections::BTreeSet;
use std::ops::Range;

use super::paint::columns;
use crate::diagnostic::Label;
use crate::source::Source;

/// Lines that are shown instead of a file, so that no line is wider than the terminal.
pub(super) struct Cut {
    /// The lines; an empty one between two that do not follow each other.
    pub(super) text: String,
    /// For each line of `text` its start there and its number in the file.
    lines: Vec<(usize, usize)>,
    /// For each label its column in the file.
    columns: Vec<usize>,
    /// The labels, in their order, at their places in `text`.
    pub(super) labels: Vec<Label>,
}

/// Stands where something was left out.
const LEFT_OUT: char = '…';

impl Cut {
    /// The labelled lines, cut where they are wider than `room`; none if all of them fit.
    pub(super) fn of(source: &Source, text: &str, labels: &[&Label], room: usize) -> Option<Self> {
        let lines: BTreeSet<usize> = labels.iter().flat_map(|label| line_starts(text, &range(text, label))).collect();
        let long = |start: &usize| columns(line(text, *start)) > room;
        if !lines.iter().any(long) {
            return None;
        }
        let mut cut = Self {
            text: String::new(),
            lines: Vec::new(),
            columns: labels.iter().map(|label| source.position(label.span.start).column).collect(),
            labels: labels.iter().map(|label| (*label).clone()).collect(),
        };
        let mut before = None;
        for start in lines {
            let number = source.position(u32::try_from(start).unwrap_or(u32::MAX)).line;
            if before.is_some_and(|before| before + 1 < number) {
                cut.text.push('\n');
            }
            before = Some(number);
            cut.lines.push((cut.text.len(), number));
            cut.add(text, start, labels, room);
        }
        Some(cut)
    }

    /// The number in the file of the line that starts here.
    pub(super) fn number(&self, start: usize) -> usize {
        let at = self.lines.partition_point(|(known, _)| *known <= start);
        at.checked_sub(1).and_then(|at| self.lines.get(at)).map_or(1, |(_, number)| *number)
    }

    /// The column in the file of what starts here: a label, or a line.
    pub(super) fn column(&self, start: usize) -> usize {
        let label = self.labels.iter().position(|label| label.span.start as usize == start);
        label.and_then(|label| self.columns.get(label)).copied().unwrap_or(1)
    }

    /// Adds a line, and moves the labels in it.
    fn add(&mut self, text: &str, start: usize, labels: &[&Label], room: usize) {
        let line = line(text, start);
        let here = start..start + line.len();
        let inside: Vec<Said> = labels
            .iter()
            .enumerate()
            .map(|(index, label)| Said { index, place: range(text, label), width: columns(&label.text) })
            .filter(|said| said.place.start <= here.end && said.place.end >= here.start)
            .collect();
        let kept = kept(text, &here, &inside, room);
        let mut moved: Vec<(Range<usize>, usize)> = Vec::new();
        let mut at = here.start;
        for piece in kept {
            if piece.start > at {
                self.text.push(LEFT_OUT);
            }
            moved.push((piece.clone(), self.text.len()));
            self.text.push_str(text.get(piece.clone()).unwrap_or_default());
            at = piece.end;
        }
        if at < here.end {
            self.text.push(LEFT_OUT);
        }
        let place = |at: usize| {
            let (piece, to) = moved.iter().rev().find(|(piece, _)| piece.start <= at)?;
            u32::try_from(to + (at.min(piece.end) - piece.start)).ok()
        };
        for Said { index, place: label, .. } in inside {
            let Some(slot) = self.labels.get_mut(index) else { continue };
            if label.start >= here.start {
                slot.span.start = place(label.start).unwrap_or(slot.span.start);
            }
            if label.end <= here.end {
                slot.span.end = place(label.end).unwrap_or(slot.span.end);
            }
        }
        self.text.push('\n');
    }
}

/// What is said of a place in a line, and how many columns that takes.
struct Said {
    index: usize,
    place: Range<usize>,
    width: usize,
}

/// The pieces of a line that are kept: each label with as much around it as there is room for, and less if what is said
/// of it would not fit beside it.
fn kept(text: &str, line: &Range<usize>, labels: &[Said], room: usize) -> Vec<Range<usize>> {
    if columns(text.get(line.clone()).unwrap_or_default()) <= room {
        return vec![line.clone()];
    }
    let mut layouts = (0..=QUARTERS).rev().map(|quarters| pieces(text, line, labels, room, quarters));
    let fits = |pieces: &Vec<Range<usize>>| labels.iter().all(|said| reaches(text, line, pieces, said) <= room);
    layouts.find(fits).unwrap_or_else(|| pieces(text, line, labels, room, 0))
}

/// What is around a label is shortened in so many steps.
const QUARTERS: usize = 4;

/// The mark below a label, and a blank: before what is said of it.
const MARK: usize = 4;

/// Each label with so many quarters of its share of the room around it.
fn pieces(text: &str, line: &Range<usize>, labels: &[Said], room: usize, quarters: usize) -> Vec<Range<usize>> {
    let mut wanted: Vec<Range<usize>> =
        labels.iter().map(|said| said.place.start.max(line.start)..said.place.end.min(line.end)).collect();
    wanted.sort_unstable_by_key(|piece| (piece.start, piece.end));
    let each = (room / wanted.len().max(1)).max(LEAST) - 2;
    let mut pieces: Vec<Range<usize>> = Vec::new();
    for piece in wanted {
        let inner = columns_after(text, piece.start, line.end, each).min(piece.end.max(piece.start));
        let taken = columns(text.get(piece.start..inner).unwrap_or_default());
        let around = each.saturating_sub(taken) * quarters / QUARTERS;
        let start = columns_before(text, piece.start, line.start, around / 2);
        let end = columns_after(text, inner, line.end, around - around / 2);
        match pieces.last_mut() {
            Some(last) if start <= last.end => last.end = last.end.max(end),
            _ => pieces.push(start..end),
        }
    }
    fill(text, line, &mut pieces, room);
    pieces
}

/// What is left of the room goes to the end.
fn fill(text: &str, line: &Range<usize>, pieces: &mut [Range<usize>], room: usize) {
    let (mut taken, mut at) = (0, line.start);
    for piece in pieces.iter() {
        taken += usize::from(piece.start > at) + columns(text.get(piece.clone()).unwrap_or_default());
        at = piece.end;
    }
    let Some(last) = pieces.last_mut() else { return };
    let whole = columns_after(text, last.end, line.end, room.saturating_sub(taken));
    let before_mark = columns_after(text, last.end, line.end, room.saturating_sub(taken + 1));
    last.end = if whole == line.end { whole } else { before_mark };
}

/// The column up to which what is said of a label reaches: it begins below the middle of the label.
fn reaches(text: &str, line: &Range<usize>, pieces: &[Range<usize>], said: &Said) -> usize {
    let width = |range: Range<usize>| columns(text.get(range).unwrap_or_default());
    let (mut column, mut at) = (0, line.start);
    for piece in pieces {
        column += usize::from(piece.start > at);
        if said.place.start <= piece.end {
            let start = said.place.start.max(piece.start);
            let label = width(start..said.place.end.clamp(start, piece.end));
            return column + width(piece.start..start) + label / 2 + MARK + said.width;
        }
        column += width(piece.clone());
        at = piece.end;
    }
    column
}

/// So many columns a label gets at least.
const LEAST: usize = 12;

/// So many columns further in the line, at most to its end.
fn columns_after(text: &str, from: usize, end: usize, most: usize) -> usize {
    let mut left = most;
    let rest = text.get(from..end).unwrap_or_default();
    let fits = |c: &char| {
        let width = columns(c.encode_utf8(&mut [0; 4]));
        left.checked_sub(width).inspect(|rest| left = *rest).is_some()
    };
    from + rest.chars().take_while(fits).map(char::len_utf8).sum::<usize>()
}

/// So many columns back in the line, at most to its start.
fn columns_before(text: &str, from: usize, start: usize, most: usize) -> usize {
    let mut left = most;
    let rest = text.get(start..from).unwrap_or_default();
    let fits = |c: &char| {
        let width = columns(c.encode_utf8(&mut [0; 4]));
        left.checked_sub(width).inspect(|rest| left = *rest).is_some()
    };
    from - rest.chars().rev().take_while(fits).map(char::len_utf8).sum::<usize>()
}

fn range(text: &str, label: &Label) -> Range<usize> {
    let start = (label.span.start as usize).min(text.len());
    start..(label.span.start as usize + label.span.len()).clamp(start, text.len())
}

/// The line that starts here, without its end.
fn line(text: &str, start: usize) -> &str {
    text.get(start..).and_then(|rest| rest.split('\n').next()).unwrap_or_default()
}

/// Where the lines start that a place covers.
fn line_starts(text: &str, place: &Range<usize>) -> Vec<usize> {
    let first = text.get(..place.start).and_then(|head| head.rfind('\n')).map_or(0, |at| at + 1);
    let further = text.get(place.clone()).unwrap_or_default().match_indices('\n').map(|(at, _)| place.start + at + 1);
    std::iter::once(first).chain(further.filter(|at| *at < place.end)).collect()
}
