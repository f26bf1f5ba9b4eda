//! From value tokens to typed values, guided by the form in the vocabulary. Says exactly which token is wrong and
//! what was expected there.

use jiff::civil::Date;

use super::units::{self, Duration, Fault, Number};
use crate::diagnostic::{Diagnostic, Edit, Problem};
use crate::source::{SourceMap, Span};
use crate::syntax::{Value, ValueKind};
use crate::vocabulary::{Form, Slot, did_you_mean, suggest};

/// One typed value.
#[derive(Clone, Debug, PartialEq)]
pub enum Datum {
    /// A word of the language.
    Word(&'static str),
    /// A time.
    Duration(Duration),
    /// Two times, the smaller first.
    DurationRange(Duration, Duration),
    /// Per second.
    Rate(f64),
    /// Between 0 and 1.
    Share(f64),
    /// Bytes.
    Size(u64),
    /// Bits per second.
    Bandwidth(f64),
    /// Money per byte, and the currency.
    Price(f64, Span),
    /// Money per second, and the currency.
    Cost(f64, Span),
    /// A whole number.
    Count(u64),
    /// Two whole numbers, the smaller first.
    CountRange(u64, u64),
    /// Between 0 and 1.
    Quantile(f64),
    /// A day.
    Date(Date),
    /// A word or text of one's own; its quotes included.
    Name(Span),
    /// The name of something declared, still to be looked up.
    Reference(Slot, Span),
}

/// Reads the tokens between two commas by a form. `what` is the name of the attribute, for messages.
///
/// # Errors
/// The problem with the first token that does not fit.
pub fn read(
    sources: &SourceMap,
    what: &str,
    head: Span,
    form: &Form,
    tokens: &[Value],
) -> Result<Vec<Datum>, Box<Problem>> {
    // Nearly always a token is a datum.
    let data = Vec::with_capacity(tokens.len());
    let mut reader = Reader { sources, what, tokens, data, furthest: 0, expected: Vec::new(), fault: None };
    let mut longest = 0;
    let is_read = reader.walk(form, 0, &mut |_, next| {
        longest = longest.max(next);
        next == tokens.len()
    });
    if is_read {
        return Ok(reader.data);
    }
    // Where something was read and more stands behind it, the next token is too much.
    if longest > reader.furthest && longest < tokens.len() {
        reader.furthest = longest;
        reader.expected.clear();
    }
    Err(Box::new(reader.problem(head)))
}

struct Reader<'a> {
    sources: &'a SourceMap,
    what: &'a str,
    tokens: &'a [Value],
    /// What was read on the way that is tried.
    data: Vec<Datum>,
    /// The token furthest to the right that did not fit, and what would have.
    furthest: usize,
    expected: Vec<Slot>,
    /// A token of the right kind with a wrong value.
    fault: Option<(usize, Box<Problem>)>,
}

/// What is to be read behind a form, from a token on; whether that went well.
type Then<'t, 'a> = &'t mut dyn FnMut(&mut Reader<'a>, usize) -> bool;

impl<'a> Reader<'a> {
    /// Reads a form from a token on, and then what follows, one way after another until one goes well. Forms are tiny,
    /// so trying all ways is cheap.
    fn walk(&mut self, form: &Form, at: usize, then: Then<'_, 'a>) -> bool {
        match form {
            Form::Slot(slot) => {
                let Some((next, datum)) = self.slot(*slot, at) else { return false };
                let read = self.data.len();
                self.data.push(datum);
                let is_read = then(self, next);
                if !is_read {
                    self.data.truncate(read);
                }
                is_read
            }
            Form::Any(forms) => forms.iter().any(|form| self.walk(form, at, then)),
            Form::Maybe(form) => self.walk(form, at, then) || then(self, at),
            Form::All(forms) => self.sequence(forms, at, then),
        }
    }

    fn sequence(&mut self, forms: &[Form], at: usize, then: Then<'_, 'a>) -> bool {
        match forms {
            [] => then(self, at),
            [first, rest @ ..] => self.walk(first, at, &mut |reader, next| reader.sequence(rest, next, then)),
        }
    }

