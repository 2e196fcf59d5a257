-- The denoising view: a suggestion while it is written, as virtual text at its place, masked slots shaded.
local M = {}

local namespace = vim.api.nvim_create_namespace("quickfill.denoising")

---@class quickfill.Place
---@field buffer integer
---@field row integer
---@field column integer

--- Where the answer to a request that is under way belongs, by the request's id.
---@type table<integer, quickfill.Place>
local places = {}

---@class quickfill.DenoiseUpdate
---@field id integer
---@field text string
---@field maskedSpans [integer, integer][] in bytes, since the server and Neovim agree on UTF-8

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

---@param update quickfill.DenoiseUpdate
function M.show(update)
  local place = places[update.id]
  if not place or not vim.api.nvim_buf_is_loaded(place.buffer) then
    return
  end
  local lines = M.lines(update.text, update.maskedSpans)
  M.clear(place.buffer)
  pcall(vim.api.nvim_buf_set_extmark, place.buffer, namespace, place.row, place.column, {
    virt_text = lines[1],
    virt_lines = vim.list_slice(lines, 2),
    virt_text_pos = "inline",
    hl_mode = "combine",
  })
end

function M.clear(buffer)
  if vim.api.nvim_buf_is_loaded(buffer) then
    vim.api.nvim_buf_clear_namespace(buffer, namespace, 0, -1)
  end
end

--- Remember where requests for suggestions come from, and take the view away when they are answered.
---@param event vim.api.keyset.create_autocmd.callback_args
local function follow(event)
  local request = event.data.request
  if request.method ~= "textDocument/inlineCompletion" then
    return
  end
  if request.type == "pending" and request.bufnr == vim.api.nvim_get_current_buf() then
    local cursor = vim.api.nvim_win_get_cursor(0)
    places[event.data.request_id] = { buffer = request.bufnr, row = cursor[1] - 1, column = cursor[2] }
  elseif request.type ~= "pending" then
    places[event.data.request_id] = nil
    M.clear(request.bufnr)
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
