//! The address of a server: where requests go, and what of it may be shown.

use crate::error::{Error, Result};

/// An address, taken apart.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// Where requests go, without user and password.
    pub(super) url: String,
    /// What records and messages show: no user, no password, no query.
    pub(super) shown: String,
    /// The header of user and password, where there are some.
    pub(super) basic: Option<String>,
    /// What must not be shown wherever it turns up.
    pub(super) secrets: Vec<String>,
}

/// What the protocol adds to every address.
const COMPLETIONS: &str = "/chat/completions";

impl Endpoint {
    /// Takes an address such as `http://127.0.0.1:5000/v1` apart.
    ///
    /// # Errors
    /// `Error::Setting`, without showing the address: it may hold a password.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let refuse = |got: &str| {
            let message = format!("expected an address such as http://127.0.0.1:5000/v1, got one {got}");
            Error::Setting { key: "endpoint".into(), message }
        };
        let text = text.trim();
        let scheme = ["http://", "https://"].into_iter().find(|scheme| text.starts_with(scheme));
        let scheme = scheme.ok_or_else(|| refuse("that begins with neither http:// nor https://"))?;
        if !text.chars().all(|letter| letter.is_ascii_graphic()) {
            return Err(refuse("with spaces or letters that no address has"));
        }
        let rest = text[scheme.len()..].split('#').next().unwrap_or_default();
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = place.split_at(place.find('/').unwrap_or(place.len()));
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        if host.is_empty() || host.starts_with(':') {
            return Err(refuse("without a host"));
        }
        if path.contains('@') {
            // Else the end of a password would pass for a path, and be shown.
            return Err(refuse("with an @ behind a slash: write %2F for a slash in a password"));
        }
        let path = path.trim_end_matches('/');
        let path = path.strip_suffix(COMPLETIONS).unwrap_or(path).trim_end_matches('/');
        let shown = format!("{scheme}{host}{path}");
        let mark = if query.is_empty() { "" } else { "?" };
        let values = query.split('&').filter_map(|pair| Some(pair.split_once('=')?.1.to_string()));
        let password = user.split_once(':').map(|(_, password)| password.to_string());
        let basic = (!user.is_empty()).then(|| format!("Basic {}", base64(user.as_bytes())));
        let sent = basic.iter().filter_map(|header| Some(header.split_once(' ')?.1.to_string()));
        Ok(Endpoint {
            url: format!("{shown}{COMPLETIONS}{mark}{query}"),
            secrets: values.chain(password).chain(sent).collect(),
            shown,
            basic,
        })
    }
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let byte = |index: usize| u32::from(three.get(index).copied().unwrap_or(0));
        let bits = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= three.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, base64};

    /// The test vectors of RFC 4648, section 10.
    #[test]
    fn base64_is_the_standards() {
        let vectors = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
        ];
        for (plain, coded) in vectors {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn what_is_shown_has_no_secret() {
        let parsed = |text: &str| Endpoint::parse(text).expect("an address");
        let plain = parsed("http://127.0.0.1:5000/v1/");
        assert_eq!(
            (plain.url.as_str(), plain.shown.as_str()),
            ("http://127.0.0.1:5000/v1/chat/completions", "http://127.0.0.1:5000/v1")
        );
        assert_eq!(plain.basic, None);
        let full = parsed("https://me:pass%2Fword@h.org/v1/chat/completions?version=2024-02-01&k=secret#end");
        assert_eq!(full.shown, "https://h.org/v1");
        assert_eq!(full.url, "https://h.org/v1/chat/completions?version=2024-02-01&k=secret");
        assert_eq!(full.basic.as_deref(), Some("Basic bWU6cGFzcyUyRndvcmQ="));
        assert_eq!(full.secrets, ["2024-02-01", "secret", "pass%2Fword", "bWU6cGFzcyUyRndvcmQ="]);
    }

    #[test]
    fn a_refused_address_is_not_shown() {
        for text in [
            "127.0.0.1:5000",
            "ftp://me:secret@h",
            "http://",
            "http://me:secret@/v1",
            "http://h/a secret",
            "http://me:se/cret@h",
        ] {
            let message = Endpoint::parse(text).err().expect("refused").to_string();
            assert!(
                message.starts_with("setting endpoint: expected") && !message.contains("cret"),
                "{message}"
            );
        }
    }
}
