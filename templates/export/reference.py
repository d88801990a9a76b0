#!/usr/bin/env python3
"""Makes reference.docx: the styles that pandoc gives the thesis sections in Word.

Times New Roman 12, 1.5 lines, justified; headings bold; captions 11, tied to their table or figure; tables with
rules above, below and under the head; the page of a Turkish thesis (A4, 4 cm on the left, 2.5 cm elsewhere).
Style names are pandoc's. Written from nothing with the standard library, always to the same bytes:

    python3 reference.py [OUT.docx]        # default: reference.docx beside this file
"""

import sys
import zipfile
from pathlib import Path

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
FONTS = '<w:rFonts w:ascii="{0}" w:hAnsi="{0}" w:eastAsia="{0}" w:cs="{0}"/>'
TEXT, CODE = "Times New Roman", "Courier New"


def run(bold=False, italic=False, size=None, font=None, colour=None):
    """Run properties; sizes in half points."""
    parts = [FONTS.format(font) if font else "", "<w:b/><w:bCs/>" if bold else "", "<w:i/><w:iCs/>" if italic else ""]
    parts += [f'<w:color w:val="{colour}"/>' if colour else ""]
    parts += [f'<w:sz w:val="{size}"/><w:szCs w:val="{size}"/>' if size else ""]
    return "".join(parts)


def spacing(before=0, after=0, line=360):
    """Distances in twentieths of a point; 360 is one and a half lines."""
    return f'<w:spacing w:before="{before}" w:after="{after}" w:line="{line}" w:lineRule="auto"/>'


def paragraph(name, identifier, based_on="Normal", following=None, properties="", characters="", extra="<w:qFormat/>"):
    based = f'<w:basedOn w:val="{based_on}"/>' if based_on else ""
    after = f'<w:next w:val="{following}"/>' if following else ""
    default = ' w:default="1"' if identifier == "Normal" else ""
    return (
        f'<w:style w:type="paragraph"{default} w:styleId="{identifier}"><w:name w:val="{name}"/>{based}{after}{extra}'
        f"<w:pPr>{properties}</w:pPr><w:rPr>{characters}</w:rPr></w:style>"
    )


def character(name, identifier, characters):
    return (
        f'<w:style w:type="character" w:customStyle="1" w:styleId="{identifier}"><w:name w:val="{name}"/>'
        f'<w:basedOn w:val="DefaultParagraphFont"/><w:rPr>{characters}</w:rPr></w:style>'
    )


def heading(level, size, before, italic=False):
    return paragraph(
        f"heading {level}",
        f"Heading{level}",
        following="FirstParagraph",
        properties="<w:keepNext/><w:keepLines/>" + spacing(before, 120) + f'<w:jc w:val="left"/><w:outlineLvl w:val="{level - 1}"/>',
        characters=run(bold=True, italic=italic, size=size, colour="000000"),
    )


def rule(side, size=8):
    return f'<w:{side} w:val="single" w:sz="{size}" w:space="0" w:color="000000"/>'


