//! "Did you mean": the words nearest to what was written.

/// At most three candidates near enough to be a slip of the pen, nearest first, then by name.
#[must_use]
pub fn suggest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let allowed = (written.chars().count() / 3).max(1);
    let lower = written.to_ascii_lowercase();
    let mut near: Vec<(usize, &str)> = candidates
        .into_iter()
        .filter(|candidate| candidate.len().abs_diff(written.len()) <= allowed * 2)
        .map(|candidate| (strsim::osa_distance(&lower, &candidate.to_ascii_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .collect();
    near.sort_unstable();
    near.dedup();
    near.truncate(3);
    near.into_iter().map(|(_, candidate)| candidate).collect()
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
    }

    #[test]
    fn the_question_reads_well() {
        assert_eq!(did_you_mean(&["a", "b", "c"]).as_deref(), Some("did you mean `a`, `b` or `c`?"));
        assert_eq!(did_you_mean::<&str>(&[]), None);
    }
}
