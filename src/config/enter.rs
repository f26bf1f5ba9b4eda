//! Taking in what people say, from a file or a flag: names that exist, values with their units, each mistake at its
//! place with what was probably meant. What a flag says is a text of its own, so that it has places too.

use super::{Config, Layer, Setting, level_name};
use crate::diagnostic::{Diagnostic, Edit};
use crate::rules::{ALL, FAMILIES, Rule, names};
use crate::source::{SourceId, SourceMap, Span};
use crate::vocabulary::{did_you_mean, suggest};

/// A flag that says something of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// `--select RULE,FAMILY`.
    Select,
    /// `--ignore RULE,FAMILY`.
    Ignore,
    /// `--error`, `--warn`, `--info`, `--off RULE,FAMILY`.
    Level(Setting),
    /// `--option RULE.KEY=VALUE`.
    Option,
}

impl Config {
    /// Takes in what stands behind a flag.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn flag(&mut self, flag: Flag, sources: &SourceMap, id: SourceId) -> Result<(), Vec<Diagnostic>> {
        let mut problems = Vec::new();
        if flag == Flag::Option {
            problems.extend(self.flags.flag_option(sources, id).err());
        } else {
            for (name, span) in parts(sources, id) {
                problems.extend(self.flags.flag_name(flag, name, span).err());
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems.into_iter().map(|problem| *problem).collect()) }
    }
}

/// Names between commas.
fn parts(sources: &SourceMap, id: SourceId) -> Vec<(&str, Span)> {
    let text = sources.get(id).map_or("", |source| source.text.as_str());
    let mut offset = 0;
    let parts = text.split(',').map(|part| {
        let start = offset + part.len() - part.trim_start().len();
        offset += part.len() + 1;
        (part.trim(), place(id, start, part.trim().len()))
    });
    parts.collect()
}

fn place(source: SourceId, start: usize, length: usize) -> Span {
    let at = |offset| u32::try_from(offset).unwrap_or(u32::MAX);
    Span { source, start: at(start), end: at(start + length) }
}

type Entered = Result<(), Box<Diagnostic>>;

impl Layer {
    fn flag_name(&mut self, flag: Flag, name: &str, span: Span) -> Entered {
        known(name, span)?;
        match flag {
            Flag::Select => drop(self.select.insert(name.to_owned(), span)),
            Flag::Ignore => drop(self.ignore.insert(name.to_owned(), span)),
            Flag::Level(level) => {
                let before = self.levels.insert(name.to_owned(), (level, span));
                if let Some((other, _)) = before.filter(|(other, _)| *other != level) {
                    let (other, level) = (level_name(other), level_name(level));
                    let message = format!("`{name}` is given two levels: `--{other}` and `--{level}`");
                    return Err(Box::new(Diagnostic::new(span, message).help("name it once")));
                }
            }
            Flag::Option => {}
        }
        Ok(())
    }

    fn flag_option(&mut self, sources: &SourceMap, id: SourceId) -> Entered {
        let text = sources.get(id).map_or("", |source| source.text.as_str());
        let halves = text.split_once('=').and_then(|(left, value)| Some((left.split_once('.')?, left, value)));
        let Some(((rule, key), left, value)) = halves else {
            let message = format!("`{text}` sets no option");
            let help = "write `--option RULE.KEY=VALUE`; `topolint explain RULE` lists the options of a rule";
            return Err(Box::new(Diagnostic::new(place(id, 0, text.len()), message).help(help)));
        };
        self.option(
            (rule, place(id, 0, rule.len())),
            (key, place(id, rule.len() + 1, key.len())),
            (value, place(id, left.len() + 1, value.len())),
        )
    }

    /// Sets an option: rule, key and value, each with its place.
    pub(super) fn option(&mut self, rule: (&str, Span), key: (&str, Span), value: (&str, Span)) -> Entered {
        self.option_of(optioned(rule.0, rule.1)?, key, value)
    }

    fn option_of(&mut self, rule: &'static Rule, key: (&str, Span), value: (&str, Span)) -> Entered {
        let declared = &rule.page().options;
        let Some(option) = declared.iter().find(|option| option.name == key.0) else {
            let message = format!("`{}` has no option `{}`", rule.name, key.0);
            let names = declared.iter().map(|option| option.name.as_str());
            let near = suggest(key.0, names.clone());
            let listed = || match names.map(|name| format!("`{name}`")).collect::<Vec<_>>().as_slice() {
                [] => "it has no options at all".to_owned(),
                [one] => format!("its only option is {one}"),
                several => format!("its options are {}", several.join(", ")),
            };
            let help = did_you_mean(&near).unwrap_or_else(listed);
            return Err(Box::new(with_edit(Diagnostic::new(key.1, message).help(help), key.1, &near)));
        };
        let name = format!("{}.{}", rule.name, option.name);
        let read = option.kind.read(&name, value.0).map_err(|(message, help)| {
            Box::new(help.into_iter().fold(Diagnostic::new(value.1, message), Diagnostic::help))
        })?;
        self.options.insert((rule.name, option.name.clone()), (read, key.1.to(value.1)));
        Ok(())
    }
}

