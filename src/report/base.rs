//! From where paths count in reports that are read elsewhere: pull requests and code scanning know a file by its path
//! from the root of the repository, wherever the tool was called.

use crate::source::{SourceMap, Span};

use super::escape::one_line;

/// The folder from which paths count. Without one, they count from where the tool was called.
#[derive(Clone, Debug, Default)]
pub struct Base {
    /// Where the tool was called.
    here: Vec<String>,
    root: Vec<String>,
}

impl Base {
    /// Paths from `root`, of files that are named from `here`; both are whole paths with `/`.
    #[must_use]
    pub fn new(here: &str, root: &str) -> Self {
        Self { here: parts(here).map(str::to_owned).collect(), root: parts(root).map(str::to_owned).collect() }
    }

    /// The path of a file, as it is.
    pub(super) fn path(&self, sources: &SourceMap, span: Span) -> String {
        let named = sources.get(span.source).map_or("", |source| source.path.as_str());
        self.below_root(named).unwrap_or_else(|| named.to_owned())
    }

    /// The path of a file, in one line and without anything that a terminal would obey.
    pub(super) fn shown(&self, sources: &SourceMap, span: Span) -> String {
        one_line(&self.path(sources, span))
    }

    /// The path from the root; none for what does not lie below it.
    fn below_root(&self, named: &str) -> Option<String> {
        let mut whole: Vec<&str> = self.here.iter().map(String::as_str).collect();
        if named.starts_with('/') {
            whole.clear();
        }
        for part in parts(named) {
            match part {
                ".." => drop(whole.pop()?),
                "." => {}
                part => whole.push(part),
            }
        }
        let (above, below) = whole.split_at_checked(self.root.len())?;
        (above == self.root && !below.is_empty()).then(|| below.join("/"))
    }
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(here: &str, root: &str, named: &str) -> String {
        let mut sources = SourceMap::default();
        let source = sources.add(named, "");
        Base::new(here, root).path(&sources, Span { source, start: 0, end: 0 })
    }

    #[test]
    fn paths_count_from_the_root_wherever_the_tool_was_called() {
        assert_eq!(path("/r/docs", "/r", "a.topo"), "docs/a.topo");
        assert_eq!(path("/r/docs", "/r", "../b/a.topo"), "b/a.topo");
        assert_eq!(path("/elsewhere", "/r", "../r/b/a.topo"), "b/a.topo");
        assert_eq!(path("/r", "/r", "a\nb.topo"), "a\nb.topo");
    }

    #[test]
    fn what_does_not_lie_below_the_root_keeps_its_name() {
        assert_eq!(path("/r", "/r", "../a.topo"), "../a.topo");
        assert_eq!(path("/", "/", "../../a.topo"), "../../a.topo");
        assert_eq!(path("/r", "/r", ""), "");
    }
}
