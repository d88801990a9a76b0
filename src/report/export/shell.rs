//! What all pages share: the policy of their own, their style, and the frame around their text.

use super::inline::escaped;

/// How every page looks.
pub(super) const STYLE: &str = include_str!("../../../templates/export/belge.css");

/// Nothing is fetched and nothing runs: pictures and icon are inside the page, so are its styles.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/// How a reader asks a number.
pub(super) const TOOLTIPS: &str = "Bir sayının kayıttaki yeri, imleç üzerine getirildiğinde ya da sayı \
                                   seçildiğinde görünür.";

/// A whole page around its contents and its text; `head` is what its head holds besides.
pub(super) fn shell(title: &str, head: &str, style: &str, contents: &str, main: &str) -> String {
    let title = escaped(title);
    let contents = match contents.is_empty() {
        true => String::new(),
        false => format!(
            "<nav aria-label=\"İçindekiler\">\n<details>\n<summary>İçindekiler</summary>\n{contents}</details>\n\
             </nav>\n"
        ),
    };
    format!(
        "<!DOCTYPE html>\n<html lang=\"tr\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n{head}\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"generator\" content=\"tezgah\">\n\
         <link rel=\"icon\" href=\"data:,\">\n<title>{title}</title>\n<style>\n{style}</style>\n</head>\n<body>\n\
         {contents}<main>\n{main}</main>\n</body>\n</html>\n"
    )
}
