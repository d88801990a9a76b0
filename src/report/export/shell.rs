//! What all pages share: the policy of their own, their style, and the frame around their text.

use super::inline::escaped;
use sha2::{Digest, Sha256};

/// How every page looks.
pub(super) const STYLE: &str = include_str!("../../../templates/export/belge.css");

/// Nothing is fetched: pictures and icon are inside the page, so are its styles. Nothing runs but `script`, which is known by
/// its hash, so that no foreign text can pose as it.
fn policy(script: &str) -> String {
    let scripts = match script {
        "" => String::new(),
        script => format!("script-src 'sha256-{}'; ", base64(Sha256::digest(script).as_slice())),
    };
    format!(
        "default-src 'none'; {scripts}style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    )
}

/// Six bits a letter, with `=` for what is missing of the last four.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, index| (bits << 8) | usize::from(*three.get(index).unwrap_or(&0)));
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place)) & 63];
            text.push(if place <= three.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

/// How a reader asks a number.
pub(super) const TOOLTIPS: &str = "Bir sayının kayıttaki yeri, imleç üzerine getirildiğinde ya da sayı \
                                   seçildiğinde görünür.";

/// A whole page around its contents and its text; `head` is what its head holds besides, and `script` what runs at its end,
/// which of most pages is nothing.
pub(super) fn shell(
    title: &str,
    head: &str,
    style: &str,
    contents: &str,
    main: &str,
    script: &str,
) -> String {
    let (title, policy) = (escaped(title), policy(script));
    let script = if script.is_empty() { String::new() } else { format!("<script>{script}</script>\n") };
    let contents = match contents.is_empty() {
        true => String::new(),
        false => format!(
            "<nav aria-label=\"İçindekiler\">\n<details>\n<summary>İçindekiler</summary>\n{contents}</details>\n\
             </nav>\n"
        ),
    };
    format!(
        "<!DOCTYPE html>\n<html lang=\"tr\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n{head}\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"generator\" content=\"tezgah\">\n\
         <link rel=\"icon\" href=\"data:,\">\n<title>{title}</title>\n<style>\n{style}</style>\n</head>\n<body>\n\
         {contents}<main>\n{main}</main>\n{script}</body>\n</html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vectors of RFC 4648, section 10.
    #[test]
    fn base64_is_that_of_the_rfc() {
        let encoded = ["", "f", "fo", "foo", "foob", "fooba", "foobar"].map(|text| base64(text.as_bytes()));
        assert_eq!(encoded, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"]);
    }
}
