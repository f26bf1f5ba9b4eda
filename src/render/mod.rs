//! Pictures of a topology: what a picture shows is a [`Scene`], apart from how it is drawn; every renderer is a pure
//! function of it.

mod font;
mod geometry;
mod html;
mod layout;
mod measure;
mod png;
mod scene;
mod svg;
mod xml;

pub use geometry::{Point, Rect, Size};
pub use html::html;
pub use layout::{Layout, Plan, PlannedEdge, PlannedGroup, PlannedNode, Route, layout};
pub use measure::plan;
pub use png::{PngError, png};
pub use scene::{Annotate, Collapse, Edge, GroupBy, Node, Scene, Shape, View, scene, versions};
pub use svg::{Theme, svg};