    fn slot(&mut self, slot: Slot, at: usize) -> Option<(usize, Datum)> {
        let read = match self.tokens.get(at) {
            Some(token) => self.token(slot, *token, at),
            None => Ok(None),
        };
        match read {
            Ok(Some((used, datum))) => return Some((at + used, datum)),
            Ok(None) => {}
            Err(problem) => {
                if self.fault.as_ref().is_none_or(|(earlier, _)| *earlier < at) {
                    self.fault = Some((at, problem));
                }
            }
        }
        if at > self.furthest {
            self.furthest = at;
            self.expected.clear();
        }
        if at == self.furthest && !self.expected.contains(&slot) {
            self.expected.push(slot);
        }
        None
    }

    /// Reads one slot: how many tokens it took and what they say, `None` if they are of another kind.
    fn token(&self, slot: Slot, token: Value, at: usize) -> Result<Option<(usize, Datum)>, Box<Problem>> {
        let text = self.sources.text(token.span);
        let one = |datum: Datum| Ok(Some((1, datum)));
        match (slot, token.kind) {
            (Slot::Word(word), ValueKind::Path) if text == word => one(Datum::Word(word)),
            (Slot::Name, _) | (Slot::Text | Slot::Client | Slot::Rule, ValueKind::Text) => one(Datum::Name(token.span)),
            (Slot::Client | Slot::Rule, ValueKind::Path) => one(Datum::Reference(slot, token.span)),
            (Slot::Node | Slot::Operation | Slot::Queue | Slot::Policy, ValueKind::Path | ValueKind::Quantile) => {
                one(Datum::Reference(slot, token.span))
            }
            (Slot::Quantile, ValueKind::Quantile) => {
                let share = text.strip_prefix('p').and_then(|number| number.parse::<f64>().ok()).unwrap_or(0.0) / 100.0;
                if share > 0.0 && share < 1.0 {
                    return one(Datum::Quantile(share));
                }
                Err(Self::wrong("wrong-value", token.span, format!("`{text}` is no quantile"), Slot::Quantile))
            }
            (_, ValueKind::Quantity) => self.quantity(slot, token, at),
            _ => Ok(None),
        }
    }

    fn quantity(&self, slot: Slot, token: Value, at: usize) -> Result<Option<(usize, Datum)>, Box<Problem>> {
        let text = self.sources.text(token.span);
        let number = |text| Number::split(text).map_err(|fault| self.fault(slot, token.span, text, fault));
        match slot {
            Slot::Count if !text.contains("..") => {
                let (count, rest) = number(text)?;
                let bare = rest.is_empty() && !text.starts_with('+');
                let Ok(count) = count.whole().map_err(|fault| self.fault(slot, token.span, text, fault)) else {
                    return Err(Self::wrong(
                        "wrong-value",
                        token.span,
                        format!("`{text}` is no whole number that `{}` could take", self.what),
                        slot,
                    ));
                };
                if bare {
                    return Ok(Some((1, Datum::Count(count))));
                }
                Err(Self::wrong(
                    "wrong-unit",
                    token.span,
                    format!("`{}` is a number without unit, not `{text}`", self.what),
                    slot,
                ))
            }
            Slot::CountRange => {
                let Some((low, high)) = text.split_once("..") else { return Ok(None) };
                let ((low, _), (high, _)) = (number(low)?, number(high)?);
                let (Ok(low), Ok(high)) = (low.whole(), high.whole()) else {
                    return Err(Self::wrong(
                        "wrong-value",
                        token.span,
                        format!("`{text}` is no range of whole numbers"),
                        slot,
                    ));
                };
                self.ordered(slot, token.span, low <= high)?;
                Ok(Some((1, Datum::CountRange(low, high))))
            }
            Slot::DurationRange => {
                let Some((low, high)) = text.split_once("..") else { return Ok(None) };
                let low = self.scaled(slot, token.span, low, units::TIMES)?;
                let high = self.scaled(slot, token.span, high, units::TIMES)?;
                self.ordered(slot, token.span, low <= high)?;
                Ok(Some((1, Datum::DurationRange(Duration::from_nanoseconds(low), Duration::from_nanoseconds(high)))))
            }
            Slot::Duration | Slot::Size | Slot::Bandwidth => self.measured(slot, token, at),
            Slot::Rate => {
                let (count, rest) = number(text)?;
                let Some(seconds) = units::unit(units::RATES, rest) else {
                    return Err(self.unit_fault(slot, token.span, text));
                };
                Ok(Some((1, Datum::Rate(count.float() / seconds))))
            }
            Slot::Percent => {
                let (count, rest) = number(text)?;
                if rest != "%" {
                    return Err(self.unit_fault(slot, token.span, text));
                }
                if count.float() > 100.0 {
                    return Err(Self::wrong("wrong-value", token.span, format!("`{text}` is more than all"), slot));
                }
                Ok(Some((1, Datum::Share(count.float() / 100.0))))
            }
            Slot::Price | Slot::Cost => self.money(slot, token, at),
            Slot::Date => match text.parse::<Date>() {
                Ok(date) => Ok(Some((1, Datum::Date(date)))),
                Err(_) => Err(Self::wrong("wrong-value", token.span, format!("`{text}` is no day"), slot)),
            },
            _ => Ok(None),
        }
    }

