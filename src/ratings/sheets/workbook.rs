//! A rater's workbook: a sheet that says how to rate, and a sheet of items with dropdowns.
//!
//! All but the answers is protected, without a password: against a slip, not against a will. No cell is a formula, whatever a
//! model wrote. The same sheet gives the same bytes: the file's time is the run's start, not the clock's.

use super::layout::{Columns, Form, INSTRUCTIONS, ITEMS, Line, NUMBER, PREFERENCES, TASK, TEXTS, TITLE};
use crate::error::{Error, Result};
use crate::ratings::criteria::Questionnaire;
use rust_xlsxwriter::{
    DataValidation, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, ProtectionOptions,
    Workbook, Worksheet, XlsxError,
};

/// Heights are in points: one line of 11-point text, and the most that Excel allows.
const LINE_HEIGHT: f64 = 15.0;
const HIGHEST: f64 = 409.0;

/// Widths are in digits of the standard font.
const TASK_WIDTH: f64 = 34.0;
const TEXT_WIDTH: f64 = 52.0;
/// Of a sheet with a text that the usual width cannot show in the highest line.
const LONG_TEXT_WIDTH: f64 = 90.0;
const SCORE_WIDTH: f64 = 13.0;
const NOTE_WIDTH: f64 = 32.0;

/// A4 in Excel's list of papers.
const A4: u8 = 9;

/// Columns of the instructions: criterion, question, five anchors.
const GUIDE_WIDTHS: [f64; 7] = [20.0, 40.0, 24.0, 24.0, 24.0, 24.0, 24.0];

/// Background of headers, and of the cells that wait for an answer.
const SHADE: &str = "E8ECEF";
const ANSWER: &str = "FFFBE6";
const LINES: &str = "B8B8B8";

/// The bytes of the workbook of one rater.
///
/// # Errors
/// `Error::Report` for what the format cannot hold, and for a moment that is no date.
pub(super) fn workbook(form: &Form) -> Result<Vec<u8>> {
    fill(form).map_err(|error| Error::Report(format!("workbook of rater {}: {error}", form.rater)))
}

fn fill(form: &Form) -> std::result::Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    // The offset from UTC is left out: the file has no place for it, and it is no time of anything that a rater did.
    let moment = form.moment.get(..19).unwrap_or(form.moment);
    let moment = ExcelDateTime::parse_from_str(moment)?;
    let title = format!("{TITLE} – {}", form.rater);
    workbook.set_properties(&DocProperties::new().set_title(title).set_creation_datetime(&moment));
    guide(workbook.add_worksheet(), form)?;
    items(workbook.add_worksheet(), form)?;
    workbook.save_to_buffer()
}

/// Bordered, wrapped, from the top: every cell of a table.
fn cell() -> Format {
    let border = Format::new().set_border(FormatBorder::Thin).set_border_color(LINES);
    border.set_text_wrap().set_align(FormatAlign::Top)
}

fn header() -> Format {
    cell().set_bold().set_background_color(SHADE).set_align(FormatAlign::Center)
}

/// What it takes to show `text` in a column of `width`; words that do not fit move down, so a line is not quite full.
fn height(text: &str, width: f64) -> f64 {
    let of = |paragraph: &str| (paragraph.chars().count() as f64 / (width * 0.92)).ceil().max(1.0);
    let lines: f64 = text.split('\n').map(of).sum();
    lines * LINE_HEIGHT + 4.0
}

/// Consent, instructions and criteria.
fn guide(sheet: &mut Worksheet, form: &Form) -> std::result::Result<(), XlsxError> {
    let questionnaire = form.questionnaire;
    sheet.set_name(INSTRUCTIONS)?;
    for (column, width) in GUIDE_WIDTHS.into_iter().enumerate() {
        sheet.set_column_width(column as u16, width)?;
    }
    let heading = Format::new().set_bold().set_font_size(13).set_align(FormatAlign::Top);
    let paragraph = Format::new().set_text_wrap().set_align(FormatAlign::Top);
    let mut row = 0;
    let mut say = |sheet: &mut Worksheet, text: &str, format: &Format| {
        sheet.merge_range(row, 0, row, GUIDE_WIDTHS.len() as u16 - 1, text, format)?;
        sheet.set_row_height(row, height(text, GUIDE_WIDTHS.iter().sum()).clamp(20.0, HIGHEST))?;
        row += 1;
        Ok::<u32, XlsxError>(row)
    };
    say(sheet, &format!("{TITLE} · Değerlendirici {}", form.rater), &heading)?;
    say(sheet, "Bilgilendirme ve onam", &heading)?;
    for text in &questionnaire.consent {
        say(sheet, text, &paragraph)?;
    }
    say(sheet, "Nasıl değerlendireceksiniz?", &heading)?;
    for (index, text) in questionnaire.instructions.iter().chain(&questionnaire.workbook).enumerate() {
        say(sheet, &format!("{}. {text}", index + 1), &paragraph)?;
    }
    say(sheet, "Tercih", &heading)?;
    say(sheet, &questionnaire.preference, &paragraph)?;
    let first = say(sheet, "Ölçütler", &heading)?;
    criteria(sheet, questionnaire, first)?;
    sheet
        .protect()
        .set_landscape()
        .set_paper_size(A4)
        .set_print_fit_to_pages(1, 0)
        .set_margins(0.4, 0.4, 0.5, 0.5, 0.3, 0.3);
    Ok(())
}

