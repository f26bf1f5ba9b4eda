//! What is tested: a text, read and analysed through the public interface.

use topolint::analysis::Facts;
use topolint::metadata;
use topolint::model::{CallId, FileError, Files, Loader, OperationId, Topology, lower};

use super::graph::Written;

/// A topology that was read.
pub struct Subject {
    topology: Topology,
}

struct One<'t>(&'t str);

impl Files for One<'_> {
    fn matching(&self, _: &str) -> Result<Vec<String>, FileError> {
        Ok(Vec::new())
    }

    fn read(&self, _: &str) -> Result<Vec<u8>, FileError> {
        Ok(self.0.as_bytes().to_vec())
    }
}

impl Subject {
    /// Reads a text in which nothing is wrong.
    pub fn read(written: &Written) -> Self {
        let files = One(&written.text);
        let mut loader = Loader::new(&files);
        let project = loader.project("random.topo");
        let (topology, mut problems) = lower(&loader, &project, metadata::built_in_clients());
        problems.extend(loader.loaded("random.topo").unwrap().problems.iter().cloned());
        problems.retain(|problem| problem.rule != "unreachable-node");
        assert!(problems.is_empty(), "{}\n{problems:#?}", written.text);
        Self { topology }
    }

    pub fn with<T>(&self, look: impl FnOnce(&Facts<'_>) -> T) -> T {
        look(&Facts::new(&self.topology, metadata::built_in_clients()))
    }

    pub fn operation(&self, name: &str) -> OperationId {
        self.topology.operation_named(name).unwrap_or_else(|| panic!("no operation {name}"))
    }

    /// The call that is written there.
    pub fn call(&self, place: usize) -> CallId {
        let is_it = |id: &CallId| self.topology.call(*id).statement.start as usize == place;
        self.topology.call_ids().find(is_it).unwrap_or_else(|| panic!("no call at {place}"))
    }
}