    /// A number with a unit, which may stand apart: `300ms` and `300 ms`.
    fn measured(&self, slot: Slot, token: Value, at: usize) -> Result<Option<(usize, Datum)>, Box<Problem>> {
        let text = self.sources.text(token.span);
        let units = match slot {
            Slot::Duration => units::TIMES,
            Slot::Size => units::SIZES,
            _ => units::BANDWIDTHS,
        };
        let datum = |value: u64| match slot {
            Slot::Duration => Datum::Duration(Duration::from_nanoseconds(value)),
            Slot::Size => Datum::Size(value),
            #[allow(clippy::cast_precision_loss, reason = "a bandwidth is measured, not counted")]
            _ => Datum::Bandwidth(value as f64),
        };
        if let Ok((number, "")) = Number::split(text)
            && let Some(next) = self.tokens.get(at + 1).filter(|next| next.kind == ValueKind::Path && !next.comma)
            && let Some(factor) = units::unit(units, self.sources.text(next.span))
        {
            let value = number.times(factor).map_err(|fault| self.fault(slot, token.span, text, fault))?;
            return Ok(Some((2, datum(value))));
        }
        self.scaled(slot, token.span, text, units).map(|value| Some((1, datum(value))))
    }

    fn money(&self, slot: Slot, token: Value, at: usize) -> Result<Option<(usize, Datum)>, Box<Problem>> {
        let text = self.sources.text(token.span);
        let (amount, rest) = Number::split(text).map_err(|fault| self.fault(slot, token.span, text, fault))?;
        let Some(ratio) = self.tokens.get(at + 1).filter(|next| next.kind == ValueKind::Ratio && rest.is_empty())
        else {
            return Err(self.unit_fault(slot, token.span, text));
        };
        let written = self.sources.text(ratio.span);
        let (currency, per) = written.split_once('/').unwrap_or((written, ""));
        let currency_span = Span { end: ratio.span.start + u32::try_from(currency.len()).unwrap_or(0), ..ratio.span };
        let datum = match slot {
            #[allow(clippy::cast_precision_loss, reason = "a unit of size is far below 2^53")]
            Slot::Price => {
                units::unit(units::SIZES, per).map(|bytes| Datum::Price(amount.float() / bytes as f64, currency_span))
            }
            _ => units::unit(units::PERIODS, per).map(|seconds| Datum::Cost(amount.float() / seconds, currency_span)),
        };
        match datum {
            Some(datum) => Ok(Some((2, datum))),
            None => Err(self.unit_fault(slot, ratio.span, written)),
        }
    }

