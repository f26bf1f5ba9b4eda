//! "Did you mean": the words nearest to what was written.

/// At most three candidates near enough to be a slip of the pen, nearest first, then by name.
#[must_use]
pub fn suggest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let allowed = (written.chars().count() / 3).max(1);
    let lower = written.to_ascii_lowercase();
    let mut near: Vec<(usize, &str)> = candidates
        .into_iter()
        .filter(|candidate| candidate.len().abs_diff(written.len()) <= allowed * 2)
        .filter(|candidate| letters_apart(&lower, candidate) <= allowed)
        .map(|candidate| (strsim::osa_distance(&lower, &candidate.to_ascii_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .collect();
    near.sort_unstable();
    near.dedup();
    near.truncate(3);
    near.into_iter().map(|(_, candidate)| candidate).collect()
}

/// In how many letters two words differ, wherever they stand: no fewer changes lead from one to the other. Nothing is
/// known of words that are not ASCII.
fn letters_apart(lower: &str, candidate: &str) -> usize {
    if !lower.is_ascii() || !candidate.is_ascii() {
        return 0;
    }
    let mut more = [0_i32; 128];
    let mut count = |byte: u8, by: i32| more.get_mut(usize::from(byte)).into_iter().for_each(|slot| *slot += by);
    lower.bytes().for_each(|byte| count(byte, 1));
    candidate.bytes().for_each(|byte| count(byte.to_ascii_lowercase(), -1));
    let (above, below) = more.iter().fold((0, 0), |(above, below), more| (above + more.max(&0), below - more.min(&0)));
    usize::try_from(above.max(below)).unwrap_or(0)
}

/// The question as a sentence, if there is anything to ask.
#[must_use]
pub fn did_you_mean<S: AsRef<str>>(suggestions: &[S]) -> Option<String> {
    let quoted: Vec<String> = suggestions.iter().map(|word| format!("`{}`", word.as_ref())).collect();
    let (last, first) = quoted.split_last()?;
    Some(if first.is_empty() {
        format!("did you mean {last}?")
    } else {
        format!("did you mean {} or {last}?", first.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_comes_first() {
        let words = ["timeout", "retries", "idle-timeout", "connect-timeout"];
        assert_eq!(suggest("timeuot", words), ["timeout"]);
        assert_eq!(suggest("retrys", words), ["retries"]);
        assert!(suggest("xyz", words).is_empty());
        for word in words {
            let mistaken = ["TIMEOUT", "connect-tmieout", "retrie", "idle_timeouts", "ümeout"];
            assert!(
                mistaken.iter().all(|other| letters_apart(&other.to_lowercase(), word)
                    <= strsim::osa_distance(&other.to_lowercase(), word))
            );
        }
    }

    #[test]
    fn the_question_reads_well() {
        assert_eq!(did_you_mean(&["a", "b", "c"]).as_deref(), Some("did you mean `a`, `b` or `c`?"));
        assert_eq!(did_you_mean::<&str>(&[]), None);
    }
}
