//! An SVG of ours as PNG, in the font that it was measured in.

use std::fmt;
use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb::Database};

use super::font::Weight;

/// No picture has more pixels: 400 MB of memory.
const MOST_PIXELS: f64 = 100_000_000.0;

/// Why there is no picture.
#[derive(Debug, PartialEq)]
pub enum PngError {
    /// It would have so many pixels across and down.
    TooLarge(f64, f64),
    /// It cannot be drawn.
    Undrawable(String),
}

impl PngError {
    /// How many times as large it could be drawn, if it was to be so many times as large.
    #[must_use]
    pub fn fitting(&self, scale: f64) -> Option<f64> {
        let Self::TooLarge(width, height) = self else { return None };
        let fitting = scale * (MOST_PIXELS / (width * height)).sqrt();
        // To two digits, never above.
        let digit = 10_f64.powf(fitting.log10().floor() - 1.0);
        Some(((fitting / digit).floor() * digit * 1e6).round() / 1e6).filter(|fitting| *fitting > 0.0)
    }
}

impl fmt::Display for PngError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge(width, height) => {
                write!(formatter, "the picture would have {width:.0} × {height:.0} pixels, more than {MOST_PIXELS:.0}")
            }
            Self::Undrawable(reason) => write!(formatter, "the picture cannot be drawn: {reason}"),
        }
    }
}

/// Draws an SVG, so many times as large.
///
/// # Errors
/// If it would have more pixels than we draw.
pub fn png(svg: &str, scale: f64) -> Result<Vec<u8>, PngError> {
    let undrawable = |error: &dyn fmt::Display| PngError::Undrawable(error.to_string());
    let mut fonts = Database::new();
    for weight in [Weight::Regular, Weight::Bold] {
        fonts.load_font_data(weight.file().to_vec());
    }
    let options = Options { fontdb: Arc::new(fonts), font_family: "DejaVu Sans".to_owned(), ..Options::default() };
    let tree = Tree::from_str(svg, &options).map_err(|error| undrawable(&error))?;
    let size = tree.size();
    let (width, height) = ((f64::from(size.width()) * scale).ceil(), (f64::from(size.height()) * scale).ceil());
    if !(width >= 1.0 && height >= 1.0 && width * height <= MOST_PIXELS) {
        return Err(PngError::TooLarge(width, height));
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 100 million")]
    let mut pixels = Pixmap::new(width as u32, height as u32).ok_or(PngError::TooLarge(width, height))?;
    #[allow(clippy::cast_possible_truncation, reason = "a factor")]
    let scale = scale as f32;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| undrawable(&error))
}
