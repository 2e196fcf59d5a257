-- A hint for a next edit that is not on the screen: where it is, and the key that goes there and makes it.
local M = {}

local namespace = vim.api.nvim_create_namespace("quickfill.off_screen")

--- Whether a line of a buffer is in sight, in a window of this tab.
---@param buffer integer
---@param line integer from 0
---@return boolean
local function is_seen(buffer, line)
  for _, window in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    if vim.api.nvim_win_get_buf(window) == buffer then
      local first, last = vim.fn.line("w0", window), vim.fn.line("w$", window)
      if first <= line + 1 and line + 1 <= last then
        return true
      end
    end
  end
  return false
end

--- Say at the end of the cursor's line where the edit is, while it is not in sight; otherwise take that away.
---@param buffer integer that the user is in
---@param changed integer that the edit changes
---@param line integer of the edit, from 0
---@param key string|false that makes it
function M.update(buffer, changed, line, key)
  M.clear(buffer)
  if vim.api.nvim_get_current_buf() ~= buffer or is_seen(changed, line) then
    return
  end
  local row = vim.api.nvim_win_get_cursor(0)[1] - 1
  local arrow = changed == buffer and (line < row and "↑" or "↓") or "→"
  local file = changed ~= buffer and (" of " .. vim.fs.basename(vim.api.nvim_buf_get_name(changed))) or ""
  local how = key and (key .. ": ") or ""
  vim.api.nvim_buf_set_extmark(buffer, namespace, row, 0, {
    virt_text = { { (" %s %snext edit, line %d%s "):format(arrow, how, line + 1, file), "QuickfillOffScreen" } },
    virt_text_pos = "eol",
  })
end

---@param buffer integer
function M.clear(buffer)
  if vim.api.nvim_buf_is_valid(buffer) then
    vim.api.nvim_buf_clear_namespace(buffer, namespace, 0, -1)
  end
end

return M