/// The table of criteria with their anchors, its header in row `first`.
fn criteria(
    sheet: &mut Worksheet,
    questionnaire: &Questionnaire,
    first: u32,
) -> std::result::Result<(), XlsxError> {
    for (column, text) in ["Ölçüt", "Soru", "1", "2", "3", "4", "5"].into_iter().enumerate() {
        sheet.write_string_with_format(first, column as u16, text, &header())?;
    }
    for (criterion, row) in questionnaire.criteria.iter().zip(first + 1..) {
        let texts = [&criterion.name, &criterion.question].into_iter().chain(&criterion.anchors);
        let mut highest: f64 = LINE_HEIGHT;
        for ((column, text), width) in texts.enumerate().zip(GUIDE_WIDTHS) {
            let format = if column == 0 { cell().set_bold() } else { cell() };
            sheet.write_string_with_format(row, column as u16, text, &format)?;
            highest = highest.max(height(text, width));
        }
        sheet.set_row_height(row, highest.min(HIGHEST))?;
    }
    Ok(())
}

/// A line an item, its answers empty.
fn items(sheet: &mut Worksheet, form: &Form) -> std::result::Result<(), XlsxError> {
    let columns = Columns::of(form.questionnaire);
    sheet.set_name(ITEMS)?;
    for (column, text) in columns.headers(form.questionnaire).iter().enumerate() {
        sheet.write_string_with_format(0, column as u16, text, &header())?;
    }
    sheet.set_row_height(0, 4.0 * LINE_HEIGHT)?;
    let width = text_width(&form.lines);
    for (line, row) in form.lines.iter().zip(1u32..) {
        item(sheet, form, columns, line, row)?;
        let texts = line.texts.iter().map(|text| height(text, width));
        let highest = texts.fold(height(&line.task, TASK_WIDTH), f64::max);
        sheet.set_row_height(row, highest.clamp(2.0 * LINE_HEIGHT, HIGHEST))?;
    }
    set_widths(sheet, columns, width)?;
    ask(sheet, columns, form.lines.len() as u32)?;
    let mut allowed = ProtectionOptions::new();
    (allowed.format_columns, allowed.format_rows) = (true, true);
    sheet.protect_with_options(&allowed).set_freeze_panes(1, 1)?;
    sheet.set_repeat_rows(0, 0)?.set_landscape().set_paper_size(A4).set_print_fit_to_pages(1, 0);
    sheet.set_margins(0.3, 0.3, 0.5, 0.5, 0.3, 0.3).set_footer("&C&P / &N");
    Ok(())
}

/// One item in `row`, its number being that of the row below the header.
fn item(
    sheet: &mut Worksheet,
    form: &Form,
    columns: Columns,
    line: &Line,
    row: u32,
) -> std::result::Result<(), XlsxError> {
    let answer = cell().set_unlocked().set_background_color(ANSWER);
    let centered = answer.clone().set_align(FormatAlign::Center);
    sheet.write_number_with_format(
        row,
        NUMBER as u16,
        row,
        &cell().set_bold().set_align(FormatAlign::Center),
    )?;
    sheet.write_string_with_format(row, TASK as u16, &line.task, &cell())?;
    for (column, text) in TEXTS.into_iter().zip(&line.texts) {
        sheet.write_string_with_format(row, column as u16, text, &cell())?;
    }
    for column in columns.scores(0)[0]..columns.note() {
        sheet.write_blank(row, column as u16, &centered)?;
    }
    sheet.write_blank(row, columns.note() as u16, &answer)?;
    sheet.write_string_with_format(row, columns.code() as u16, form.code, &cell())?;
    Ok(())
}

/// The width at which the longest text can be shown, where there is one.
fn text_width(lines: &[Line]) -> f64 {
    let mut texts = lines.iter().flat_map(|line| &line.texts);
    if texts.any(|text| height(text, TEXT_WIDTH) > HIGHEST) { LONG_TEXT_WIDTH } else { TEXT_WIDTH }
}

fn set_widths(sheet: &mut Worksheet, columns: Columns, text: f64) -> std::result::Result<(), XlsxError> {
    sheet.set_column_width(NUMBER as u16, 5.0)?;
    sheet.set_column_width(TASK as u16, TASK_WIDTH)?;
    for column in TEXTS {
        sheet.set_column_width(column as u16, text)?;
    }
    for column in columns.scores(0)[0]..columns.note() {
        sheet.set_column_width(column as u16, SCORE_WIDTH)?;
    }
    sheet.set_column_width(columns.note() as u16, NOTE_WIDTH)?;
    sheet.set_column_hidden(columns.code() as u16)?;
    Ok(())
}

/// The dropdowns of `items` lines.
fn ask(sheet: &mut Worksheet, columns: Columns, items: u32) -> std::result::Result<(), XlsxError> {
    let scores = DataValidation::new()
        .allow_list_strings(&["1", "2", "3", "4", "5"])?
        .set_error_title("Geçersiz puan")?
        .set_error_message(
            "Lütfen 1, 2, 3, 4 ya da 5 yazın veya listeden seçin. Emin değilseniz hücreyi boş bırakın.",
        )?;
    let preference = DataValidation::new()
        .allow_list_strings(&PREFERENCES)?
        .set_error_title("Geçersiz tercih")?
        .set_error_message(
            "Lütfen A, B ya da Eşit yazın veya listeden seçin. Emin değilseniz hücreyi boş bırakın.",
        )?;
    let last = columns.preference() as u16;
    sheet.add_data_validation(1, columns.scores(0)[0] as u16, items, last - 1, &scores)?;
    sheet.add_data_validation(1, last, items, last, &preference)?;
    Ok(())
}
