-- A thesis section on its way to Word or LaTeX.
--
-- The section comes as plain CommonMark. What Markdown has no word for is recognised by its place, as in
-- blocks.rs: a paragraph that begins with a bold number, "**Tablo 4.1.** Title", next to a table or chart is its
-- caption; a list under "Kaynaklar" is the bibliography. Numbers are the text's own: neither Word nor LaTeX counts
-- again, but both know them as numbers of tables and figures, so that their lists of tables can be made.

local is_latex = FORMAT:match('latex') ~= nil
local KINDS = { Tablo = 'Table', ['Çizelge'] = 'Table', ['Şekil'] = 'Figure' }

local function latex(text)
  return pandoc.RawInline('latex', text)
end

local function styled(style, blocks)
  return pandoc.Div(blocks, pandoc.Attr('', {}, { ['custom-style'] = style }))
end

-- Characters -----------------------------------------------------------------------------------------------

local SUPERSCRIPTS = {
  ['⁰'] = '0', ['¹'] = '1', ['²'] = '2', ['³'] = '3', ['⁴'] = '4', ['⁵'] = '5',
  ['⁶'] = '6', ['⁷'] = '7', ['⁸'] = '8', ['⁹'] = '9', ['⁻'] = '−', ['⁺'] = '+',
}

-- Signs that text fonts of TeX lack, as formulas; without them they would be missing from the page.
local SIGNS = {
  ['−'] = '-', ['×'] = '\\times', ['±'] = '\\pm', ['≤'] = '\\leq', ['≥'] = '\\geq', ['≈'] = '\\approx',
  ['→'] = '\\rightarrow', ['∞'] = '\\infty', ['α'] = '\\alpha', ['β'] = '\\beta', ['γ'] = '\\gamma',
  ['ε'] = '\\varepsilon', ['λ'] = '\\lambda', ['μ'] = '\\mu', ['µ'] = '\\mu', ['σ'] = '\\sigma',
}

-- The apostrophe of print between a word or number and its suffix.
local function typographic(text)
  return (text:gsub("([%w\128-\255])'([%a\128-\255])", '%1’%2'))
end

