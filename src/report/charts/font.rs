//! The embedded font: Inter, cut to Latin, Turkish and the signs of a chart (see `data/fonts/make.sh`).

use ab_glyph::{Font, FontRef, GlyphId};
use std::sync::LazyLock;

static FONT: LazyLock<FontRef<'static>> = LazyLock::new(|| {
    FontRef::try_from_slice(include_bytes!("../../../data/fonts/Inter-Regular.otf"))
        .expect("the embedded file is an OpenType font; the tests set text with it")
});

/// The font itself.
pub(super) fn embedded() -> &'static FontRef<'static> {
    &FONT
}

/// Font units of the em square.
pub(super) fn units_per_em() -> f64 {
    f64::from(FONT.units_per_em().expect("an OpenType font has an em square"))
}

/// Height of a capital H, in the unit of `size`.
pub(super) fn cap_height(size: f64) -> f64 {
    // sCapHeight of the OS/2 table: 2048 of 2816 units.
    size * 2048.0 / 2816.0
}

/// ab_glyph's scale, ascent to descent, for an em of `size` pixels.
pub(super) fn scale(size: f64) -> f32 {
    (size * f64::from(FONT.height_unscaled()) / units_per_em()) as f32
}

/// Each glyph with its distance from the text's left end, in the unit of `size`.
pub(super) fn layout(text: &str, size: f64) -> Vec<(GlyphId, f64)> {
    let mut x = 0.0;
    text.chars()
        .map(|character| {
            let glyph = FONT.glyph_id(character);
            let here = x;
            x += advance(glyph, size);
            (glyph, here)
        })
        .collect()
}

/// Width of a text, in the unit of `size`.
pub(super) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(|character| advance(FONT.glyph_id(character), size)).sum()
}

fn advance(glyph: GlyphId, size: f64) -> f64 {
    f64::from(FONT.h_advance_unscaled(glyph)) * size / units_per_em()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(text: &str) -> String {
        text.chars().filter(|&character| FONT.glyph_id(character) == GlyphId(0)).collect()
    }

    #[test]
    fn the_subset_has_turkish_digits_and_signs() {
        assert_eq!(missing("ABCÇDEFGĞHIİJKLMNOÖPRSŞTUÜVYZabcçdefgğhıijklmnoöprsştuüvyzâîûqwx"), "");
        assert_eq!(missing("0123456789.,;:()[]%−–×→±≤≥≈/'’⁰¹²³⁴⁵⁶⁷⁸⁹⁻₀₁₂"), "");
        assert_eq!(missing("a語ж"), "語ж");
    }

    #[test]
    fn widths_are_the_fonts_own() {
        // from fontTools.ttLib import TTFont
        // font = TTFont("data/fonts/Inter-Regular.otf"); cmap, hmtx = font.getBestCmap(), font["hmtx"]
        // sum(hmtx[cmap[ord(c)]][0] for c in "Değerlendirme kaybı (× 10⁻⁴)")
        assert_eq!(width("Değerlendirme kaybı (× 10⁻⁴)", units_per_em()), 38484.0);
        // font["OS/2"].sCapHeight, font["head"].unitsPerEm
        assert_eq!((cap_height(2816.0), units_per_em()), (2048.0, 2816.0));
    }
}
