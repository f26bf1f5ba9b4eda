//! What we ship as data: the page of each rule and the table of clients, `rules/**/*.yaml`. The only place that names
//! `serde_yaml`. A page that cannot be read is our mistake: a test reads them all.

mod options;

use serde::{Deserialize, Serialize};

pub use options::{OptionKind, OptionPage, OptionValue, Options};

use crate::model::{Client, ClientDefault, ClientKind, Clients, read_default};
use crate::vocabulary::Key;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Worth knowing.
    Info,
    /// Worth a change.
    Warn,
    /// Wrong.
    Error,
}

impl Level {
    /// All of them, worst first.
    pub const ALL: [Self; 3] = [Self::Error, Self::Warn, Self::Info];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// The page of a rule.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Page {
    /// What it finds, as a phrase.
    pub summary: String,
    /// Its level, if nothing else is configured.
    pub level: Level,
    /// Why it matters.
    pub why: String,
    /// Where that was read.
    #[serde(default)]
    pub sources: Vec<String>,
    /// What to do about it.
    pub fix: String,
    /// The fact that, stated in the diagram, makes the finding go away.
    #[serde(default)]
    pub silenced_by: Option<String>,
    /// What it does not look at.
    #[serde(default)]
    pub limits: Option<String>,
    /// What can be set about it.
    #[serde(default)]
    pub options: Vec<OptionPage>,
    /// Other rules that speak of the bad example too.
    #[serde(default)]
    pub also: Vec<String>,
    /// For a rule about change: what both examples are compared with.
    #[serde(default)]
    pub before: Option<String>,
    /// An example with the finding.
    pub bad: String,
    /// The same example, mended.
    pub good: String,
}

