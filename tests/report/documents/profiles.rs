//! Profiles: the seed's look, an institute's own, and those that are not understood.

use super::render;
use crate::fixtures::{charts_of, fixture};
use tezgah::report::document;
use tezgah::report::profile::Profile;

fn section_of_the_seed(file: &str) -> String {
    let documents = render(&fixture("tohum"), "tohum");
    documents.into_iter().find(|document| document.file_name == file).expect("a section").markdown
}

/// Every figure that the seed's three thesis sections state, in the profile that has its look.
#[test]
fn the_seeds_sections_agree_with_the_seed() {
    let stated: [(&str, &[&str]); 3] = [
        (
            "yontem.md",
            &[
                "3.3 ",
                "Llama-3.2-1B-Instruct",
                "A1 düzeyi",
                "2000 örnek",
                "%90'ı eğitim",
                "%10'u değerlendirme",
                "Rank 128",
                "NVIDIA RTX 4090 24GB",
                "2 × 10⁻⁴",
                "büyüklüğü 64",
                "3 dönem",
                "AdamW",
                "gradient checkpointing",
                "4.5 bit",
            ],
        ),
        (
            "sonuclar.md",
            &[
                "4.1 A1",
                "1800 örneklik",
                "1.95'ten",
                "0.64'e",
                "%67",
                "0.82",
                "93 saniye",
                "4.2 ",
                "**Tablo 4.1:**",
                "2.63",
                "13.86",
                "1.47",
                "4.35",
                "%44.1",
                "%68.6'lık",
            ],
        ),
        ("tartisma.md", &["5.1 ", "%44.1'lik", "0.82", "1.47", "13.86'dan 4.35'e"]),
    ];
    for (file, figures) in stated {
        let text = section_of_the_seed(file);
        for figure in figures {
            assert!(text.contains(figure), "{file} does not state {figure}");
        }
    }
}

/// Parameters, warmup, token lengths.
#[test]
fn where_the_seed_is_wrong_the_sections_say_what_holds() {
    let text = section_of_the_seed;
    assert!(!text("yontem.md").contains("%99"));
    assert!(text("yontem.md").contains("%7.3'üne"));
    assert!(text("tartisma.md").contains("%92.7 daha azdır"));
    assert!(
        text("sonuclar.md")
            .contains("Isınma süresi (100 adım) eğitimin uzunluğundan (87 adım) kısa olmadığı")
    );
    assert!(text("yontem.md").contains("En uzun örnek 207 belirteçten"));
}

/// A profile of one's own: another word, captions under the tables, a chapter that other levels share.
#[test]
fn an_institutes_own_profile_is_followed() {
    let text = "name = \"enstitü\"\ndecimal = \"comma\"\ntable_word = \"Çizelge\"\ntable_caption = \"below\"\n\
                figure_caption = \"above\"\nafter_number = \":\"\n[method]\nchapter = 2\n[results]\nchapter = 5\n\
                first_section = 3\nfirst_table = 4\nfirst_figure = 6\n[discussion]\nchapter = 6\n\
                [model]\nname = \"Lama\"\nreading = \"lama\"\n";
    let profile = Profile::parse("enstitü.toml", text).expect("a profile");
    let record = fixture("iyi");
    let documents = document::render(&record, &charts_of(&record), &profile).expect("a fixture renders");
    let results =
        &documents.iter().find(|document| document.file_name == "sonuclar.md").expect("results").markdown;
    for expected in [
        "# 5.3 A1 Düzeyi",
        "Şekil 5.6'da, öğrenme oranı ile gradyan normu eklerde (Şekil E.1 ve Şekil E.2)",
        "Lama'nın ince ayardan önceki",
        "Çizelge 5.4'te yer almaktadır",
        "|\n\n**Çizelge 5.4:** Temel model",
        "değişimi\n\n![",
        "# 5.5 Örnek Çıktılar",
    ] {
        assert!(results.contains(expected), "{expected}\n{results}");
    }
    assert!(!results.contains("Tablo"));
}

#[test]
fn profiles_say_what_they_do_not_understand() {
    for (text, message) in [
        ("name = 1", "profile deneme.toml, line 1:"),
        ("name = \"x\"\ndecimal = \"virgül\"", "profile deneme.toml, line 2: unknown variant `virgül`"),
        ("name = \"x\"\n\nfont = \"Arial\"", "profile deneme.toml, line 3: unknown field `font`"),
    ] {
        let error = Profile::parse("deneme.toml", text).expect_err(text).to_string();
        assert!(error.contains(message), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    let error = Profile::ready("apa").expect_err("no such profile").to_string();
    assert!(error.contains("expected one of varsayilan, apa7, tohum"), "{error}");
}
