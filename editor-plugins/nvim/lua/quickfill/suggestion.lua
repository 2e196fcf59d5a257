-- What a user does with a suggestion. Every function says whether there was one.
local native = require("quickfill.native")

local M = {}

--- The beginning of a text up to the end of its next word: blanks, then letters or then other characters. A docstring is
--- taken by its line: its quotes alone would make a string of all that follows.
---@param text string
---@return string
function M.next_word(text)
  return text:match('^%s*"""[^\n]*') or text:match("^%s*'''[^\n]*") or text:match("^%s*[%w_\128-\255]+") or text:match("^%s*[^%w%s_\128-\255]+") or text
end

--- The beginning of a text up to the end of its next line that is not blank.
---@param text string
---@return string
function M.next_line(text)
  return text:match("^%s*[^\n]+") or text
end

--- Take ghost text away at once when a key contradicts it.
---@param buffer integer
function M.follow(buffer)
  vim.api.nvim_create_autocmd({ "TextChangedI", "CursorMovedI" }, {
    group = vim.api.nvim_create_augroup("quickfill.suggestion." .. buffer, {}),
    buffer = buffer,
    callback = function()
      native.drop_contradicted(buffer)
    end,
  })
end

--- The state of each buffer's text whose suggestion was put away.
---@type table<integer, integer>
local dismissed = {}

--- Show what came too late for its request, where the user still waits in the same text.
---@param document lsp.VersionedTextDocumentIdentifier
---@param client_id integer
function M.ask_again(document, client_id)
  local buffer = vim.api.nvim_get_current_buf()
  local client = vim.lsp.get_client_by_id(client_id)
  if
    client
    and vim.uri_from_bufnr(buffer) == document.uri
    and vim.lsp.util.buf_versions[buffer] == document.version
    and vim.api.nvim_get_mode().mode == "i"
    and native.suggests(buffer, client)
    and dismissed[buffer] ~= vim.b[buffer].changedtick
  then
    native.request(buffer, vim.lsp.protocol.InlineCompletionTriggerKind.Automatic)
  end
end

---@return boolean
function M.accept()
  return require("quickfill.next_edit").accept() or vim.lsp.inline_completion.get()
end

--- Accept a beginning of the suggestion; the rest is shown again behind it.
---@param cut fun(text: string): string
---@return boolean
local function accept_part(cut)
  return vim.lsp.inline_completion.get({
    on_accept = function(item)
      local buffer = vim.api.nvim_get_current_buf()
      local typed, ghost = native.split_at_cursor(item, buffer)
      local part = cut(ghost)
      local client = vim.lsp.get_client_by_id(item.client_id)
      if part ~= ghost and client then
        client:notify("textDocument/didPartiallyAcceptCompletion", {
          item = { insertText = item.insert_text, command = item.command },
          -- In UTF-16 code units, as Copilot's clients count it.
          acceptedLength = vim.str_utfindex(typed .. part, "utf-16"),
        })
        item.command = nil
        item.range = native.range_to_cursor(item, buffer)
        vim.schedule(function()
          native.request(buffer, vim.lsp.protocol.InlineCompletionTriggerKind.Automatic)
        end)
      end
      item.insert_text = typed .. part
      return item
    end,
  })
end

---@return boolean
function M.accept_word()
  return accept_part(M.next_word)
end

---@return boolean
function M.accept_line()
  return accept_part(M.next_line)
end

local AGAIN, MOST_TIMES = 400, 10

--- Ask for alternatives, and ask again while there is but one suggestion: the server gives what it has soon, and writes
--- the others meanwhile. Any change of the text or the cursor ends that.
local function ask_for_alternatives(buffer)
  local function here()
    return { vim.api.nvim_get_current_buf(), vim.b[buffer].changedtick, vim.api.nvim_win_get_cursor(0) }
  end
  local place, times = here(), 0
  local function ask()
    if times >= MOST_TIMES or native.count(buffer) > 1 or not vim.deep_equal(here(), place) then
      return
    end
    times = times + 1
    native.request(buffer, vim.lsp.protocol.InlineCompletionTriggerKind.Invoked)
    vim.defer_fn(ask, AGAIN)
  end
  ask()
end

--- Ask for alternatives where there is but one suggestion, otherwise show the next one.
---@param count integer
---@return boolean
local function switch(count)
  local buffer = vim.api.nvim_get_current_buf()
  local number = native.count(buffer)
  vim.schedule(function()
    if number > 1 then
      vim.lsp.inline_completion.select({ count = count })
    else
      ask_for_alternatives(buffer)
    end
  end)
  return true
end

--- With no suggestion in sight this asks for some.
---@return boolean
function M.next()
  return switch(1)
end

---@return boolean
function M.previous()
  return switch(-1)
end

---@return boolean
function M.dismiss()
  local buffer = vim.api.nvim_get_current_buf()
  dismissed[buffer] = vim.b[buffer].changedtick
  local shown = native.count(buffer) > 0 or require("quickfill.next_edit").clear()
  vim.schedule(function()
    native.abort(buffer)
  end)
  return shown
end

return M
