//! What clients and meshes do when nothing is stated: the dated table behind `via`. Data only; it is read elsewhere.

use jiff::civil::Date;

use super::setting::Setting;
use crate::vocabulary::Key;

/// Where an entry acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientKind {
    /// A library: it fills in what the call leaves unstated.
    Library,
    /// A mesh, ingress or gateway: a further layer inside the caller's own wait.
    Proxy,
    /// A broker: it fills in what its queues leave unstated.
    Broker,
}

/// One client or mesh.
#[derive(Clone, Debug, PartialEq)]
pub struct Client {
    /// The word after `via`.
    pub name: String,
    /// How people call it.
    pub title: String,
    /// Where it acts.
    pub kind: ClientKind,
    /// The versions for which it was read.
    pub versions: String,
    /// What it does.
    pub defaults: Vec<ClientDefault>,
}

/// One dated value.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientDefault {
    /// The value, as if it had been written on the call.
    pub setting: Setting,
    /// The value as written in the table.
    pub written: String,
    /// What it means, as a phrase.
    pub meaning: String,
    /// Where it was read.
    pub source: String,
    /// Whether the source is the project's own: a finding that rests on another one is a judgement.
    pub primary: bool,
    /// When it was read.
    pub date: Date,
}

/// The table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Clients {
    /// Its rows.
    pub rows: Vec<Client>,
}

impl Clients {
    /// The row with that name and its number.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<u32> {
        self.rows.iter().position(|client| client.name == name).and_then(|index| u32::try_from(index).ok())
    }

    /// The row with that number.
    #[must_use]
    pub fn get(&self, index: u32) -> Option<&Client> {
        self.rows.get(index as usize)
    }
}

impl Client {
    /// What it is said to do about a key, wherever that was read.
    #[must_use]
    pub fn default_of(&self, key: Key) -> Option<&ClientDefault> {
        self.defaults.iter().find(|default| default.setting.key == key)
    }

    /// What it does about a key, if that was read where its maintainers state it: from hearsay nothing is computed.
    #[must_use]
    pub fn known(&self, key: Key) -> Option<&ClientDefault> {
        self.default_of(key).filter(|default| default.primary)
    }
}
