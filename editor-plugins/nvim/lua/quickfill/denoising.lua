-- The denoising view: an answer while it is written, as virtual text at its place, masked slots shaded.
local M = {}

local namespace = vim.api.nvim_create_namespace("quickfill.denoising")

--- What is under way, by the id that its updates have, and the ranges that were asked for.
---@type table<integer|string, lsp.Range[]>
local asked = {}

---@class quickfill.Canvas
---@field text string
---@field maskedSpans [integer, integer][] in bytes, since the server and Neovim agree on UTF-8

---@class quickfill.DenoiseUpdate: quickfill.Canvas
---@field id integer|string
---@field textDocument lsp.VersionedTextDocumentIdentifier
---@field range lsp.Range
---@field holes quickfill.Canvas[] one for each range that was asked for, if there are several

--- A text and its masked spans as lines of highlighted chunks, as extmarks want them.
---@param text string
---@param masked [integer, integer][] start and end of each span, in bytes, from 0, ascending
---@return [string, string][][]
function M.lines(text, masked)
  local lines = { {} }
  local function add(part, group)
    for index, piece in ipairs(vim.split(part, "\n", { plain = true })) do
      if index > 1 then
        table.insert(lines, {})
      end
      if piece ~= "" then
        table.insert(lines[#lines], { piece, group })
      end
    end
  end
  local position = 0
  for _, span in ipairs(masked) do
    add(text:sub(position + 1, span[1]), "QuickfillSettled")
    add(text:sub(span[1] + 1, span[2]), "QuickfillMasked")
    position = span[2]
  end
  add(text:sub(position + 1), "QuickfillSettled")
  return lines
end

--- Draw a canvas behind what it will replace: in its line, or below its lines.
---@param buffer integer
---@param range lsp.Range
---@param canvas quickfill.Canvas
local function draw(buffer, range, canvas)
  local first, last = range.start, range["end"]
  local lines = M.lines(canvas.text, canvas.maskedSpans)
  local mark = { end_row = last.line, end_col = last.character, hl_group = "QuickfillReplaced", strict = false }
  if first.line == last.line then
    mark.virt_text, mark.virt_text_pos = lines[1], "inline"
    mark.virt_lines = vim.list_slice(lines, 2)
  else
    local before = vim.api.nvim_buf_get_text(buffer, first.line, 0, first.line, first.character, {})[1]
    table.insert(lines[1], 1, { before, "QuickfillSettled" })
    local below = last.character == 0 and last.line - 1 or last.line
    vim.api.nvim_buf_set_extmark(buffer, namespace, below, 0, { virt_lines = lines, strict = false })
  end
  vim.api.nvim_buf_set_extmark(buffer, namespace, first.line, first.character, mark)
end

---@param update quickfill.DenoiseUpdate
function M.show(update)
  local ranges = asked[update.id]
  local buffer = vim.uri_to_bufnr(update.textDocument.uri)
  if not ranges or not vim.api.nvim_buf_is_loaded(buffer) then
    return
  end
  if vim.lsp.util.buf_versions[buffer] ~= update.textDocument.version then
    return
  end
  M.clear(buffer)
  if #update.holes == #ranges and #ranges > 0 then
    for index, hole in ipairs(update.holes) do
      draw(buffer, ranges[index], hole)
    end
  else
    draw(buffer, update.range, update)
  end
end

function M.clear(buffer)
  if vim.api.nvim_buf_is_loaded(buffer) then
    vim.api.nvim_buf_clear_namespace(buffer, namespace, 0, -1)
  end
end

--- Show the updates that have this id, until it is finished.
---@param id integer|string
---@param ranges? lsp.Range[] for several holes
function M.begin(id, ranges)
  asked[id] = ranges or {}
end

---@param id integer|string
---@param buffer integer
function M.finish(id, buffer)
  if asked[id] then
    asked[id] = nil
    M.clear(buffer)
  end
end

--- Follow the requests for suggestions, which Neovim makes itself.
---@param event vim.api.keyset.create_autocmd.callback_args
local function follow(event)
  local request = event.data.request
  if request.method ~= "textDocument/inlineCompletion" then
    return
  end
  if request.type == "pending" then
    M.begin(event.data.request_id)
  else
    M.finish(event.data.request_id, request.bufnr)
  end
end

function M.enable()
  vim.api.nvim_set_hl(0, "QuickfillMasked", { link = "NonText", default = true })
  vim.api.nvim_set_hl(0, "QuickfillSettled", { link = "ComplHint", default = true })
  vim.api.nvim_create_autocmd("LspRequest", {
    group = vim.api.nvim_create_augroup("quickfill.denoising", {}),
    callback = follow,
  })
end

return M
