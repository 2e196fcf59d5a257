-- A rewrite before it is made: its difference in a floating window, to be taken or left.
local M = {}

local MOST_HEIGHT, LEAST_WIDTH = 0.6, 50

--- The difference that edits make to a buffer, as lines of a unified diff without file names.
---@param buffer integer
---@param edits lsp.TextEdit[]
---@param encoding string
---@return string[]
local function difference(buffer, edits, encoding)
  local lines = vim.api.nvim_buf_get_lines(buffer, 0, -1, false)
  local changed = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(changed, 0, -1, false, lines)
  vim.lsp.util.apply_text_edits(edits, changed, encoding)
  local new = vim.api.nvim_buf_get_lines(changed, 0, -1, false)
  vim.api.nvim_buf_delete(changed, { force = true })
  local function text(of)
    return table.concat(of, "\n") .. "\n"
  end
  local diff = vim.text.diff(text(lines), text(new), { ctxlen = 3 })
  return vim.split(vim.trim(diff --[[@as string]]), "\n", { plain = true })
end

--- Open a window at the cursor that is as large as its lines, as far as the screen allows.
---@param lines string[]
---@param title string
---@return integer window, integer buffer
local function open(lines, title)
  local buffer = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, lines)
  vim.bo[buffer].filetype, vim.bo[buffer].modifiable, vim.bo[buffer].bufhidden = "diff", false, "wipe"
  local width = LEAST_WIDTH
  for _, line in ipairs(lines) do
    width = math.max(width, vim.fn.strdisplaywidth(line))
  end
  local window = vim.api.nvim_open_win(buffer, true, {
    relative = "cursor",
    row = 1,
    col = 0,
    width = math.min(width, math.max(1, vim.o.columns - 4)),
    height = math.min(#lines, math.max(1, math.floor(vim.o.lines * MOST_HEIGHT))),
    border = "rounded",
    style = "minimal",
    title = " " .. title .. " ",
    footer = " <CR> applies, q discards ",
  })
  return window, buffer
end

--- Show what a rewrite would change. It is made when the user says so, if the text is as it was; one undo takes it back.
---@param edit lsp.WorkspaceEdit of this buffer alone
---@param buffer integer
---@param client vim.lsp.Client
---@param title string
function M.show(edit, buffer, client, title)
  local asked_at = vim.api.nvim_buf_get_changedtick(buffer)
  local edits = edit.documentChanges[1].edits --[[@as lsp.TextEdit[] ]]
  local window, shown = open(difference(buffer, edits, client.offset_encoding), title)
  local function close()
    if vim.api.nvim_win_is_valid(window) then
      vim.api.nvim_win_close(window, true)
    end
  end
  local function apply()
    close()
    if not vim.api.nvim_buf_is_valid(buffer) or vim.api.nvim_buf_get_changedtick(buffer) ~= asked_at then
      vim.notify("Quickfill: the text has changed meanwhile; nothing was written", vim.log.levels.WARN)
    else
      vim.lsp.util.apply_workspace_edit(edit, client.offset_encoding)
    end
  end
  vim.keymap.set("n", "<CR>", apply, { buffer = shown, nowait = true, desc = "Quickfill: Apply the rewrite" })
  for _, key in ipairs({ "q", "<Esc>" }) do
    vim.keymap.set("n", key, close, { buffer = shown, nowait = true, desc = "Quickfill: Discard the rewrite" })
  end
  vim.api.nvim_create_autocmd("WinLeave", { buffer = shown, once = true, callback = vim.schedule_wrap(close) })
end

return M
