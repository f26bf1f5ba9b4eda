//! Pictures of a topology: what a picture shows is a [`Scene`], apart from how it is drawn; every renderer is a pure
//! function of it.

mod d2;
mod dot;
mod font;
mod geometry;
mod html;
mod json;
mod layout;
mod measure;
mod mermaid;
mod plain;
mod png;
mod scene;
mod svg;
mod thinned;

pub use d2::d2;
pub use dot::dot;
pub use font::glyphless;
pub use geometry::{Point, Rect, Size};
pub use html::html;
pub use json::scene_json;
pub use layout::{Layout, Plan, PlannedEdge, PlannedGroup, PlannedNode, Route, layout};
pub use measure::plan;
pub use mermaid::mermaid;
pub use png::{PngError, png};
pub use scene::{
    Annotate, Bar, Call, Collapse, Edge, Entry, Group, GroupBy, Line, Node, Scene, Shape, Sides, View, Waterfall,
    boxes, scene, versions,
};
pub use svg::{Theme, svg};
pub use thinned::thinned;