local function text_of(text)
  -- Most words are plain: what is replaced below begins with one of these bytes, or is ×, whose first is that of ç, ö, ü.
  if text:find("^[^'`:\xC2\xCE\xCF\xE2]+$") and not text:find('×', 1, true) then return nil end
  if text:match('^https?://') then
    return { pandoc.Link({ pandoc.Str(text) }, text) }
  end
  local out, plain, raised = {}, '', ''
  local function flush()
    if plain ~= '' then out[#out + 1] = pandoc.Str(typographic(plain)) end
    if raised ~= '' then
      out[#out + 1] = is_latex and latex('\\textsuperscript{' .. raised:gsub('−', '\\ensuremath{-}') .. '}')
        or pandoc.Superscript({ pandoc.Str(raised) })
    end
    plain, raised = '', ''
  end
  for _, code in utf8.codes(text) do
    local character = utf8.char(code)
    if SUPERSCRIPTS[character] then
      if raised == '' then flush() end
      raised = raised .. SUPERSCRIPTS[character]
    else
      if raised ~= '' then flush() end
      if is_latex and SIGNS[character] then
        flush()
        out[#out + 1] = latex('\\ensuremath{' .. SIGNS[character] .. '}')
      elseif is_latex and character == '`' then
        -- TeX would make a quotation mark of it.
        flush()
        out[#out + 1] = latex('\\textasciigrave{}')
      else
        plain = plain .. character
      end
    end
  end
  flush()
  return out
end

-- "p < 0,001" stays on one line.
local function unbroken(inlines)
  -- One look at the text is cheaper than one at each of its words.
  if not pandoc.utils.stringify(inlines):find('[<=>]') then return nil end
  local function is_relation(inline)
    return inline and inline.t == 'Str' and (inline.text == '<' or inline.text == '=' or inline.text == '>')
  end
  for index = 2, #inlines - 1 do
    if inlines[index].t == 'Space' and (is_relation(inlines[index - 1]) or is_relation(inlines[index + 1])) then
      inlines[index] = pandoc.Str('\u{a0}')
    end
  end
  return inlines
end

-- Captions -------------------------------------------------------------------------------------------------

local function caption_of(block)
  local first = block and block.t == 'Para' and block.content[1]
  if not first or first.t ~= 'Strong' then return nil end
  local word, number, mark = pandoc.utils.stringify(first):match('^(%S+)%s(E?%.?%d[%d.]*)(:?)$')
  if not word or not KINDS[word] then return nil end
  if number:sub(-1) == '.' then
    number, mark = number:sub(1, -2), '.'
  end
  local title = {}
  for index = 2, #block.content do
    local inline = block.content[index]
    local is_gap = inline.t == 'Space' or inline.t == 'SoftBreak' or inline.t == 'LineBreak'
    if #title > 0 or not is_gap then title[#title + 1] = inline end
  end
  local gap = block.content[2] and block.content[2].t == 'LineBreak' and pandoc.LineBreak() or pandoc.Space()
  return { kind = KINDS[word], word = word, number = number, mark = mark, gap = gap, title = title }
end

-- Word's own kind of caption: the last part of the number is a field, which tables of figures are made from and
-- which keeps its value when fields are updated.
local function word_caption(caption, keep)
  local chapter, last = caption.number:match('^(.*%.)(%d+)$')
  if not chapter then chapter, last = '', caption.number end
  local field = '<w:fldSimple w:instr=" SEQ ' .. caption.word .. ' \\* ARABIC \\r ' .. last .. ' "><w:r><w:rPr><w:b/>'
    .. '</w:rPr><w:t>' .. last .. '</w:t></w:r></w:fldSimple>'
  local line = {
    pandoc.Strong({ pandoc.Str(caption.word), pandoc.Space(), pandoc.Str(chapter) }),
    pandoc.RawInline('openxml', field),
  }
  if caption.mark ~= '' then line[#line + 1] = pandoc.Strong({ pandoc.Str(caption.mark) }) end
  line[#line + 1] = caption.gap
  for _, inline in ipairs(caption.title) do line[#line + 1] = inline end
  local style = caption.kind == 'Table' and 'Table Caption' or 'Image Caption'
  return styled(keep and style .. ' Above' or style, { pandoc.Para(line) })
end

-- \caption with this number: the class of the thesis sets it in its own way.
local function latex_caption(caption, ending)
  local line = { latex('\\caption{') }
  for _, inline in ipairs(caption.title) do line[#line + 1] = inline end
  line[#line + 1] = latex('}' .. ending)
  return line
end

local function latex_names(caption)
  local name = caption.kind:lower()
  return '\\def\\' .. name .. 'name{' .. caption.word .. '}\\def\\the' .. name .. '{' .. caption.number .. '}'
end

-- Figures --------------------------------------------------------------------------------------------------

local function picture_of(block)
  if not block or block.t ~= 'Para' or #block.content ~= 1 then return nil end
  local image = block.content[1]
  local path = image.t == 'Image' and image.src:match('^charts/[%w_%-]+%.png$')
  return path and { path = path, alt = image.caption }
end

local function figure(picture, caption, is_above)
  if not is_latex then
    local image = pandoc.Para({ pandoc.Image(picture.alt, picture.path) })
    local body = styled(caption and not is_above and 'Captioned Figure' or 'Figure', { image })
    if not caption then return { body } end
    if is_above then return { word_caption(caption, true), body } end
    return { body, word_caption(caption, false) }
  end
  -- babel's Turkish makes = a command of its own, on which graphicx chokes: here it is a plain sign again.
  local line = { latex('\\begin{figure}[htbp]\n\\catcode61 12 \\centering\n') }
  local function add(inlines) for _, inline in ipairs(inlines) do line[#line + 1] = inline end end
  if caption then add({ latex(latex_names(caption) .. '\n') }) end
  if caption and is_above then add(latex_caption(caption, '\n')) end
  add({ latex('\\includegraphics[width=\\linewidth]{' .. picture.path .. '}\n') })
  if caption and not is_above then add(latex_caption(caption, '\n')) end
  add({ latex('\\end{figure}') })
  return { pandoc.Plain(line) }
end

-- Tables ---------------------------------------------------------------------------------------------------

-- Characters of table text that a line of 14.5 cm holds: 10.5 pt in Word, \small in LaTeX.
local LINE = is_latex and 84 or 72

-- What the signs before a number take beside a letter: they are half as wide again.
local SIGN = 0.6

-- Letters of a cell, and of its longest word: a column of words is never narrower.
local function size_of(cell)
  local text, most = pandoc.utils.stringify(pandoc.Div(cell)), 0
  for word in text:gmatch('%S+') do most = math.max(most, utf8.len(word) or 0) end
  local _, minus = text:gsub('−', '')
  local _, others = text:gsub('[+%%]', '')
  return (utf8.len(text) or 0) + SIGN * (minus + others), most
end

-- Shares of the line for each column, or nil where the table is narrow enough as it is. A column of numbers takes
-- what it needs; those of words take their longest word, and share the rest by what they would take on one line.
local function widths_of(simple)
  local longest, word, total, numbers, words, wishes = {}, {}, 0, 0, 0, 0
  local aligns, headers = simple.aligns, simple.headers
  for column = 1, #aligns do longest[column], word[column] = size_of(headers[column]) end
  for _, row in ipairs(simple.rows) do
    for column = 1, #aligns do
      local length, most = size_of(row[column])
      longest[column], word[column] = math.max(longest[column], length), math.max(word[column], most)
    end
  end
  for column = 1, #aligns do
    longest[column], word[column] = longest[column] + 3, word[column] + 3
    total = total + longest[column]
    if aligns[column] == pandoc.AlignRight then
      numbers = numbers + longest[column]
    else
      words, wishes = words + word[column], wishes + longest[column] - word[column]
    end
  end
  -- Without shares LibreOffice gives all columns the same width, which breaks the words of a first one among many.
  if total <= LINE and #aligns < 5 then return nil end
  local room = math.max(LINE - numbers - words, 0)
  local shares, sum = {}, 0
  for column = 1, #aligns do
    local share = longest[column]
    if aligns[column] ~= pandoc.AlignRight then
      share = word[column] + (wishes > 0 and room * (longest[column] - word[column]) / wishes or 0)
    end
    shares[column], sum = share, sum + share
  end
  -- The sum is one, however long the numbers are.
  for column, share in ipairs(shares) do shares[column] = share / sum end
  return shares
end

local function latex_table(simple, caption, is_above)
  local shares = widths_of(simple)
  local columns = {}
  for column, align in ipairs(simple.aligns) do
    if align == pandoc.AlignRight then
      columns[column] = 'r'
    elseif shares then
      columns[column] = '>{\\raggedright\\arraybackslash}'
        .. string.format('p{\\dimexpr %.3f\\linewidth-2\\tabcolsep\\relax}', shares[column])
    else
      columns[column] = 'l'
    end
  end
  local line = {}
  local function add(...) for _, inline in ipairs({ ... }) do line[#line + 1] = inline end end
  local function add_all(inlines) for _, inline in ipairs(inlines) do line[#line + 1] = inline end end
  local function add_row(cells)
    for column, cell in ipairs(cells) do
      if column > 1 then add(latex(' & ')) end
      add_all(pandoc.utils.blocks_to_inlines(cell))
    end
    add(latex(' \\\\\n'))
  end
  add(latex('\\begingroup\\small' .. (caption and latex_names(caption) or '') .. '\n'))
  add(latex('\\begin{longtable}{@{}' .. table.concat(columns) .. '@{}}\n'))
  if caption and is_above then add_all(latex_caption(caption, '\\\\\n\\toprule\n')) else add(latex('\\toprule\n')) end
  add_row(simple.headers)
  add(latex('\\midrule\n\\endfirsthead\n\\toprule\n'))
  add_row(simple.headers)
  add(latex('\\midrule\n\\endhead\n\\bottomrule\n\\endfoot\n\\bottomrule\n'))
  if caption and not is_above then add_all(latex_caption(caption, '\\\\\n')) end
  add(latex('\\endlastfoot\n'))
  for _, row in ipairs(simple.rows) do add_row(row) end
  add(latex('\\end{longtable}\n\\endgroup'))
  return { pandoc.Plain(line) }
end

local function captioned_table(block, caption, is_above)
  local simple = pandoc.utils.to_simple_table(block)
  if is_latex then return latex_table(simple, caption, is_above) end
  simple.widths = widths_of(simple) or simple.widths
  local body = pandoc.utils.from_simple_table(simple)
  if not caption then return { body } end
  if is_above then return { word_caption(caption, true), body } end
  return { body, word_caption(caption, false) }
end

-- Bibliography ---------------------------------------------------------------------------------------------

-- LaTeX has one list for all sections, made from the keys of the citations.
local function bibliography(list)
  local out = {}
  if is_latex then return out end
  for _, item in ipairs(list.content) do
    out[#out + 1] = styled('Bibliography', { pandoc.Para(pandoc.utils.blocks_to_inlines(item)) })
  end
  return out
end

-- A link to a key is a citation: (\citealp{hu2022lora}), or \citet{hu2022lora} where the text brings its own brackets.
local function citation(link)
  local key = link.target:match('^#([%w]+)$')
  if not key then return nil end
  if not is_latex then return link.content end
  local is_sentence = pandoc.utils.stringify(link):match('%)$')
  return latex((is_sentence and '\\citet{' or '\\citealp{') .. key .. '}')
end

-- Formulas and digests -------------------------------------------------------------------------------------

-- Digests are longer than a cell and have no place to break: here they get some.
local function digest(code)
  if not is_latex or #code.text < 40 or not code.text:match('^%x+$') then return nil end
  return latex('\\texttt{' .. code.text:gsub('(%x%x%x%x%x%x%x%x)', '%1\\allowbreak{}') .. '}')
end

-- A formula of its own with its number at the right margin: Word has no \tag, so a row of three cells without rules.
local function numbered(block)
  if is_latex or block.t ~= 'Para' or #block.content ~= 1 then return nil end
  local math = block.content[1]
  if math.t ~= 'Math' or math.mathtype ~= 'DisplayMath' then return nil end
  local formula, number = math.text:match('^(.-)\\qquad%s*(%([%d.]+%))%s*$')
  if not formula then return nil end
  local function raw(text) return pandoc.RawBlock('openxml', text) end
  local function cell(width)
    return '<w:tc><w:tcPr><w:tcW w:w="' .. width .. '" w:type="dxa"/><w:vAlign w:val="center"/></w:tcPr>'
  end
  local grid = '<w:tblGrid><w:gridCol w:w="900"/><w:gridCol w:w="6420"/><w:gridCol w:w="900"/></w:tblGrid>'
  return {
    raw('<w:tbl><w:tblPr><w:tblW w:w="8220" w:type="dxa"/><w:tblLayout w:type="fixed"/></w:tblPr>' .. grid
      .. '<w:tr><w:trPr><w:cantSplit/></w:trPr>' .. cell(900) .. '<w:p/></w:tc>' .. cell(6420)),
    pandoc.Para({ pandoc.Math('DisplayMath', formula) }),
    raw('</w:tc>' .. cell(900) .. '<w:p><w:pPr><w:jc w:val="right"/></w:pPr><w:r><w:t>' .. number
      .. '</w:t></w:r></w:p></w:tc></w:tr></w:tbl>'),
  }
end

-- The whole ------------------------------------------------------------------------------------------------

local function body_of(block)
  if block and block.t == 'Table' then return 'Table' end
  return picture_of(block) and 'Figure' or nil
end

local function dressed(block, caption, is_above)
  if block.t == 'Table' then return captioned_table(block, caption, is_above) end
  return figure(picture_of(block), caption, is_above)
end

local function whole(document)
  local blocks, out = document.blocks, {}
  local function add(more) for _, block in ipairs(more) do out[#out + 1] = block end end
  local index, is_bibliography, is_after_table, next_caption = 1, false, false, caption_of(blocks[1])
  while index <= #blocks do
    local block, following = blocks[index], blocks[index + 1]
    local caption = next_caption
    next_caption = caption_of(following)
    local taken, was_after_table = 1, is_after_table
    if caption and body_of(following) == caption.kind then
      add(dressed(following, caption, true))
      taken = 2
    elseif body_of(block) and next_caption and next_caption.kind == body_of(block) then
      add(dressed(block, next_caption, false))
      taken = 2
    elseif numbered(block) then
      add(numbered(block))
    elseif body_of(block) then
      add(dressed(block, nil, false))
    elseif is_latex and block.t == 'Header' and pandoc.utils.stringify(block) == 'Kaynaklar' then
      add({})
    elseif block.t == 'BulletList' and is_bibliography then
      add(bibliography(block))
    elseif was_after_table and block.t == 'Para' and not is_latex and not caption then
      -- A table of Word leaves no room below itself.
      add({ styled('After Table', { block }) })
    else
      add({ block })
    end
    is_bibliography = block.t == 'Header' and pandoc.utils.stringify(block) == 'Kaynaklar'
    is_after_table = block.t == 'Table' or (caption ~= nil and caption.kind == 'Table' and taken == 2)
    index = index + taken
    if taken == 2 then next_caption = caption_of(blocks[index]) end
  end
  document.blocks = out
  return document
end

local function heading(block)
  block.identifier = ''
  -- The number is in the text.
  if is_latex then block.classes = { 'unnumbered' } end
  return block
end

local function formula(inline)
  if is_latex and inline.mathtype == 'DisplayMath' then
    inline.text = inline.text:gsub('\\qquad%s*%(([%d.]+)%)%s*$', '\\tag{%1}')
    return inline
  elseif not is_latex then
    -- Word knows bars as a pair of brackets only.
    inline.text = inline.text:gsub('\\lvert%f[%A]', '\\left|'):gsub('\\rvert%f[%A]', '\\right|')
    return inline
  end
end

-- Verbatim text would let a raw % through, and does not break at the margin. Letters of one width cannot be
-- justified: their lines end where a word does.
local function code_block(block)
  if not is_latex then return nil end
  local line = { latex('\\raggedright ') }
  for row in (block.text .. '\n'):gmatch('(.-)\n') do
    if #line > 1 then line[#line + 1] = pandoc.LineBreak() end
    if row ~= '' then line[#line + 1] = pandoc.Code(row) end
  end
  return pandoc.BlockQuote({ pandoc.Para(line) })
end

return {
  { Inlines = unbroken },
  { Pandoc = whole },
  {
    Link = citation, Str = function(inline) return text_of(inline.text) end, Math = formula, Header = heading,
    CodeBlock = code_block, Code = digest,
  },
}
