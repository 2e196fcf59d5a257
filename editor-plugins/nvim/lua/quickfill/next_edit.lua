-- Next edits: where and what is likely to be changed next, shown in its place until anything else changes.
local off_screen = require("quickfill.off_screen")

local M = {}

local namespace = vim.api.nvim_create_namespace("quickfill.next_edit")

---@class quickfill.NextEdit
---@field textDocument lsp.VersionedTextDocumentIdentifier
---@field range lsp.Range
---@field text string
---@field title string
---@field command lsp.Command

---@class quickfill.ShownEdit
---@field edit quickfill.NextEdit
---@field buffer integer that it changes
---@field key_buffer integer where the key that accepts is set: where it was asked for
---@field client vim.lsp.Client
---@field kind integer whether the user asked for it: 1, or 2 where not

---@type quickfill.ShownEdit?
local shown

--- The key that accepts, as the user has it; false for none.
local function accept_key()
  local keymaps = require("quickfill.config").get().keymaps
  return keymaps and keymaps.accept
end

function M.clear()
  if not shown then
    return false
  end
  local buffer, key_buffer = shown.buffer, shown.key_buffer
  shown = nil
  off_screen.clear(key_buffer)
  if vim.api.nvim_buf_is_valid(buffer) then
    vim.api.nvim_buf_clear_namespace(buffer, namespace, 0, -1)
  end
  if vim.api.nvim_buf_is_valid(key_buffer) and accept_key() then
    pcall(vim.keymap.del, "n", accept_key(), { buffer = key_buffer })
  end
  return true
end

---@param edit quickfill.NextEdit
local function draw(edit, buffer)
  local first, last = edit.range.start, edit.range["end"]
  local lines = vim.tbl_map(function(line)
    return { { line, "QuickfillNextEdit" } }
  end, vim.split(edit.text, "\n", { plain = true }))
  -- Behind what it replaces.
  vim.api.nvim_buf_set_extmark(buffer, namespace, last.line, last.character, {
    virt_text = lines[1],
    virt_text_pos = "inline",
    virt_lines = vim.list_slice(lines, 2),
  })
  vim.api.nvim_buf_set_extmark(buffer, namespace, first.line, first.character, {
    end_row = last.line,
    end_col = last.character,
    hl_group = "QuickfillReplaced",
  })
end

--- Say where the edit that is shown is, if it is out of sight.
local function hint()
  if shown then
    off_screen.update(shown.key_buffer, shown.buffer, shown.edit.range.start.line, accept_key())
  end
end

--- Show an edit, unless its document has changed since; where one of another file is, is said.
local function show(edit, asked_in, client, kind)
  M.clear()
  local buffer = vim.uri_to_bufnr(edit.textDocument.uri)
  if vim.lsp.util.buf_versions[buffer] ~= edit.textDocument.version then
    return
  end
  draw(edit, buffer)
  shown = { edit = edit, buffer = buffer, key_buffer = asked_in, client = client, kind = kind }
  if accept_key() then
    vim.keymap.set("n", accept_key(), M.accept, { buffer = asked_in, desc = "Quickfill: Make the next edit" })
  end
  hint()
  local elsewhere = buffer ~= asked_in
  if elsewhere or kind == vim.lsp.protocol.InlineCompletionTriggerKind.Invoked then
    local file = elsewhere and (" of " .. vim.fs.basename(vim.api.nvim_buf_get_name(buffer))) or ""
    local line = edit.range.start.line + 1
    vim.notify(("Quickfill: %s, line %d%s"):format(edit.title, line, file), vim.log.levels.INFO)
  end
end

--- Ask what is next.
---@param buffer integer
---@param client vim.lsp.Client
---@param kind integer 1 if the user wants to know, 2 otherwise
function M.ask(buffer, client, kind)
  local parameters = vim.lsp.util.make_position_params(0, client.offset_encoding)
  parameters.textDocument.version = vim.lsp.util.buf_versions[buffer]
  parameters.context = { triggerKind = kind }
  client:request("quickfill/nextEdit", parameters, function(failure, answer)
    local edit = answer and answer ~= vim.NIL and answer.edits[1]
    if edit and vim.api.nvim_buf_is_valid(buffer) then
      show(edit, buffer, client, kind)
    elseif kind == vim.lsp.protocol.InlineCompletionTriggerKind.Invoked then
      local reason = failure and failure.message or "nothing seems to follow"
      vim.notify("Quickfill: " .. reason, vim.log.levels.INFO)
    end
  end, buffer)
end

--- Make the edit that is shown, go there, and ask for the one after it. Says whether there was one.
---@return boolean
function M.accept()
  local accepted = shown
  if not accepted then
    return false
  end
  M.clear()
  vim.schedule(function()
    local edit, buffer, client = accepted.edit, accepted.buffer, accepted.client
    if vim.lsp.util.buf_versions[buffer] ~= edit.textDocument.version then
      return
    end
    vim.lsp.util.apply_text_edits({ { range = edit.range, newText = edit.text } }, buffer, client.offset_encoding)
    if accepted.key_buffer == vim.api.nvim_get_current_buf() then
      if buffer ~= accepted.key_buffer then
        vim.api.nvim_set_current_buf(buffer)
      end
      vim.api.nvim_win_set_cursor(0, { edit.range.start.line + 1, edit.range.start.character })
    end
    client:exec_cmd(edit.command, { bufnr = buffer })
    M.ask(buffer, client, accepted.kind)
  end)
  return true
end

--- Ask after each change in normal mode and at the end of insert mode, and take away what a change has made stale.
---@param buffer integer
---@param client vim.lsp.Client
function M.follow(buffer, client)
  vim.api.nvim_set_hl(0, "QuickfillNextEdit", { link = "DiffAdd", default = true })
  vim.api.nvim_set_hl(0, "QuickfillReplaced", { strikethrough = true, default = true })
  vim.api.nvim_set_hl(0, "QuickfillOffScreen", { link = "DiagnosticVirtualTextHint", default = true })
  local group = vim.api.nvim_create_augroup("quickfill.next_edit." .. buffer, {})
  vim.api.nvim_create_autocmd({ "TextChanged", "TextChangedI", "BufUnload" }, {
    group = group,
    buffer = buffer,
    callback = M.clear,
  })
  vim.api.nvim_create_autocmd({ "CursorMoved", "WinScrolled" }, { group = group, buffer = buffer, callback = hint })
  if not require("quickfill.config").get().next_edit then
    return
  end
  vim.api.nvim_create_autocmd({ "TextChanged", "InsertLeave" }, {
    group = group,
    buffer = buffer,
    callback = function()
      if not client:is_stopped() and not require("quickfill.pause").left(buffer) then
        M.ask(buffer, client, vim.lsp.protocol.InlineCompletionTriggerKind.Automatic)
      end
    end,
  })
end

return M
