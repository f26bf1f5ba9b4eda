//! Colours and lines. Nothing is told by colour alone: kinds have shapes, levels have outlines, lines have patterns.

use std::fmt::Write as _;

use super::super::font::FAMILY;
use super::super::scene::{Edge, Entry, Line};
use crate::change::Mark;
use crate::metadata::Level;

/// The colours of a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
    /// As the reader has it.
    #[default]
    Auto,
}

/// One set of colours.
struct Palette {
    paper: &'static str,
    ink: &'static str,
    dim: &'static str,
    line: &'static str,
    box_fill: &'static str,
    box_line: &'static str,
    glow: &'static str,
    error: &'static str,
    warn: &'static str,
    warn_text: &'static str,
    info: &'static str,
    /// What came, changed and went.
    marks: [&'static str; 3],
    /// For each shape what fills it and what surrounds it.
    client: [&'static str; 2],
    service: [&'static str; 2],
    store: [&'static str; 2],
    cache: [&'static str; 2],
    queue: [&'static str; 2],
    external: [&'static str; 2],
}

const LIGHT: Palette = Palette {
    paper: "#ffffff",
    ink: "#1f2328",
    dim: "#59636e",
    line: "#6e7781",
    box_fill: "#f6f8fa",
    box_line: "#d1d9e0",
    glow: "#ffe08a",
    error: "#c21f2b",
    warn: "#f2b01e",
    warn_text: "#2b2000",
    info: "#0b62c4",
    marks: ["#1a7f37", "#9a6700", "#8c959f"],
    client: ["#eef1f4", "#59636e"],
    service: ["#e3efff", "#3b6fb6"],
    store: ["#e2f4e8", "#2f7d4f"],
    cache: ["#fdf0dc", "#a5691b"],
    queue: ["#efe7fb", "#6f4fa8"],
    external: ["#fbe9ee", "#a34562"],
};

const DARK: Palette = Palette {
    paper: "#0d1117",
    ink: "#e6edf3",
    dim: "#9da7b3",
    line: "#8b949e",
    box_fill: "#151b23",
    box_line: "#3d444d",
    glow: "#6b5200",
    error: "#e5534b",
    warn: "#d9a01a",
    warn_text: "#1c1500",
    info: "#6cb0ff",
    marks: ["#3fb950", "#d29922", "#6e7681"],
    client: ["#21262d", "#8b949e"],
    service: ["#14294a", "#6ea8fe"],
    store: ["#12301f", "#57ab7c"],
    cache: ["#38270f", "#d19a4e"],
    queue: ["#2a1f45", "#a98be0"],
    external: ["#3b1824", "#d97a98"],
};

impl Theme {
    /// The style sheet of a picture. Readers who know no media queries see the light one.
    pub(super) fn style(self) -> String {
        match self {
            Self::Light => sheet(&LIGHT),
            Self::Dark => sheet(&DARK),
            Self::Auto => format!("{}@media (prefers-color-scheme: dark) {{\n{}}}\n", sheet(&LIGHT), sheet(&DARK)),
        }
    }
}

fn sheet(palette: &Palette) -> String {
    let Palette { paper, ink, dim, line, box_fill, box_line, glow, error, warn, warn_text, info, .. } = palette;
    let mut css = String::new();
    let _ = write!(
        css,
        "text {{ font-family: {FAMILY}; fill: {ink} }}\n\
         .paper {{ fill: {paper} }}\n\
         .title {{ font-size: 18px; font-weight: bold }}\n\
         .dim {{ font-size: 12px; fill: {dim} }}\n\
         .box {{ fill: {box_fill}; stroke: {box_line} }}\n\
         .box-title {{ font-size: 11px; font-weight: bold; fill: {dim} }}\n\
         .plate {{ fill: {paper}; fill-opacity: 0.92 }}\n\
         .in-box {{ fill: {box_fill} }}\n\
         .box-plate {{ fill: {box_fill}; stroke: {box_line} }}\n\
         .name {{ font-size: 13px; font-weight: bold }}\n\
         .line-text {{ font-size: 11px; fill: {dim} }}\n\
         .label {{ font-size: 10.5px; text-anchor: middle }}\n\
         .line {{ fill: none; stroke: {line}; stroke-width: 1.4 }}\n\
         .head {{ fill: {line}; stroke: {line}; stroke-width: 1.4; stroke-linejoin: round }}\n\
         .async .line {{ stroke-dasharray: 2 3.5; stroke-linecap: round }}\n\
         .async .head {{ fill: none }}\n\
         .optional .line {{ stroke-dasharray: 8 4 }}\n\
         .elsewhen .line {{ stroke-dasharray: 10 3 2 3 }}\n\
         .with-error .line {{ stroke: {error}; stroke-width: 2 }}\n\
         .with-error .head {{ fill: {error}; stroke: {error} }}\n\
         .with-warn .line {{ stroke-width: 2 }}\n\
         .glow {{ fill: none; stroke: {glow}; stroke-width: 9; stroke-linecap: round }}\n\
         .halo {{ fill: {glow} }}\n\
         .entry {{ fill: {ink} }}\n\
         .badge-text {{ font-size: 10.5px; font-weight: bold; text-anchor: middle }}\n\
         .badge-more {{ font-size: 10.5px; font-weight: bold; text-anchor: middle; fill: {dim} }}\n\
         .badge-error {{ fill: {error} }}\n\
         .badge-error-text {{ fill: #ffffff }}\n\
         .badge-warn {{ fill: {warn} }}\n\
         .badge-warn-text {{ fill: {warn_text} }}\n\
         .badge-info {{ fill: {paper}; stroke: {info}; stroke-width: 1.2 }}\n\
         .badge-info-text {{ fill: {info} }}\n\
         .rule {{ font-size: 12px; font-weight: bold }}\n\
         .message {{ font-size: 12px }}\n\
         .heading {{ font-size: 12px; font-weight: bold; fill: {dim} }}\n\
         .try {{ fill: {line} }}\n\
         .beside {{ fill: {line}; fill-opacity: 0.45 }}\n\
         .late {{ fill: {box_fill}; stroke: {line}; stroke-dasharray: 3 2 }}\n\
         .cut {{ fill: {error} }}\n\
         .row {{ stroke: {box_line} }}\n"
    );
    let shapes = [
        ("client", palette.client),
        ("service", palette.service),
        ("store", palette.store),
        ("cache", palette.cache),
        ("queue", palette.queue),
        ("external", palette.external),
        ("collapsed", [palette.box_fill, palette.line]),
    ];
    for (name, [fill, stroke]) in shapes {
        let _ = write!(
            css,
            ".{name} .body {{ fill: {fill}; stroke: {stroke}; stroke-width: 1.4 }}\n\
             .{name} .inner {{ fill: none; stroke: {stroke} }}\n\
             .{name} .icon {{ fill: none; stroke: {stroke}; stroke-width: 1.2; stroke-linejoin: round }}\n"
        );
    }
    let [new, changed, gone] = palette.marks;
    let _ = write!(
        css,
        ".mark-new .body {{ stroke: {new}; stroke-width: 3.4 }}\n\
         .mark-changed .body {{ stroke: {changed}; stroke-width: 2.6; stroke-dasharray: 14 3 }}\n\
         .mark-gone .body {{ stroke: {gone}; stroke-dasharray: 3 4; fill: {paper} }}\n\
         .mark-new .line {{ stroke: {new}; stroke-width: 3.2 }}\n\
         .mark-new .head {{ stroke: {new}; fill: {new} }}\n\
         .mark-changed .line {{ stroke: {changed}; stroke-width: 2.2 }}\n\
         .mark-changed .head {{ stroke: {changed}; fill: {changed} }}\n\
         .mark-gone .line {{ stroke: {gone}; stroke-dasharray: 1 6; stroke-width: 2; stroke-linecap: round }}\n\
         .mark-gone .head {{ stroke: {gone}; fill: none }}\n"
    );
    css
}

/// The class of what came, changed or went, behind other classes.
pub(super) fn mark_class(mark: Mark) -> &'static str {
    match mark {
        Mark::Same => "",
        Mark::New => " mark-new",
        Mark::Changed => " mark-changed",
        Mark::Gone => " mark-gone",
    }
}

/// How an edge is drawn: whether its caller waits, can do without, or calls at another time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pattern {
    Hard,
    Optional,
    Async,
    Elsewhen,
}

impl Pattern {
    pub(super) fn of(line: Line) -> Self {
        match line {
            line if !line.serving => Self::Elsewhen,
            line if !line.awaited => Self::Async,
            line if line.optional => Self::Optional,
            _ => Self::Hard,
        }
    }

    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Hard => "hard",
            Self::Optional => "optional",
            Self::Async => "async",
            Self::Elsewhen => "elsewhen",
        }
    }
}

/// The class of an edge: its pattern, and the worst that is found on it.
pub(super) fn line(edge: &Edge, worst: Option<&Entry>) -> String {
    let pattern = Pattern::of(edge.line).class();
    let worst = match worst.map(|entry| entry.level) {
        Some(Level::Error) => " with-error",
        Some(Level::Warn) => " with-warn",
        _ => "",
    };
    format!("edge {pattern}{worst}{}", mark_class(edge.mark))
}

pub(super) fn badge_class(level: Level) -> &'static str {
    match level {
        Level::Error => "badge-error",
        Level::Warn => "badge-warn",
        Level::Info => "badge-info",
    }
}