    fn scaled(&self, slot: Slot, span: Span, text: &str, units: &[(&str, u64)]) -> Result<u64, Box<Problem>> {
        let (number, rest) = Number::split(text).map_err(|fault| self.fault(slot, span, text, fault))?;
        let Some(factor) = units::unit(units, rest) else { return Err(self.unit_fault(slot, span, text)) };
        number.times(factor).map_err(|fault| self.fault(slot, span, text, fault))
    }

    fn ordered(&self, slot: Slot, span: Span, ordered: bool) -> Result<(), Box<Problem>> {
        let text = self.sources.text(span);
        if ordered {
            Ok(())
        } else {
            Err(Self::wrong("wrong-value", span, format!("the range `{text}` ends before it starts"), slot))
        }
    }

    fn unit_fault(&self, slot: Slot, span: Span, text: &str) -> Box<Problem> {
        let bare = Number::split(text).is_ok_and(|(_, rest)| rest.is_empty());
        let message = if bare {
            format!("`{}` needs a unit behind `{text}`", self.what)
        } else {
            format!("`{text}` has no unit that `{}` could take", self.what)
        };
        Self::wrong("wrong-unit", span, message, slot)
    }

    fn fault(&self, slot: Slot, span: Span, text: &str, fault: Fault) -> Box<Problem> {
        let message = match fault {
            Fault::Negative => format!("`{}` cannot be negative", self.what),
            Fault::Overflow => {
                let short: String = text.chars().take(24).collect();
                let more = if short.len() < text.len() { "…" } else { "" };
                format!("`{short}{more}` is too large for `{}`", self.what)
            }
            Fault::NotANumber => format!("`{text}` is no value for `{}`", self.what),
        };
        Self::wrong("wrong-value", span, message, slot)
    }

    fn wrong(rule: &'static str, span: Span, message: String, slot: Slot) -> Box<Problem> {
        Box::new(Problem::new(rule, Diagnostic::new(span, message).help(format!("write {}", slot.expectation()))))
    }

    fn problem(self, head: Span) -> Problem {
        if let Some((at, problem)) = self.fault
            && at >= self.furthest
        {
            return *problem;
        }
        let words: Vec<&str> = self
            .expected
            .iter()
            .filter_map(|slot| if let Slot::Word(word) = slot { Some(*word) } else { None })
            .collect();
        let Some(token) = self.tokens.get(self.furthest) else {
            let message = if self.tokens.is_empty() {
                format!("`{}` needs a value", self.what)
            } else {
                format!("`{}` is not complete", self.what)
            };
            return Problem::new(
                "wrong-value",
                Diagnostic::new(head.after(), message).help(expectation(&self.expected)),
            );
        };
        let text = self.sources.text(token.span);
        let diagnostic = Diagnostic::new(
            token.span,
            if self.expected.is_empty() {
                format!("`{}` takes nothing more, so `{text}` is too much", self.what)
            } else {
                format!("`{text}` is no value for `{}`", self.what)
            },
        );
        let near = suggest(text, words.iter().copied());
        let mut diagnostic = match did_you_mean(&near) {
            Some(question) => diagnostic.help(question),
            None if self.expected.is_empty() => diagnostic.help("remove it, or end the statement before it with `;`"),
            None => diagnostic.help(expectation(&self.expected)),
        };
        if let [only] = near.as_slice() {
            diagnostic = diagnostic.fix(
                format!("write `{only}`"),
                false,
                vec![Edit { span: token.span, replacement: (*only).to_owned() }],
            );
        }
        Problem::new("wrong-value", diagnostic)
    }
}

/// "write `a`, `b` or a duration, …".
fn expectation(expected: &[Slot]) -> String {
    let all: Vec<String> = expected.iter().map(|slot| slot.expectation()).collect();
    match all.split_last() {
        None => "remove it".to_owned(),
        Some((last, [])) => format!("write {last}"),
        Some((last, first)) => format!("write {} or {last}", first.join(", ")),
    }
}
