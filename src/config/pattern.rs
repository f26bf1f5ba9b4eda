//! Paths and patterns of a configuration: relative to the file that states them, always inside the project.

use globset::{GlobBuilder, GlobMatcher};

use crate::diagnostic::Diagnostic;
use crate::model::{is_pattern, join};
use crate::source::Span;
use crate::yaml::Text;

/// A pattern of files, or a path: a folder means all that lies in it.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// As it is written.
    pub written: String,
    /// From the project root.
    pub path: String,
    /// Where it stands.
    pub span: Span,
    glob: Option<GlobMatcher>,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        (&self.path, self.span) == (&other.path, other.span)
    }
}

impl Pattern {
    /// Reads a pattern that stands in the file `from`.
    pub(super) fn read(from: &str, written: &Text) -> Result<Self, Box<Diagnostic>> {
        let path = inside(from, written)?;
        let refuse = |error: globset::Error| {
            let message = format!("`{}` is no pattern of files: {}", written.text, error.kind());
            Box::new(
                Diagnostic::new(written.span, message).help("write a path, or a pattern such as `legacy/**/*.topo`"),
            )
        };
        let glob = is_pattern(&path).then(|| GlobBuilder::new(&path).literal_separator(true).build());
        let glob = glob.transpose().map_err(refuse)?.map(|glob| glob.compile_matcher());
        Ok(Self { written: written.text.clone(), path, span: written.span, glob })
    }

    /// Whether it means a file.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        match &self.glob {
            Some(glob) => glob.is_match(path),
            None => {
                self.path.is_empty()
                    || path.strip_prefix(&self.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
        }
    }
}

/// The path from the project root of what a file names.
pub(super) fn inside(from: &str, written: &Text) -> Result<String, Box<Diagnostic>> {
    join(from, &written.text).ok_or_else(|| {
        let message = format!("`{}` leaves the project", written.text);
        let help = "a path is relative to the file that it stands in, with `/`, and stays inside the project";
        Box::new(Diagnostic::new(written.span, message).help(help))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(from: &str, written: &str) -> Result<Pattern, Box<Diagnostic>> {
        Pattern::read(from, &Text { span: Span::default(), text: written.to_owned() })
    }

    #[test]
    fn a_pattern_is_relative_to_its_file_and_a_folder_means_all_inside() {
        let matches = |from, written, path| pattern(from, written).expect("a pattern").matches(path);
        assert!(matches("topolint.yaml", "legacy/**", "legacy/a/b.topo"));
        assert!(matches("ci/strict.yaml", "../legacy", "legacy/a/b.topo"));
        assert!(matches("topolint.yaml", "legacy/a.topo", "legacy/a.topo"));
        assert!(matches("topolint.yaml", ".", "any/thing.topo"));
        assert!(!matches("topolint.yaml", "legacy", "legacy-2/a.topo"));
        assert!(!matches("topolint.yaml", "*.topo", "a/b.topo"), "a star stays in its folder");
        assert!(!matches("ci/topolint.yaml", "legacy/**", "legacy/a.topo"));
    }

    #[test]
    fn a_pattern_stays_inside_the_project() {
        for written in ["../x/**", "/etc/**", "C:/x", "a\\b"] {
            assert!(pattern("topolint.yaml", written).is_err(), "{written}");
        }
        assert!(pattern("topolint.yaml", "a/[").expect_err("no pattern").message.contains("`a/[` is no pattern"));
    }
}