/// The rule that an option is of.
fn optioned(name: &str, span: Span) -> Result<&'static Rule, Box<Diagnostic>> {
    if let Some(rule) = Rule::named(name) {
        return Ok(rule);
    }
    if FAMILIES.iter().any(|(family, _)| *family == name) {
        let message = format!("`{name}` is a family, and options belong to one rule");
        let help = format!("`topolint explain {name}` lists its rules");
        return Err(Box::new(Diagnostic::new(span, message).help(help)));
    }
    let near = suggest(name, ALL.iter().map(|rule| rule.name));
    let help = did_you_mean(&near).unwrap_or_else(|| "`topolint rules` lists all rules".to_owned());
    let problem = Diagnostic::new(span, format!("there is no rule `{name}`")).help(help);
    Err(Box::new(with_edit(problem, span, &near)))
}

/// Whether a name is that of a rule or family.
pub(super) fn known(name: &str, span: Span) -> Entered {
    if names().any(|known| known == name) {
        return Ok(());
    }
    let near = suggest(name, names());
    let help = did_you_mean(&near).unwrap_or_else(|| "`topolint rules` lists all rules and families".to_owned());
    let problem = Diagnostic::new(span, format!("there is no rule or family `{name}`")).help(help);
    Err(Box::new(with_edit(problem, span, &near)))
}

/// The only thing that comes near is probably meant.
fn with_edit(problem: Diagnostic, span: Span, near: &[&str]) -> Diagnostic {
    match near {
        [only] => {
            let edit = Edit { span, replacement: (*only).to_owned() };
            problem.fix(format!("write `{only}`"), false, vec![edit])
        }
        _ => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Look, rule_page};

    static TRIAL: Rule = Rule::trial(
        "trial",
        "summary: s\nlevel: warn\nwhy: w\nfix: f\nbad: b\ngood: g\noptions: [\
         {name: margin, type: duration, default: 5ms, meaning: how much may be missing},\
         {name: most, type: count, default: '10', meaning: so many are fine},\
         {name: except, type: words, default: '', meaning: these do not count}]",
    );

    /// Sets an option of the trial rule in a layer, as `key=value`.
    fn enter(layer: &mut Layer, sources: &mut SourceMap, text: &str) -> Entered {
        let id = sources.add("--option", text);
        let (key, value) = text.split_once('=').expect("key and value");
        let spans = (place(id, 0, key.len()), place(id, key.len() + 1, value.len()));
        layer.option_of(&TRIAL, (key, spans.0), (value, spans.1))
    }

    #[test]
    fn a_flag_sets_an_option_above_the_file_and_the_page_says_where() {
        let (mut config, mut sources) = (Config::default(), SourceMap::default());
        let mut file = Layer::default();
        enter(&mut file, &mut sources, "most=20").expect("an option");
        enter(&mut file, &mut sources, "margin=1s").expect("an option");
        config.files.push(super::super::file::Statements { layer: file, ..Default::default() });
        enter(&mut config.flags, &mut sources, "most=30").expect("an option");
        let options = config.options(&TRIAL);
        assert_eq!((options.count("most"), options.duration("margin").to_string().as_str()), (30, "1 s"));
        let page = rule_page(&TRIAL, &config, &sources, Look::default());
        for line in ["  margin: duration, default 5ms; set at --option:1:1: margin=1s\n", "    so many are fine\n"] {
            assert!(page.contains(line), "{page}");
        }
        assert!(page.contains("  except: words, default nothing\n"), "{page}");
        assert!(page.contains("options: { trial: { margin: 5ms } }"), "{page}");
    }

    #[test]
    fn a_wrong_option_is_refused_at_its_place_with_what_was_meant() {
        let (mut layer, mut sources) = (Layer::default(), SourceMap::default());
        let wrong = [
            ("margn=1s", (0, 5), "`trial` has no option `margn`", "did you mean `margin`?"),
            ("x=1s", (0, 1), "no option `x`", "its options are `margin`, `most`, `except`"),
            ("margin=10", (7, 9), "`trial.margin` needs a unit behind `10`", "`300ms`"),
            ("most=10ms", (5, 9), "a number without unit", "a whole number"),
            ("most=", (5, 5), "takes one value", "a whole number"),
        ];
        for (text, span, message, help) in wrong {
            let problem = enter(&mut layer, &mut sources, text).expect_err(text);
            assert_eq!((problem.primary.span.start, problem.primary.span.end), span, "{text}");
            assert!(problem.message.contains(message), "{text}: {}", problem.message);
            assert!(problem.help.iter().any(|said| said.contains(help)), "{text}: {:?}", problem.help);
        }
        assert_eq!(layer, Layer::default());
    }
}
