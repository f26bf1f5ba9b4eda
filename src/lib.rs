//! topolint: a lie detector for architecture diagrams. Text flows from left to right, once; nothing flows back:
//!
//! ```text
//! .topo text ─▶ syntax ─▶ model ─▶ analysis ─▶ rules ─▶ lint ─▶ report / render
//!             (tree)   (topology) (facts)  (findings) (outcome)  (text, pictures)
//! ```
//!
//! - `ids`: maps of numbers · `parallel`: several processors · [`source`]: texts and places in them · [`diagnostic`]: what is said about a place, as data
//! - [`yaml`]: what people write in YAML, with places
//! - [`syntax`]: text to tree, by the grammar in `grammar/topo.pest`; never fails
//! - [`vocabulary`]: the one table of all words of the language
//! - [`model`]: tree to topology: units, names, cascade, includes
//! - [`analysis`]: facts, computed once: worst cases, deadlines, quantiles, availability, loads and what waits, effects
//!   that may happen twice, how old an answer may be, who can listen, where traces end
//! - [`metadata`]: what we ship as data, `rules/**/*.yaml` · [`rules`]: one file a rule
//! - [`config`]: which rules speak, by `topolint.yaml` and flags · [`lint`]: from findings to an [`lint::Outcome`]
//! - [`baseline`]: findings that are known and wait, by fingerprint
//! - [`change`]: two versions, and what is not in both · [`report`]: one renderer a file ·
//!   [`render`]: pictures
//!
//! A module names only modules to its left in this list; a test holds it. The library reads no disk, no clock and no
//! environment: files come through [`model::Files`], the day is an argument. The binary in `src/bin/topolint` does
//! all of that.
//!
//! ```
//! use topolint::{config::Config, lint, metadata, model, report};
//!
//! struct One;
//! impl model::Files for One {
//!     fn matching(&self, _: &str) -> Result<Vec<String>, model::FileError> {
//!         Ok(Vec::new())
//!     }
//!     fn read(&self, _: &str) -> Result<Vec<u8>, model::FileError> {
//!         Ok(b"client web; service shop; web -> shop { timeout none }".to_vec())
//!     }
//! }
//!
//! let mut loader = model::Loader::new(&One);
//! let project = loader.project("shop.topo");
//! let config = Config::default();
//! let terms = lint::Terms { config: &config, today: jiff::civil::date(2026, 11, 22), clients: metadata::built_in_clients() };
//! let outcome = lint::lint(&mut loader, &[project], &terms);
//! let report = report::concise(&loader.sources, &outcome);
//! assert_eq!(report, "shop.topo:1:41: error[missing-timeout] `web -> shop` waits for ever: it states that it has no timeout\n");
//! ```

mod ids;

mod parallel;

pub mod source;

pub mod diagnostic;

pub mod yaml;

pub mod syntax;

pub mod vocabulary;

pub mod model;

pub mod analysis;

pub mod metadata;

pub mod rules;

pub mod config;

pub mod lint;

pub mod baseline;

pub mod change;

pub mod report;

pub mod render;
