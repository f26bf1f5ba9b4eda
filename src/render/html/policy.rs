//! What the browser may do with the page: run and apply what is in it, byte for byte, and fetch nothing.

use sha2::{Digest as _, Sha256};

/// The policy of a page with one style sheet and one script. Data that is not run needs no leave.
pub(super) fn policy(style: &str, script: &str) -> String {
    let [style, script] = [style, script].map(|text| base64(&Sha256::digest(text.as_bytes())));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; base-uri 'none'; form-action 'none'"
    )
}

/// Base 64, with padding (RFC 4648).
fn base64(bytes: &[u8]) -> String {
    let letter = |six: u32| match u8::try_from(six & 63).unwrap_or(0) {
        low @ 0..26 => b'A' + low,
        low @ 26..52 => b'a' + low - 26,
        low @ 52..62 => b'0' + low - 52,
        62 => b'+',
        _ => b'/',
    };
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let whole = three.iter().chain([&0, &0]).take(3).fold(0_u32, |whole, byte| whole << 8 | u32::from(*byte));
        let letters = [18, 12, 6, 0].map(|shift| char::from(letter(whole >> shift)));
        let kept = letters.into_iter().take(three.len() + 1);
        text.extend(kept.chain(std::iter::repeat_n('=', 3 - three.len())));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn the_examples_of_the_standard() {
        let examples = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (bytes, text) in examples {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xfe]), "+//+");
    }
}