impl Page {
    /// Reads a page.
    ///
    /// # Errors
    /// What is wrong with it, as the YAML reader says it.
    pub fn read(text: &str) -> Result<Self, String> {
        serde_yaml::from_str(text).map_err(|error| error.to_string())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientRow {
    client: String,
    title: String,
    kind: KindRow,
    versions: String,
    defaults: Vec<DefaultRow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum KindRow {
    Library,
    Proxy,
    Broker,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DefaultRow {
    set: String,
    value: String,
    meaning: String,
    source: String,
    read: ReadRow,
    date: jiff::civil::Date,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ReadRow {
    Primary,
    Secondary,
}

/// The tables behind `via`, one file for each kind of thing that stands there.
const TABLES: &[&str] =
    &[include_str!("../rules/defaults/clients.yaml"), include_str!("../rules/defaults/brokers.yaml")];

/// Reads tables of clients as one.
///
/// # Errors
/// What is wrong with them: the YAML, a name that stands twice, an attribute that no call has, a value that does not
/// fit, a missing source.
pub fn clients(tables: &[&str]) -> Result<Clients, String> {
    let mut rows: Vec<Client> = Vec::new();
    for table in tables {
        let read: Vec<ClientRow> = serde_yaml::from_str(table).map_err(|error| error.to_string())?;
        for row in read.into_iter().map(client) {
            let row = row?;
            if rows.iter().any(|known| known.name == row.name) {
                return Err(format!("{} stands twice", row.name));
            }
            rows.push(row);
        }
    }
    Ok(Clients { rows })
}

fn client(row: ClientRow) -> Result<Client, String> {
    let defaults =
        row.defaults.into_iter().map(|default| client_default(&row.client, default)).collect::<Result<_, _>>()?;
    let kind = match row.kind {
        KindRow::Library => ClientKind::Library,
        KindRow::Proxy => ClientKind::Proxy,
        KindRow::Broker => ClientKind::Broker,
    };
    Ok(Client { name: row.client, title: row.title, kind, versions: row.versions, defaults })
}

fn client_default(client: &str, row: DefaultRow) -> Result<ClientDefault, String> {
    let key = Key::named(&row.set).ok_or_else(|| format!("{client}: there is no attribute `{}`", row.set))?;
    let setting = read_default(key, &row.value).map_err(|message| format!("{client}: {message}"))?;
    if !row.source.starts_with("https://") {
        return Err(format!("{client}: `{key}` has no source"));
    }
    let primary = matches!(row.read, ReadRow::Primary);
    Ok(ClientDefault { setting, written: row.value, meaning: row.meaning, source: row.source, primary, date: row.date })
}

/// The table of clients that is built in.
#[must_use]
pub fn built_in_clients() -> &'static Clients {
    static TABLE: std::sync::LazyLock<Clients> = std::sync::LazyLock::new(|| clients(TABLES).unwrap_or_default());
    &TABLE
}

/// What a provider charges for bytes between two places, unless the diagram states a price.
#[derive(Clone, Debug, PartialEq)]
pub struct TransportPrice {
    /// The word after `provider`.
    pub provider: String,
    /// How people call it.
    pub title: String,
    /// Between regions, and not between zones of one.
    pub regions: bool,
    /// Money for each byte that crosses.
    pub per_byte: f64,
    /// The currency.
    pub currency: String,
    /// The price as written in the table.
    pub written: String,
    /// What it means, as a phrase.
    pub meaning: String,
    /// Where it was read.
    pub source: String,
    /// Whether the source is the provider's own.
    pub primary: bool,
    /// When it was read.
    pub date: jiff::civil::Date,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceRow {
    provider: String,
    title: String,
    between: PlacesRow,
    price: String,
    meaning: String,
    source: String,
    read: ReadRow,
    date: jiff::civil::Date,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum PlacesRow {
    Zones,
    Regions,
}

/// Reads a table of transport prices.
///
/// # Errors
/// What is wrong with it: the YAML, a price that cannot be read, a missing source.
pub fn prices(text: &str) -> Result<Vec<TransportPrice>, String> {
    let rows: Vec<PriceRow> = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
    rows.into_iter().map(price).collect()
}

fn price(row: PriceRow) -> Result<TransportPrice, String> {
    let provider = &row.provider;
    let setting = read_default(Key::Price, &row.price).map_err(|message| format!("{provider}: {message}"))?;
    let per_byte = setting.money().ok_or_else(|| format!("{provider}: `{}` is no price", row.price))?;
    let currency = row.price.split([' ', '/']).nth(1).unwrap_or_default().to_owned();
    if !row.source.starts_with("https://") {
        return Err(format!("{provider}: the price has no source"));
    }
    Ok(TransportPrice {
        per_byte,
        currency,
        regions: matches!(row.between, PlacesRow::Regions),
        primary: matches!(row.read, ReadRow::Primary),
        provider: row.provider,
        title: row.title,
        written: row.price,
        meaning: row.meaning,
        source: row.source,
        date: row.date,
    })
}

/// The table of transport prices that is built in.
#[must_use]
pub fn built_in_prices() -> &'static [TransportPrice] {
    static TABLE: std::sync::LazyLock<Vec<TransportPrice>> =
        std::sync::LazyLock::new(|| prices(include_str!("../rules/defaults/prices.yaml")).unwrap_or_default());
    &TABLE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_without_source_or_date_is_refused() {
        let table = include_str!("../rules/defaults/prices.yaml");
        let rows = prices(table).expect("the table of prices");
        assert!(rows.iter().any(|row| row.provider == "aws" && row.currency == "USD" && !row.primary));
        let row = "- {provider: x, title: X, between: zones, price: 0.02 USD/GB, meaning: m, source: 'https://x', read: secondary, date: 2026-01-01}";
        assert!(prices(row).is_ok());
        for missing in ["source: 'https://x', ", ", date: 2026-01-01", "read: secondary, "] {
            assert!(prices(&row.replace(missing, "")).is_err(), "{missing}");
        }
        assert!(prices(&row.replace("https://x", "hearsay")).is_err());
        assert!(prices(&row.replace("0.02 USD/GB", "0.02")).is_err());
    }

    #[test]
    fn the_built_in_table_is_read() {
        let table = clients(TABLES).expect("the table of clients");
        assert!(table.named("istio").is_some() && table.named("grpc").is_some() && table.named("sqs").is_some());
    }

    #[test]
    fn an_entry_without_source_is_refused() {
        let row = "- client: x\n  title: X\n  kind: library\n  versions: all\n  defaults:\n    - {set: timeout, value: none, meaning: m, source: S, read: primary, date: 2026-01-01}\n";
        let read = |row: &str| clients(&[row]);
        assert!(read(&row.replace("source: S, ", "")).is_err());
        assert!(read(row).is_err());
        let whole = row.replace("source: S", "source: 'https://x'");
        assert!(read(&whole).is_ok());
        assert!(clients(&[&whole, &whole]).is_err(), "a name stands for one thing");
        assert!(read(&whole.replace(", date: 2026-01-01", "")).is_err());
    }
}