def styles():
    keep, left, centre, both = "<w:keepNext/>", '<w:jc w:val="left"/>', '<w:jc w:val="center"/>', '<w:jc w:val="both"/>'
    caption = run(size=22, colour="000000")
    return "".join([
        f"{HEAD}<w:styles {W}><w:docDefaults><w:rPrDefault><w:rPr>{run(size=24, font=TEXT)}",
        '<w:lang w:val="tr-TR" w:eastAsia="tr-TR" w:bidi="ar-SA"/></w:rPr></w:rPrDefault>',
        "<w:pPrDefault/></w:docDefaults>",
        paragraph("Normal", "Normal", None, properties=spacing(0, 0)),
        paragraph("Body Text", "BodyText", properties=spacing(0, 120) + both),
        paragraph("First Paragraph", "FirstParagraph", "BodyText", "BodyText"),
        paragraph("After Table", "AfterTable", "BodyText", "BodyText", properties=spacing(240, 120)),
        paragraph("Compact", "Compact", properties=spacing(30, 30, 240) + left, characters=run(size=21)),
        paragraph("Title", "Title", following="BodyText", properties=spacing(0, 240) + centre, characters=run(bold=True, size=32)),
        heading(1, 28, 480),
        heading(2, 26, 360),
        heading(3, 24, 300),
        heading(4, 24, 240, italic=True),
        heading(5, 24, 240, italic=True),
        paragraph("Block Text", "BlockText", "BodyText", properties='<w:ind w:left="567" w:right="567"/>' + spacing(120, 120, 300)),
        paragraph("caption", "Caption", properties=spacing(60, 120, 240) + left, characters=caption),
        # Above its table or figure a caption stays with what follows; below, the figure stays with it.
        paragraph("Table Caption", "TableCaption", "Caption", properties=spacing(60, 240, 240)),
        paragraph("Table Caption Above", "TableCaptionAbove", "TableCaption", properties=keep + spacing(240, 80, 240)),
        paragraph("Image Caption", "ImageCaption", "Caption", properties=spacing(60, 240, 240)),
        paragraph("Image Caption Above", "ImageCaptionAbove", "ImageCaption", properties=keep + spacing(240, 80, 240)),
        paragraph("Figure", "Figure", properties=spacing(0, 240, 240) + centre),
        paragraph("Captioned Figure", "CaptionedFigure", "Figure", properties=keep + spacing(240, 60, 240)),
        paragraph("Bibliography", "Bibliography", properties='<w:ind w:left="709" w:hanging="709"/>' + spacing(0, 120, 300) + left),
        paragraph("Source Code", "SourceCode", properties=spacing(60, 120, 240) + left, characters=run(size=20, font=CODE)),
        paragraph("footer", "Footer", properties=spacing(0, 0, 240) + centre, characters=run(size=22)),
        paragraph("footnote text", "FootnoteText", properties=spacing(0, 0, 240) + both, characters=run(size=20)),
        '<w:style w:type="character" w:default="1" w:styleId="DefaultParagraphFont">'
        '<w:name w:val="Default Paragraph Font"/></w:style>',
        character("Verbatim Char", "VerbatimChar", run(size=21, font=CODE)),
        character("Hyperlink", "Hyperlink", ""),
        character("Footnote Reference", "FootnoteReference", '<w:vertAlign w:val="superscript"/>'),
        '<w:style w:type="table" w:default="1" w:styleId="TableNormal"><w:name w:val="Normal Table"/><w:tblPr>'
        '<w:tblCellMar><w:left w:w="0" w:type="dxa"/><w:right w:w="160" w:type="dxa"/></w:tblCellMar></w:tblPr></w:style>',
        '<w:style w:type="table" w:customStyle="1" w:styleId="Table"><w:name w:val="Table"/>'
        '<w:basedOn w:val="TableNormal"/><w:qFormat/><w:tblPr><w:tblBorders>',
        rule("top", 12) + rule("bottom", 12),
        '</w:tblBorders></w:tblPr><w:trPr><w:cantSplit/></w:trPr><w:tblStylePr w:type="firstRow"><w:rPr><w:b/><w:bCs/></w:rPr>'
        f'<w:tcPr><w:tcBorders>{rule("bottom")}</w:tcBorders><w:vAlign w:val="bottom"/></w:tcPr></w:tblStylePr></w:style>',
        "</w:styles>",
    ])


CONTENT_TYPES = HEAD + (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    + "".join(
        f'<Override PartName="/{part}" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.{kind}+xml"/>'
        for part, kind in [
            ("word/document.xml", "document.main"),
            ("word/styles.xml", "styles"),
            ("word/settings.xml", "settings"),
            ("word/footer1.xml", "footer"),
        ]
    )
    + "</Types>"
)
PACKAGE = HEAD + (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="word/document.xml"/></Relationships>'
)
PARTS = HEAD + (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{OFFICE}/styles" Target="styles.xml"/>'
    f'<Relationship Id="rId2" Type="{OFFICE}/settings" Target="settings.xml"/>'
    f'<Relationship Id="rId3" Type="{OFFICE}/footer" Target="footer1.xml"/></Relationships>'
)
SETTINGS = HEAD + (
    f'<w:settings {W}><w:autoHyphenation w:val="false"/><w:defaultTabStop w:val="709"/>'
    '<w:themeFontLang w:val="tr-TR"/><w:decimalSymbol w:val=","/><w:listSeparator w:val=";"/></w:settings>'
)
FOOTER = HEAD + (
    f'<w:ftr {W}><w:p><w:pPr><w:pStyle w:val="Footer"/></w:pPr><w:fldSimple w:instr=" PAGE "><w:r><w:t>1</w:t></w:r>'
    "</w:fldSimple></w:p></w:ftr>"
)
# A4 in twentieths of a point: 4 cm on the left, 2.5 cm elsewhere.
DOCUMENT = HEAD + (
    f'<w:document {W} {R}><w:body><w:p><w:r><w:t>tezgah</w:t></w:r></w:p><w:sectPr>'
    '<w:footerReference w:type="default" r:id="rId3"/><w:pgSz w:w="11906" w:h="16838"/>'
    '<w:pgMar w:top="1418" w:right="1418" w:bottom="1418" w:left="2268" w:header="709" w:footer="709" w:gutter="0"/>'
    "</w:sectPr></w:body></w:document>"
)


def main():
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("reference.docx")
    parts = [
        ("[Content_Types].xml", CONTENT_TYPES),
        ("_rels/.rels", PACKAGE),
        ("word/document.xml", DOCUMENT),
        ("word/_rels/document.xml.rels", PARTS),
        ("word/styles.xml", styles()),
        ("word/settings.xml", SETTINGS),
        ("word/footer1.xml", FOOTER),
    ]
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in parts:
            # Stored and undated: the same bytes from every zlib and on every day.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), text)


if __name__ == "__main__":
    main()
